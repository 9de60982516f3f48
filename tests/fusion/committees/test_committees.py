"""Committees against their published formulas, evaluated directly, and their laws."""

from dataclasses import replace

import numpy as np
import pytest

from coolgp.agents.batches import Batch
from coolgp.agents.encoding import ENCODINGS
from coolgp.agents.features.basis import FunctionBasis
from coolgp.agents.model import Model
from coolgp.agents.parameters import Layout
from coolgp.agents.population import new_population, observe_in_place
from coolgp.agents.prediction import Prediction
from coolgp.fusion.committees.base import Committee
from coolgp.fusion.committees.npae import NPAE
from coolgp.fusion.registry import RULES
from coolgp.fusion.rule import FusionRule
from coolgp.network.graphs.generate import generate
from coolgp.network.graphs.topology import from_edges
from coolgp.network.links.faults import PERFECT, Faults
from coolgp.network.serial import SerialTransport

from tests.oracle import BASES, QUERIES, build_model, dense, draw, kernel, ranked, rows_of, start

NAMES = ("poe", "gpoe", "bcm", "rbcm", "grbcm", "npae")
AGENTS = 6
TOLERANCE = 1e-10
FAR = np.array([[40.0, -35.0], [60.0, 60.0]])
BATCH = draw(AGENTS, 9, 4)


def asked(rule: FusionRule, model: Model, batch: Batch, x: np.ndarray = QUERIES, kind: str = "grid") -> Prediction:
    """What all agents answer, by global id."""
    agents = len(batch.y)
    graph = generate(kind, agents, seed=1) if agents > 1 else from_edges([], [], 1)
    rule = rule.fit(graph, PERFECT)
    transport = SerialTransport(rule.links(graph))
    population = new_population(model, start(model), agents)
    observe_in_place(population, ranked(batch, transport))
    state = rule.converge(rule.init(population, transport), population, transport)
    return rule.predict(state, population, np.argsort(transport.shard.agents), x, transport)


def alone(model: Model, batch: Batch, agent: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of one agent, by the dense oracle."""
    return dense(model, start(model)).predict(*rows_of(batch[agent : agent + 1]), QUERIES)


def published(name: str, model: Model, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
    """The formula of each committee from its paper, with loops over experts and dense predictions."""
    prior = float(dense(model, start(model)).signal)
    said = [alone(model, batch, agent) for agent in range(len(batch.y))]
    if name == "grbcm":
        return corrected(model, batch)
    gains = [0.5 * (np.log(prior) - np.log(variance)) for _, variance in said]
    powers = {
        "poe": [1.0] * len(said),
        "gpoe": [gain / sum(gains) for gain in gains],
        "uniform": [1.0 / len(said)] * len(said),
        "bcm": [1.0] * len(said),
        "rbcm": gains,
    }[name]
    precision = sum(power / variance for power, (_, variance) in zip(powers, said, strict=True))
    if name in ("bcm", "rbcm"):
        precision = precision + (1.0 - sum(powers)) / prior
    mean = sum(power * mu / variance for power, (mu, variance) in zip(powers, said, strict=True)) / precision
    return mean, 1.0 / precision


def corrected(model: Model, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
    """grBCM with the first agent's data as communication set."""
    base, base_variance = alone(model, batch, 0)
    precision, answers, powers = 0.0, 0.0, 0.0
    for agent in range(1, len(batch.y)):
        both = batch[np.array([0, agent])]
        mean, variance = dense(model, start(model)).predict(*rows_of(both), QUERIES)
        power = 1.0 if agent == 1 else 0.5 * (np.log(base_variance) - np.log(variance))
        precision, answers, powers = precision + power / variance, answers + power * mean / variance, powers + power
    precision = precision + (1.0 - powers) / base_variance
    return (answers + (1.0 - powers) * base / base_variance) / precision, 1.0 / precision


def nested(model: Model, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
    """``k_Mᵀ K_M⁻¹ m`` and ``k - k_Mᵀ K_M⁻¹ k_M`` with the covariances of the experts' means under the sparse prior."""
    oracle, experts = dense(model, start(model)), range(len(batch.y))
    rows = [rows_of(batch[agent : agent + 1]) for agent in experts]
    weights = []  # of each expert's observations in its mean, [Q, n]
    for x, _ in rows:
        covariance = np.asarray(oracle.covariance(x), float)
        weights.append(np.linalg.solve(covariance, np.asarray(oracle.nystrom(QUERIES, x), float).T).T)
    gains = np.array(
        [np.asarray(w @ oracle.nystrom(x, QUERIES), float).diagonal() for w, (x, _) in zip(weights, rows, strict=True)]
    )
    said = np.array([w @ y for w, (_, y) in zip(weights, rows, strict=True)])
    joint = np.array([[_covariance(oracle, weights, rows, a, b) for b in experts] for a in experts])  # [A, A, Q]
    share = np.linalg.solve(np.moveaxis(joint, -1, 0), gains.T[..., None])[..., 0]
    return (share * said.T).sum(-1), float(oracle.signal) - (share * gains.T).sum(-1)


def _covariance(oracle, weights: list[np.ndarray], rows: list, a: int, b: int) -> np.ndarray:
    """Of the means of two experts at each query, ``[Q]``."""
    between = np.asarray(oracle.covariance(rows[a][0]) if a == b else oracle.nystrom(rows[a][0], rows[b][0]), float)
    return np.einsum("qn,nm,qm->q", weights[a], between, weights[b])


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("name", ["poe", "gpoe", "uniform", "bcm", "rbcm", "grbcm"])
def test_a_committee_is_its_published_formula(name, basis):
    model = build_model(basis)
    rule = RULES["gpoe"](weights="uniform") if name == "uniform" else RULES[name]()
    found_, (mean, variance) = asked(rule, model, BATCH), published(name, model, BATCH)
    for agent in range(AGENTS):
        np.testing.assert_allclose(found_.mean[agent], np.asarray(mean, float), rtol=TOLERANCE, atol=TOLERANCE)
        np.testing.assert_allclose(found_.variance[agent], np.asarray(variance, float), rtol=TOLERANCE)


@pytest.mark.parametrize("basis", BASES)
def test_npae_is_its_published_formula(basis):
    model = build_model(basis)
    found_, (mean, variance) = asked(NPAE(), model, BATCH), nested(model, BATCH)
    np.testing.assert_allclose(found_.mean, np.tile(mean, (AGENTS, 1)), rtol=TOLERANCE, atol=TOLERANCE)
    np.testing.assert_allclose(found_.variance, np.tile(variance, (AGENTS, 1)), rtol=TOLERANCE)


def test_npae_of_experts_of_one_point_is_the_exact_gaussian_process():
    """With the points themselves as inducing inputs the sparse prior is the exact one."""
    rng = np.random.default_rng(3)
    x, y = rng.uniform(-2, 2, (8, 2)), rng.standard_normal(8)
    layout = Layout(2)
    reference = np.diag([1.0, 1.3])
    model = Model(layout, FunctionBasis(x, reference, 1e-12), ENCODINGS["transport"]())
    theta = start(model)
    found_ = asked(NPAE(), model, Batch(x[:, None], y[:, None], np.ones((8, 1))))
    weight, signal, noise = layout.projection(theta), layout.signal_variance(theta), layout.noise_variance(theta)
    covariance = signal * kernel(x @ weight.T, x @ weight.T).astype(float)
    across = signal * kernel(QUERIES @ weight.T, x @ weight.T).astype(float)
    share = np.linalg.solve(covariance + noise * np.eye(8), across.T)
    np.testing.assert_allclose(found_.mean[0], share.T @ y, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(found_.variance[0], signal - (across * share.T).sum(-1), rtol=1e-6)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "rbcm"])  # which weighs its one expert too
def test_one_agent_is_its_own_committee(name):
    model, batch = build_model(), BATCH[:1]
    mean, variance = alone(model, batch, 0)
    found_ = asked(RULES[name](), model, batch)
    np.testing.assert_allclose(found_.variance[0], np.asarray(variance, float), rtol=TOLERANCE)
    np.testing.assert_allclose(found_.mean[0], np.asarray(mean, float), rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("name", NAMES)
def test_far_from_data_all_but_the_product_are_the_prior(name):
    model = build_model()
    found_, prior = asked(RULES[name](), model, BATCH, FAR), float(dense(model, start(model)).signal)
    expected = prior / AGENTS if name == "poe" else prior
    np.testing.assert_allclose(found_.variance, expected, rtol=1e-9)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("via", ["consensus", "chebyshev", "push-sum", "gossip", "flood", "server", "central"])
def test_whatever_carries_the_sums_the_committee_is_the_same(name, via):
    model = build_model()
    one, other = asked(RULES[name](), model, BATCH), asked(RULES[name](via=via), model, BATCH)
    np.testing.assert_allclose(other.mean, one.mean, rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(other.variance, one.variance, rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_queries_in_parts_are_answered_alike(name, monkeypatch):
    model = build_model()
    whole = asked(RULES[name](), model, BATCH)
    monkeypatch.setattr("coolgp.fusion.committees.base.SUMMED_BYTES", 1.0)
    parts = asked(RULES[name](), model, BATCH)
    np.testing.assert_allclose(parts.mean, whole.mean, rtol=TOLERANCE)
    np.testing.assert_allclose(parts.variance, whole.variance, rtol=TOLERANCE)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "poe"])  # which counts everyone's prior
def test_an_agent_without_data_leaves_the_committee_as_it_was(name):
    model, empty = build_model(), np.ones((AGENTS, 1))
    empty[-1] = 0.0
    batch = Batch(BATCH.x, BATCH.y, BATCH.mask * empty)
    less, more = asked(RULES[name](), model, batch[: AGENTS - 1]), asked(RULES[name](), model, batch)
    np.testing.assert_allclose(more.mean[0], less.mean[0], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(more.variance[0], less.variance[0], rtol=1e-6)


def test_a_product_of_agents_that_saw_the_same_is_surer_than_one_and_a_generalised_one_is_not():
    model = build_model()
    same = Batch(*(np.repeat(part[:1], AGENTS, axis=0) for part in (BATCH.x, BATCH.y, BATCH.mask)))
    one = asked(RULES["tree"](), model, same[:1]).variance[0]
    assert (asked(RULES["poe"](), model, same).variance[0] < one).all()
    np.testing.assert_allclose(asked(RULES["gpoe"](), model, same).variance[0], one, rtol=1e-6)


def test_npae_refuses_agents_that_differ():
    model, graph = build_model(), generate("ring", 3, seed=0)
    rule = NPAE().fit(graph, PERFECT)
    transport = SerialTransport(rule.links(graph))
    population = new_population(model, start(model), 3)
    population = replace(population, theta=population.theta + 0.2 * np.arange(3)[:, None])
    with pytest.raises(ValueError, match="hyper-parameters that all agents share"):
        rule.predict(rule.init(population, transport), population, np.arange(3), QUERIES, transport)


def test_npae_refuses_what_would_take_too_long():
    with pytest.raises(ValueError, match="test_count"):
        asked(NPAE(most_numbers=100.0), build_model(), BATCH)


def test_a_committee_under_loss_needs_a_number_of_rounds():
    graph = generate("ring", AGENTS, seed=0)
    with pytest.raises(ValueError, match="query_rounds"):
        RULES["rbcm"](via="consensus").fit(graph, Faults(loss=0.2))
    rule = RULES["rbcm"](via="consensus", query_rounds=20).fit(graph, Faults(loss=0.2))
    assert isinstance(rule, Committee)


@pytest.mark.parametrize("faults", [Faults(delay=1), Faults(bandwidth=100.0)])
def test_a_committee_refuses_messages_that_come_among_those_of_another_query(faults):
    with pytest.raises(ValueError, match=r"leave out network\.delay"):
        RULES["bcm"]().fit(generate("ring", AGENTS, seed=0), faults)


def test_where_sums_make_no_sense_an_agent_goes_by_its_own_prediction(monkeypatch):
    model = build_model()
    monkeypatch.setattr(
        "coolgp.fusion.sums.carrier.QueryRule.summed", lambda self, rows, transport: -1e6 * np.abs(rows)
    )
    found_ = asked(RULES["bcm"](), model, BATCH)
    for agent in range(AGENTS):
        mean, variance = alone(model, BATCH, agent)
        np.testing.assert_allclose(found_.mean[agent], np.asarray(mean, float), atol=TOLERANCE)
        np.testing.assert_allclose(found_.variance[agent], np.asarray(variance, float), rtol=TOLERANCE)
