"""Taking in only neighbours that predict an agent's own rows: whom it drops, whom it takes, and what that is worth."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from coolgp.agents.batches import Batch
from coolgp.agents.population import Population, new_population, observe_in_place
from coolgp.agents.prediction import Prediction, predict
from coolgp.agents.predictive_scores import log_loss, predict_rows, square_loss
from coolgp.agents.statistics import Evidence, packed_length
from coolgp.fusion.evidence.row_memory import RowMemory, newest
from coolgp.fusion.evidence.selective import Selective
from coolgp.fusion.registry import RULES
from coolgp.fusion.rule import EvidenceRule, FusionRule, SeesData
from coolgp.network.graphs.generate import generate
from coolgp.network.graphs.topology import from_edges
from coolgp.network.links.channel import FaultyTransport
from coolgp.network.links.dynamics import Dynamics
from coolgp.network.links.faults import PERFECT, Faults
from coolgp.network.serial import SerialTransport
from coolgp.network.transport import Transport
from coolgp.scenarios import load_scenario, run

from tests.oracle import BASES, QUERIES, build_model, dense, draw, field, rows_of, start, taught

AGENTS, ROUNDS, ROWS = 24, 6, 6
GRAPH = generate("erdos-renyi", AGENTS, seed=4)
SIDES = np.where(np.arange(AGENTS) % 2, -1.0, 1.0)
ALIKE = np.ones(AGENTS)
LOSSES: dict[str, Callable] = {"nlpd": log_loss, "square": square_loss}


def stream(sign: np.ndarray) -> list[Batch]:
    """Rounds of observations of ``sign · f``, each agent all over the plane."""
    drawn = [draw(len(sign), ROWS, 10 + turn) for turn in range(ROUNDS)]
    return [Batch(batch.x, batch.y * sign[:, None], batch.mask) for batch in drawn]


def ended(rule: FusionRule, batches: list[Batch], faults: Faults = PERFECT, basis: str = "function"):
    """Rule, state, population and transport after all rounds, and whether each edge was taken after each of them."""
    model = build_model(basis)
    rule = rule.fit(GRAPH, faults)
    transport: Transport = SerialTransport(rule.links(GRAPH))
    if faults != PERFECT:
        transport = FaultyTransport(transport, Dynamics(GRAPH, faults, 0), faults, 0)
    population = new_population(model, start(model), AGENTS)
    state = taught(rule, population, batches, transport)
    return rule, state, population, transport


@cache
def errors(name: str, apart: bool, basis: str = "function") -> np.ndarray:
    """Root mean squared error of each agent against the function that it observes itself, by global id."""
    sign = SIDES if apart else ALIKE
    rule, state, population, transport = ended(RULES[name](), stream(sign), basis=basis)
    said = rule.predict(state, population, np.argsort(transport.shard.agents), QUERIES, transport)
    return np.sqrt(np.square(said.mean - sign[:, None] * field(QUERIES)).mean(1))


@pytest.mark.parametrize("basis", BASES)
def test_where_two_groups_observe_opposite_functions_it_beats_fusing_all_and_fusing_none(basis):
    """What no observation can mend, for the inducing inputs are few, is what is left where all fuse one function."""
    selective, tree, none = (errors(name, True, basis) for name in ("selective", "tree", "none"))
    left = errors("tree", False, basis).mean()
    assert selective.mean() - left < 0.5 * (none.mean() - left)
    assert selective.mean() < 0.5 * tree.mean()
    assert (selective < tree).all()


@pytest.mark.parametrize("basis", BASES)
def test_where_all_observe_one_function_it_is_better_than_none(basis):
    selective, tree, none = (errors(name, False, basis).mean() for name in ("selective", "tree", "none"))
    assert selective - tree < 0.5 * (none - tree)


@pytest.mark.parametrize("measure", LOSSES)
def test_in_the_end_nobody_takes_in_an_agent_of_the_other_group(measure):
    _, state, _, transport = ended(Selective(measure=measure), stream(SIDES))
    shard, taken = transport.shard, state.inner.taken
    same = SIDES[shard.agents[shard.tail]] == SIDES[shard.head_agent]
    assert not (taken & ~same).any()
    assert taken[same].mean() > 0.5


def test_what_an_agent_holds_is_its_own_evidence_and_that_of_those_it_took_each_once():
    rule, state, population, transport = ended(Selective(), stream(SIDES))
    own, shard = population.packed(slice(None)), transport.shard
    place = np.argsort(shard.agents)
    expected = own.copy()
    for edge in np.flatnonzero(state.inner.taken):
        expected[shard.tail[edge]] += own[place[shard.head_agent[edge]]]
    np.testing.assert_allclose(rule.fused_evidence(state, population, slice(None)).pack(), expected, rtol=1e-12)
    counted = 1 + np.bincount(shard.tail[state.inner.taken], minlength=AGENTS)
    np.testing.assert_array_equal(rule.counted(state, np.arange(AGENTS)), counted)


@pytest.mark.parametrize("measure", LOSSES)
def test_whom_an_agent_takes_follows_from_losses_on_rows_that_the_judged_had_not_seen(measure):
    """Textbook: own loss on each of the newest rows just before learning it, neighbours' now, by dense predictions."""
    rule, batches = Selective(measure=measure, memory=9), stream(SIDES)
    _, state, population, transport = ended(rule, batches)
    model, shard = population.model, transport.shard
    oracle = dense(model, start(model))

    def loss(earlier: list[Batch], agent: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        rows = [rows_of(batch[agent : agent + 1]) for batch in earlier]
        seen = [np.concatenate(part) for part in zip(*rows, strict=True)] if rows else (np.zeros((0, 2)), np.zeros(0))
        mean, variance = (np.asarray(part, float) for part in _at(oracle, *seen, x))
        variance = variance + float(oracle.noise)
        square = (y - mean) ** 2
        return square if measure == "square" else 0.5 * (np.log(2 * np.pi * variance) + square / variance)

    own = []
    for agent in range(AGENTS):
        stored = [(*rows_of(b[agent : agent + 1]), t) for t, b in enumerate(batches)]
        losses = np.concatenate([loss(batches[:t], agent, x, y) for x, y, t in stored])[-9:]
        own.append(
            (np.concatenate([x for x, _, _ in stored])[-9:], np.concatenate([y for _, y, _ in stored])[-9:], losses)
        )
    for edge in range(0, len(shard.tail), 3):
        x, y, losses = own[shard.agents[shard.tail[edge]]]
        theirs = loss(batches, int(shard.head_agent[edge]), x, y).mean()
        bar = losses.mean() + np.log(1.2) if measure == "nlpd" else 1.2 * losses.mean()
        assert state.inner.taken[edge] == (theirs <= bar)


def _at(oracle, x: np.ndarray, y: np.ndarray, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return oracle.predict(x, y, queries) if len(x) else (np.zeros(len(queries)), np.full(len(queries), oracle.signal))


@pytest.mark.parametrize("faults", [Faults(byzantine=3), Faults(byzantine=3, loss=0.3, delay=1)])
def test_a_liar_is_dropped(faults):
    rule, state, population, transport = ended(Selective(), stream(ALIKE), faults)
    liars = transport.dynamics.byzantine[transport.shard.head_agent]
    assert liars.any()
    assert not (state.inner.taken & liars).any()
    assert state.inner.taken[~liars].mean() > 0.4
    honest = ~transport.dynamics.byzantine[transport.shard.agents]
    said = rule.predict(state, population, np.flatnonzero(honest), QUERIES, transport)
    error = np.sqrt(np.square(said.mean - field(QUERIES)).mean(1))
    assert error.mean() < errors("none", False).mean()


def test_over_lossy_links_the_newest_message_that_came_is_kept():
    _, state, _, transport = ended(Selective(), stream(ALIKE), Faults(loss=0.6))
    counts = state.inner.rows[:, packed_length(build_model().inducing) - 1]
    seen = np.cumsum([batch.count for batch in stream(ALIKE)], axis=0)  # [round, A]
    for edge, count in enumerate(counts):
        assert count in (0.0, *seen[:, transport.shard.head_agent[edge]])
    newest_ = seen[-1, transport.shard.head_agent]
    assert 0.2 < (counts == newest_).mean() < 0.6
    assert not state.inner.taken[~state.inner.known].any()


def test_an_agent_without_rows_takes_in_all_that_is_possible():
    silent = [Batch(b.x, b.y, b.mask * (np.arange(AGENTS) > 0)[:, None]) for b in stream(ALIKE)]
    _, state, _, transport = ended(Selective(), silent)
    mine = transport.shard.agents[transport.shard.tail] == 0
    assert state.inner.taken[mine].all()


def test_an_agent_by_itself_knows_what_it_saw():
    rule, model, lone = Selective(), build_model(), from_edges([], [], 1)
    transport, population = SerialTransport(lone), new_population(model, start(model), 1)
    state = rule.observe(rule.init(population, transport), population, draw(1, 5))
    observe_in_place(population, draw(1, 5))
    state = rule.converge(state, population, transport)
    np.testing.assert_array_equal(
        rule.fused_evidence(state, population, slice(None)).pack(), population.packed(slice(None))
    )


def test_it_keeps_the_contract_of_rules_with_evidence_and_data():
    assert isinstance(Selective(), EvidenceRule)
    assert isinstance(Selective(), SeesData)


# Parts --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", [("function", "transport"), ("latent", "transport"), ("latent", "importance")])
@pytest.mark.parametrize("alike", [True, False])
def test_predicting_rows_of_ones_own_is_predicting_them(case, alike):
    model = build_model(case[0], encoding=case[1])
    population: Population = new_population(model, start(model), 3)
    shift = 0.0 if alike else 0.1 * np.arange(3)[:, None]
    theta, batch = population.theta + shift, draw(3, 6)
    evidence = Evidence(np.tile(np.eye(model.inducing), (3, 1, 1)) * 4, np.ones((3, model.inducing)), *np.ones((2, 3)))
    said: Prediction = predict_rows(model, theta, evidence, batch.x)
    for agent in range(3):
        one = slice(agent, agent + 1)
        stored = predict(model, theta[one], evidence[one], batch.x[agent])
        np.testing.assert_allclose(said.mean[agent], stored.mean[0], rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(said.variance[agent], stored.variance[0], rtol=1e-10)


def test_evidence_is_possible_where_no_direction_has_negative_precision():
    rng = np.random.default_rng(0)
    root, nan = rng.standard_normal((4, 2)), np.full((4, 4), np.nan)
    garbage = rng.standard_normal((4, 4))
    precision = np.stack([root @ root.T, garbage + garbage.T, np.zeros((4, 4)), nan, -1e-3 * np.eye(4)])
    evidence = Evidence(precision, np.ones((5, 4)), np.ones(5), np.ones(5))
    assert evidence.possible().tolist() == [True, False, True, False, False]
    assert evidence[np.array([0, 2])].possible().all()


def test_rows_are_kept_in_their_order_and_masked_ones_forgotten_first():
    model, batches = build_model(), [draw(3, 4, seed) for seed in range(4)]
    seen = RowMemory.of(new_population(model, start(model), 3), 6)
    for batch in batches:
        grown = seen.grown(batch)
        seen = grown[newest(grown.mask, 6)]
    for agent in range(3):
        x, y = (np.concatenate(p)[-6:] for p in zip(*(rows_of(b[agent : agent + 1]) for b in batches), strict=True))
        real = seen.mask[agent] > 0
        np.testing.assert_array_equal(seen.x[agent, real], x)
        np.testing.assert_array_equal(seen.y[agent, real], y)


# What a user sees ---------------------------------------------------------------------------------------------------

STATIONS = 12
STUDY = """
[data]
source = "stations.csv"
target = "reading"
agent = "station"
[agents]
inducing = 20
batch_size = 8
lengthscale = 0.5
signal_variance = 1.0
noise_variance = 0.1
hyperparameters = "fixed"
[network]
topology = "erdos-renyi"
[fusion]
rule = "RULE"
[run]
rounds = 8
probes = 12
"""


def test_stations_of_two_kinds_in_one_file_are_told_apart(tmp_path: Path) -> None:
    """Every second station reads the other way round: its sign is wrong, and nobody says which."""
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, (STATIONS * 70, 2))
    station = rng.integers(STATIONS, size=len(x))
    reading = truth(x) * (-1.0) ** station + 0.2 * rng.standard_normal(len(x))
    lines = [f"s{s},{a!r},{b!r},{y!r}" for s, (a, b), y in zip(station, x.tolist(), reading.tolist(), strict=True)]
    (tmp_path / "stations.csv").write_text("\n".join(["station,x0,x1,reading", *lines]) + "\n")
    off = {}
    for rule in ("selective", "tree", "none"):
        (tmp_path / "study.toml").write_text(STUDY.replace("RULE", rule))
        run(load_scenario(tmp_path / "study.toml"), tmp_path / rule, figures=False)
        with np.load(tmp_path / rule / "predictions.npz") as stored, np.load(tmp_path / rule / "model.npz") as model:
            sign = np.array([(-1.0) ** int(name[1:]) for name in model["agents"]])
            off[rule] = np.sqrt(np.square(stored["mean_post"] - sign[:, None] * truth(stored["x_test"])).mean())
    assert off["selective"] < 0.8 * off["none"] < off["tree"]


def truth(x: np.ndarray) -> np.ndarray:
    return 2 * np.sin(6 * x[:, 0]) * np.cos(4 * x[:, 1])
