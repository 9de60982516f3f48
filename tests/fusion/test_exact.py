"""Laws of fusing, for all rules: what all agents end up knowing is what one agent who saw everything would know."""

import numpy as np
import pytest

from coolgp.agents.batches import Batch
from coolgp.agents.learning import bound
from coolgp.agents.model import Model
from coolgp.agents.population import Population
from coolgp.agents.prediction import Prediction
from coolgp.agents.statistics import Evidence
from coolgp.fusion.registry import SUM_RULES, rule_named
from coolgp.fusion.rule import EvidenceRule, FusionRule
from coolgp.network.graphs.generate import generate
from coolgp.network.graphs.topology import Topology, from_edges
from coolgp.network.links.faults import PERFECT
from coolgp.network.serial import SerialTransport

from tests.oracle import BASES, LAYOUTS, QUERIES, build_model, dense, draw, informed, ranked, rows_of, start

TOPOLOGIES = ("ring", "grid", "star", "small-world", "random-tree", "complete")
ENCODINGS = ("transport", "stale", "importance")
FUSING = {"tree": 1e-9, "flood": 1e-9, "server": 1e-9, "central": 1e-9}
FUSING |= dict.fromkeys(("consensus", "chebyshev", "push-sum", "gossip"), 1e-6)
"""Rules that fuse everyone, and their relative accuracy: predictions magnify what averaging leaves undone."""
AGENTS = 7


class Run:
    """One rule on one graph, its agents by global id whatever order the transport holds them in."""

    def __init__(self, rule: FusionRule, topology: Topology, model: Model, *batches: Batch, theta=None) -> None:
        self.rule = rule.fit(topology, PERFECT)
        self.transport = SerialTransport(self.rule.links(topology))
        self.population: Population = informed(
            model, start(model) if theta is None else theta, *(ranked(batch, self.transport) for batch in batches)
        )
        self.state = self.rule.init(self.population, self.transport)
        self.place = np.argsort(self.transport.shard.agents)

    def converge(self) -> "Run":
        self.state = self.rule.converge(self.state, self.population, self.transport)
        return self

    def exchange(self, rounds: int = 1) -> "Run":
        for _ in range(rounds):
            self.state = self.rule.exchange(self.state, self.population, self.transport)
        return self

    @property
    def belief(self) -> Evidence:
        return self.rule.fused_evidence(self.state, self.population, self.place)

    def predict(self, x: np.ndarray = QUERIES) -> Prediction:
        return self.rule.predict(self.state, self.population, self.place, x, self.transport)


@pytest.mark.parametrize("name", FUSING)
@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("encoding", ["transport", "stale"])
def test_every_agent_predicts_as_the_dense_process_on_all_data(name, basis, layout, encoding):
    model, batches = build_model(basis, layout, encoding), (draw(AGENTS, 8, 1), draw(AGENTS, 8, 2))
    fused = Run(SUM_RULES[name](), generate("small-world", AGENTS, seed=3), model, *batches).converge().predict()
    x, y = (np.concatenate(part) for part in zip(*map(rows_of, batches), strict=True))
    mean, variance = dense(model, start(model)).predict(x, y, QUERIES)
    for agent in range(AGENTS):
        np.testing.assert_allclose(fused.mean[agent], mean.astype(float), rtol=FUSING[name])
        np.testing.assert_allclose(fused.variance[agent], variance.astype(float), rtol=FUSING[name])


@pytest.mark.parametrize("name", FUSING)
@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_agent_holds_the_bound_of_the_dense_process_on_all_data(name, basis, layout):
    model, batch = build_model(basis, layout), draw(AGENTS, 12)
    run = Run(SUM_RULES[name](), generate("grid", AGENTS, seed=3), model, batch).converge()
    expected = float(dense(model, start(model)).bound(*rows_of(batch)))
    np.testing.assert_allclose(bound(model, run.population.theta, run.belief), expected, rtol=FUSING[name])


@pytest.mark.parametrize("name", FUSING)
@pytest.mark.parametrize("kind", TOPOLOGIES)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_on_any_graph_every_agent_ends_with_the_sum(name, kind, encoding):
    model, batch = build_model("function", "diagonal", encoding), draw(AGENTS, 8)
    run = Run(SUM_RULES[name](), generate(kind, AGENTS, seed=3), model, batch).converge()
    total = run.population.evidence().pack().sum(0)
    np.testing.assert_allclose(run.belief.pack(), np.tile(total, (AGENTS, 1)), rtol=1e-9, atol=1e-7)


@pytest.mark.parametrize("name", SUM_RULES)
@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_agent_by_itself_keeps_its_own_evidence(name, basis, encoding):
    model, batch = build_model(basis, "diagonal", encoding), draw(1, 20)
    run = Run(SUM_RULES[name](), from_edges([], [], 1), model, batch)
    own = run.population.evidence().pack()
    for verb in (run.exchange, run.converge):
        np.testing.assert_array_equal(verb().belief.pack(), own)


@pytest.mark.parametrize("name", FUSING)
@pytest.mark.parametrize("basis", BASES)
def test_an_agent_without_data_changes_nothing(name, basis):
    model, batch = build_model(basis), draw(AGENTS, 12)
    batch.mask[3] = 0.0
    fused = Run(SUM_RULES[name](), generate("star", AGENTS, seed=3), model, batch).converge().predict()
    others = Batch(*(np.delete(part, 3, axis=0) for part in (batch.x, batch.y, batch.mask)))
    expected = Run(SUM_RULES[name](), generate("star", AGENTS - 1, seed=3), model, others).converge().predict()
    for agent in range(AGENTS):
        np.testing.assert_allclose(fused.mean[agent], expected.mean[0], rtol=FUSING[name])
        np.testing.assert_allclose(fused.variance[agent], expected.variance[0], rtol=FUSING[name])


@pytest.mark.parametrize("name", [name for name in SUM_RULES if name != "gossip"])  # who meets whom is drawn by id
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("verb", ["exchange", "converge"])
def test_renaming_the_agents_permutes_the_results(name, encoding, verb):
    model, batch, tree = build_model(encoding=encoding), draw(AGENTS, 12), generate("random-tree", AGENTS, seed=1)
    new = np.random.default_rng(0).permutation(AGENTS)  # agent i becomes new[i]
    renamed = from_edges(new[tree.tail], new[tree.indices], AGENTS)
    moved = Batch(*(part[np.argsort(new)] for part in (batch.x, batch.y, batch.mask)))
    one = getattr(Run(SUM_RULES[name](), tree, model, batch), verb)().predict()
    two = getattr(Run(SUM_RULES[name](), renamed, model, moved), verb)().predict()
    np.testing.assert_allclose(two.mean[new], one.mean, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(two.variance[new], one.variance, rtol=1e-7)


@pytest.mark.parametrize("name", SUM_RULES)
@pytest.mark.parametrize("basis", BASES)
def test_at_every_round_variances_are_between_zero_and_the_prior(name, basis):
    model, batch = build_model(basis), draw(AGENTS, 12)
    run = Run(SUM_RULES[name](), generate("ring", AGENTS, seed=3), model, batch)
    signal = model.layout.signal_variance(start(model))
    for _ in range(8):
        variance = run.predict().variance
        assert (variance >= 0).all()
        assert (variance <= signal * (1 + 1e-9)).all()
        run.exchange()


@pytest.mark.parametrize("name", FUSING)
def test_new_statistics_after_convergence_are_fused_exactly(name):
    model, first, second = build_model(), draw(AGENTS, 8, 1), draw(AGENTS, 8, 2)
    run = Run(SUM_RULES[name](), generate("grid", AGENTS, seed=3), model, first).converge()
    streamed = Run(SUM_RULES[name](), generate("grid", AGENTS, seed=3), model, first, second)
    run.population = streamed.population
    np.testing.assert_allclose(run.converge().predict().mean, streamed.converge().predict().mean, rtol=FUSING[name])


@pytest.mark.parametrize("name", SUM_RULES)
def test_agents_that_see_nothing_predict_the_prior(name):
    model, batch = build_model(), draw(AGENTS, 4)
    run = Run(
        SUM_RULES[name](), generate("ring", AGENTS, seed=3), model, Batch(batch.x, batch.y, 0 * batch.mask)
    ).converge()
    fused = run.predict()
    np.testing.assert_array_equal(fused.mean, 0.0)
    np.testing.assert_allclose(fused.variance, model.layout.signal_variance(start(model)), rtol=1e-9)


@pytest.mark.parametrize("name", SUM_RULES)
def test_no_probes_give_an_empty_prediction(name):
    run = Run(SUM_RULES[name](), generate("ring", AGENTS, seed=3), build_model(), draw(AGENTS, 4)).converge()
    answers = run.rule.predict(run.state, run.population, np.arange(0), QUERIES, run.transport)
    assert answers.mean.shape == (0, len(QUERIES))


@pytest.mark.parametrize("name", SUM_RULES)
def test_every_rule_keeps_its_contract(name):
    rule = rule_named(name)
    assert isinstance(rule, EvidenceRule)
    assert rule == SUM_RULES[name]()


@pytest.mark.parametrize(
    "name, message",
    [
        ("rumour", "fusion.rule needs one of tree, consensus, .*, none, .*, or module:Class; got 'rumour'"),
        ("nowhere.at.all:Rule", "'nowhere.at.all:Rule' cannot be loaded: No module named 'nowhere'"),
        ("coolgp.fusion.sums.tree:Bush", "cannot be loaded: .* has no attribute 'Bush'"),
        ("fractions:Fraction", "'fractions:Fraction' lacks fit, guarantee, links, init, exchange, converge, predict"),
    ],
)
def test_a_rule_that_does_not_exist_is_refused(name, message):
    with pytest.raises(ValueError, match=message):
        rule_named(name)
