"""Laws of averages: an agent's evidence is never counted more than once, and `counted` says how much was mixed in.

The twin keeps the books of the rule openly: each agent contributes a column of its own, over the same links and faults.
"""

import numpy as np
import pytest

from coolgp.agents.experts.expert import Regressor
from coolgp.agents.experts.models.base import LocalRows
from coolgp.agents.experts.task import Task
from coolgp.agents.population import new_population
from coolgp.fusion.apart.members import Members
from coolgp.fusion.apart.registry import apart_rule_named
from coolgp.fusion.registry import RULES, SUM_RULES, rule_named
from coolgp.fusion.rule import EvidenceRule, SeesData
from coolgp.fusion.sums.base import SumRule
from coolgp.network.graphs.generate import generate
from coolgp.network.links.channel import FaultyTransport
from coolgp.network.links.dynamics import Dynamics
from coolgp.network.links.faults import PERFECT, Absence, Faults
from coolgp.network.row_axes import rows_of, with_rows
from coolgp.network.serial import SerialTransport

from tests.oracle import QUERIES, build_model, draw, informed, start

AVERAGING = [name for name in SUM_RULES if SUM_RULES[name].averages]
AGENTS, LONER = 9, 4
GRAPH = generate("small-world", AGENTS, seed=3)
FAULTS = {
    "none": PERFECT,
    "absence": Faults(away=(Absence(LONER, 0, 99),)),
    "late joiner": Faults(away=(Absence(LONER, 0, 2),)),
    "leaves": Faults(away=(Absence(LONER, 1, 99),)),
    "loss": Faults(loss=0.4),
    "delay": Faults(delay=2.0),
    "churn": Faults(churn=0.4, absence=2.0),
    "one way": Faults(one_way=0.5),
}
MODEL = build_model()


def over(faults: Faults, rule) -> SerialTransport | FaultyTransport:
    inner = SerialTransport(rule.links(GRAPH))
    return inner if faults.perfect else FaultyTransport(inner, Dynamics(GRAPH, faults, 5), faults, 5)


class Books:
    """A rule in use for some rounds of learning, and its twin: one-hot contributions through the rule's own rounds."""

    def __init__(self, name: str, faults: Faults, turns: int, exchanges: int, **options) -> None:
        self.rule = rule_named(name, options).fit(GRAPH, faults)
        assert isinstance(self.rule, SumRule)
        self.transport, mirror = over(faults, self.rule), over(faults, self.rule)
        agents = self.transport.shard.agents
        batches = [draw(AGENTS, 4, turn) for turn in range(turns)]
        self.population = new_population(MODEL, start(MODEL), AGENTS)
        self.state = self.rule.init(self.population, self.transport)
        twin, seen = self.rule.begin(np.zeros((AGENTS, AGENTS)), mirror), np.zeros(AGENTS)
        for turn in range(turns):
            for transport in (self.transport, mirror):
                transport.advance(turn)
            self.population = informed(MODEL, start(MODEL), *batches[: turn + 1])
            seen = self.population.evidence().count
            self.state = self.rule.exchange(self.state, self.population, self.transport, exchanges)
            book = np.zeros((AGENTS, AGENTS))
            book[np.arange(AGENTS), agents] = seen
            twin = self.rule.rounds(twin, book, mirror, exchanges)
        self.mixed = self.rule.sums(twin)[:, agents] / seen  # [A, N]: how often each is in N times the mean
        self.everyone = np.arange(AGENTS)
        self.place = int(np.flatnonzero(agents == LONER)[0])


@pytest.mark.parametrize("name", AVERAGING)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("turns", "exchanges"), [(1, 1), (3, 2), (2, 40)])
def test_no_agent_is_counted_more_than_once_and_counted_is_what_was_mixed_in(name, fault, turns, exchanges):
    books = Books(name, FAULTS[fault], turns, exchanges)
    shares = books.mixed / np.maximum(books.mixed.max(axis=1, keepdims=True), 1.0)
    assert shares.max() <= 1.0 + 1e-9
    own = books.population.evidence()
    fused = books.rule.fused_evidence(books.state, books.population, slice(None))
    np.testing.assert_allclose(fused.count, shares @ own.count, rtol=1e-6)
    if turns == 1:  # rows of one round have gone the same way
        np.testing.assert_allclose(fused.square, shares @ own.square, rtol=1e-6)
    counted = books.rule.counted(books.state, books.everyone)
    np.testing.assert_allclose(counted, np.clip(shares, 0.0, 1.0).sum(axis=1), rtol=1e-6)
    assert (counted >= 1.0 - 1e-9).all()
    assert (counted <= AGENTS + 1e-6).all()


@pytest.mark.parametrize("name", AVERAGING)
def test_an_agent_that_hears_nobody_predicts_as_before(name):
    books = Books(name, FAULTS["absence"], 3, 20)
    asked = np.array([books.place])
    np.testing.assert_allclose(books.rule.counted(books.state, asked), 1.0, rtol=1e-9)
    own = books.population.evidence(asked)
    fused = books.rule.fused_evidence(books.state, books.population, asked)
    np.testing.assert_allclose(fused.pack(), own.pack(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", AVERAGING)
def test_an_exchange_mixes_in_neighbours_alone(name):
    books = Books(name, PERFECT, 1, 1)
    degree = books.transport.shard.degree[: len(books.everyone)]
    assert (books.rule.counted(books.state, books.everyone) <= degree + 1 + 1e-9).all()


@pytest.mark.parametrize("name", AVERAGING)
def test_after_many_exchanges_all_are_counted(name):
    books = Books(name, PERFECT, 2, 600)
    total = books.population.evidence().pack().sum(0)
    np.testing.assert_allclose(books.rule.counted(books.state, books.everyone), AGENTS, rtol=1e-6)
    fused = books.rule.fused_evidence(books.state, books.population, slice(None))
    np.testing.assert_allclose(fused.pack(), np.tile(total, (AGENTS, 1)), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", AVERAGING)
def test_shares_are_part_of_the_stored_state(name):
    books = Books(name, FAULTS["leaves"], 3, 2)
    stored = {key: rows.copy() for key, (_, rows) in rows_of(books.state).items()}
    again = with_rows(books.rule.init(books.population, books.transport), stored)
    for state in (books.state, again):
        counted = books.rule.counted(state, books.everyone)
        np.testing.assert_array_equal(counted, books.rule.counted(books.state, books.everyone))


def test_under_every_rule_of_messages_an_agent_that_is_away_counts_itself_alone():
    faults = FAULTS["absence"]
    for name in RULES:
        rule = rule_named(name)
        if not isinstance(rule, EvidenceRule) or name in ("central", "dpitc"):  # sums without a network; keeps rows
            continue
        rule = rule.fit(GRAPH, faults)
        transport = FaultyTransport(SerialTransport(rule.links(GRAPH)), Dynamics(GRAPH, faults, 5), faults, 5)
        population = new_population(MODEL, start(MODEL), AGENTS)
        state = rule.init(population, transport)
        transport.advance(0)
        population = informed(MODEL, start(MODEL), draw(AGENTS, 4, 0))
        state = rule.exchange(state, population, transport, 5)
        alone = np.flatnonzero(transport.shard.agents == LONER)
        assert rule.counted(state, alone)[0] <= 1.0 + 1e-9, name


@pytest.mark.parametrize("name", AVERAGING)
def test_a_committee_asked_over_no_link_answers_as_the_agent_alone(name):
    faults = FAULTS["absence"]
    rule = rule_named("poe", {"via": name, "query_rounds": 5}).fit(GRAPH, faults)
    transport = FaultyTransport(SerialTransport(rule.links(GRAPH)), Dynamics(GRAPH, faults, 5), faults, 5)
    transport.advance(0)
    population = informed(MODEL, start(MODEL), draw(AGENTS, 4, 0))
    alone = np.flatnonzero(transport.shard.agents == LONER)
    answer = rule.predict(rule.init(population, transport), population, alone, QUERIES, transport)
    own = rule.consulted(population, QUERIES, transport).of(alone)
    np.testing.assert_allclose(answer.variance, own.variance, rtol=1e-9)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("turns", "exchanges"), [(1, 1), (3, 2), (2, 40)])
def test_trimmed_means_count_at_most_once_what_one_agent_alone_knows(fault, turns, exchanges):
    books = Books("consensus", FAULTS[fault], turns, exchanges, trim=1)
    scale = 1.0 / np.maximum(books.mixed.max(axis=1), 1.0)
    np.testing.assert_allclose(books.rule.counted(books.state, books.everyone), scale * AGENTS, rtol=1e-6)
    if exchanges == 1:  # what all agree on is averaged over those that an agent did not drop
        degree = books.transport.shard.degree[: len(books.everyone)]
        assert (scale * AGENTS <= degree + 1 + 1e-9).all()


def test_trimmed_means_leave_an_agent_that_hears_nobody_as_it_was():
    books = Books("consensus", FAULTS["absence"], 3, 20, trim=1)
    asked = np.array([books.place])
    np.testing.assert_allclose(books.rule.counted(books.state, asked), 1.0, rtol=1e-9)
    fused = books.rule.fused_evidence(books.state, books.population, asked)
    np.testing.assert_allclose(fused.pack(), books.population.evidence(asked).pack(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", AVERAGING)
@pytest.mark.parametrize("fault", ["none", "absence", "late joiner", "loss"])
@pytest.mark.parametrize("exchanges", [1, 4, 60])
def test_an_ensemble_counts_each_expert_as_the_rule_does(name, fault, exchanges):
    faults, batches = FAULTS[fault], [draw(AGENTS, 4, turn) for turn in range(2)]
    rules = [
        rule.fit(GRAPH, faults) for rule in (rule_named(name), rule_named("ensemble", {"via": name, "scales": [1.0]}))
    ]
    fused = []
    for rule in rules:
        transport = over(faults, rule)
        population = new_population(MODEL, start(MODEL), AGENTS)
        state = rule.init(population, transport)
        for turn, batch in enumerate(batches):
            transport.advance(turn)
            state = rule.observe(state, population, batch) if isinstance(rule, SeesData) else state
            population = informed(MODEL, start(MODEL), *batches[: turn + 1])
            state = rule.exchange(state, population, transport, exchanges)
        asked = np.arange(AGENTS)
        fused.append(rule.predict(state, population, asked, QUERIES, transport))
    np.testing.assert_allclose(fused[1].mean, fused[0].mean, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(fused[1].variance, fused[0].variance, rtol=1e-6)


@pytest.mark.parametrize("name", AVERAGING)
def test_models_trained_apart_count_nobody_twice(name):
    """The product of experts of whom one hears nobody: its answer is its own, and after one round nobody is sure."""
    faults = FAULTS["absence"]
    rule = apart_rule_named("poe", {"via": name}).fit(GRAPH, faults)
    transport = over(faults, rule)
    transport.advance(0)
    agents = transport.shard.agents
    means, deviations = np.random.default_rng(1).uniform(0.5, 1.0, size=(2, AGENTS, len(QUERIES)))[:, agents]
    answers = np.stack([means, deviations**2], axis=2)
    rows = tuple(LocalRows(QUERIES[:9], np.linspace(0.0, 50.0, 9) + agent) for agent in agents)
    experts = tuple(Regressor(f"{agent}", lambda x: (x[:, 0], x[:, 0])) for agent in agents)
    members = Members(task=Task(), experts=experts, rows=rows, queries=QUERIES, answers=answers)
    state = rule.exchange(rule.init(members, transport), members, transport, 1)
    fused = rule.fused(state, members, transport).answers
    place = int(np.flatnonzero(agents == LONER)[0])
    np.testing.assert_allclose(fused[place], answers[place], rtol=1e-9)
    precision, most = 1.0 / fused[:, :, 1], (1.0 / answers[:, :, 1]).max(axis=0)
    heard = transport.shard.degree[:AGENTS] + 1
    assert (precision <= heard[:, None] * most * (1 + 1e-9)).all()
    settled = rule.fused(rule.exchange(state, members, transport, 600), members, transport).answers
    others = np.flatnonzero(agents != LONER)
    expected = (1.0 / answers[others, :, 1]).sum(axis=0)
    reached = 1.0 / settled[others, :, 1]
    assert (reached <= expected * (AGENTS / len(others)) * (1 + 1e-6)).all()
    if name != "gossip":
        np.testing.assert_allclose(reached, np.tile(reached[:1], (len(others), 1)), rtol=1e-6)
