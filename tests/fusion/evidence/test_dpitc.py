"""PITC with blocks of agents against its dense formula, and its limits."""

from dataclasses import replace

import numpy as np
import pytest

from coolgp.agents.batches import Batch
from coolgp.agents.encoding import ENCODINGS
from coolgp.agents.features.basis import FunctionBasis
from coolgp.agents.features.fourier import FourierBasis, draw_waves
from coolgp.agents.learning import bound
from coolgp.agents.model import Model
from coolgp.agents.parameters import Layout
from coolgp.agents.population import Population, new_population
from coolgp.agents.prediction import Prediction
from coolgp.fusion.evidence.dpitc import DPITC
from coolgp.fusion.rule import EvidenceRule, SeesData
from coolgp.fusion.sums.base import SumState
from coolgp.fusion.sums.server import Server
from coolgp.network.graphs.generate import generate
from coolgp.network.links.channel import FaultyTransport
from coolgp.network.links.dynamics import Dynamics
from coolgp.network.links.faults import Faults
from coolgp.network.serial import SerialTransport
from coolgp.network.transport import Transport

from tests.oracle import (
    BASES,
    LAYOUTS,
    LONG,
    QUERIES,
    Dense,
    build_model,
    dense,
    draw,
    kernel,
    rows_of,
    solve,
    start,
    taught,
)

AGENTS = 5
GRAPH = generate("ring", AGENTS, seed=0)
BATCHES = [draw(AGENTS, 4, seed) for seed in range(3)]
TOLERANCE = 1e-9
Ended = tuple[SumState, Population, Transport]


def ended(rule: Server, model: Model, batches: list[Batch], theta: np.ndarray, transport: Transport) -> Ended:
    """After so many rounds of observing and reporting. theta ``[A, K]``, of all agents by global id."""
    agents = transport.shard.agents
    population = new_population(model, theta[agents], len(agents))
    state = taught(rule, population, batches, transport)
    return state, population, transport


def answers(rule: Server, model: Model, batches: list[Batch], theta: np.ndarray | None = None) -> Prediction:
    """What all agents say at the queries, by global id."""
    size = len(batches[0].y)
    transport = SerialTransport(generate("ring", size, seed=0))
    theta = np.tile(start(model), (size, 1)) if theta is None else theta
    state, population, _ = ended(rule, model, batches, theta, transport)
    return rule.predict(state, population, np.argsort(transport.shard.agents), QUERIES, transport)


def block(batches: list[Batch], agent: int) -> tuple[np.ndarray, np.ndarray]:
    """All that an agent has seen, ``x [n, D]`` and ``y [n]``."""
    parts = [rows_of(batch[agent : agent + 1]) for batch in batches]
    return np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts])


def unexplained(oracle: Dense, x: np.ndarray) -> np.ndarray:
    """``Λ = K - Q + σ_η²I`` of one block."""
    place = np.asarray(x, LONG) @ np.asarray(oracle.projection, LONG).T
    exact = LONG(oracle.signal) * kernel(place, place)
    return exact - oracle.nystrom(x, x) + LONG(oracle.noise) * np.eye(len(x), dtype=LONG)


def covariance(oracle: Dense, blocks: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """``Q + blockdiag(K - Q) + σ_η²I`` of all observations."""
    x = np.concatenate([part for part, _ in blocks])
    everyone, at = oracle.nystrom(x, x), 0
    for part, _ in blocks:
        block_rows = slice(at, at := at + len(part))
        everyone[block_rows, block_rows] += unexplained(oracle, part)
    return everyone


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("basis", BASES)
def test_it_is_the_dense_formula(basis, layout):
    model = build_model(basis, layout)
    oracle, blocks = dense(model, start(model)), [block(BATCHES, agent) for agent in range(AGENTS)]
    x, y = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    across = oracle.nystrom(QUERIES, x)
    share = solve(covariance(oracle, blocks), across.T)
    found_ = answers(DPITC(), model, BATCHES)
    for agent in range(AGENTS):
        np.testing.assert_allclose(found_.mean[agent], (share.T @ y).astype(float), rtol=TOLERANCE, atol=TOLERANCE)
        variance = (LONG(oracle.signal) - (across * share.T).sum(-1)).astype(float)
        np.testing.assert_allclose(found_.variance[agent], variance, rtol=TOLERANCE)


@pytest.mark.parametrize("basis", BASES)
def test_the_bound_of_its_sums_is_the_log_evidence(basis):
    model = build_model(basis)
    oracle, blocks = dense(model, start(model)), [block(BATCHES, agent) for agent in range(AGENTS)]
    y, everyone = np.concatenate([part for _, part in blocks]), covariance(oracle, blocks).astype(float)
    evidence = -0.5 * (y @ np.linalg.solve(everyone, y) + np.linalg.slogdet(2 * np.pi * everyone)[1])
    state, population, _ = ended(DPITC(), model, BATCHES, np.tile(start(model), (AGENTS, 1)), SerialTransport(GRAPH))
    lower_bound = bound(model, population.theta, DPITC().fused_evidence(state, population, slice(None)))
    np.testing.assert_allclose(lower_bound, evidence, rtol=1e-8)


def test_agents_with_hyper_parameters_of_their_own_add_up_what_they_say_of_the_function():
    """Agent a says ``y ~ N(κᵀK⁻¹f_u, Λ_a)`` under its own; the reader's prior is its own too."""
    model = build_model()
    theta = start(model) + 0.2 * np.random.default_rng(1).standard_normal((AGENTS, model.layout.size))
    rows, target = [], []
    for agent in range(AGENTS):
        oracle, (x, y) = dense(model, theta[agent]), block(BATCHES, agent)
        root = np.linalg.inv(np.linalg.cholesky(unexplained(oracle, x).astype(float)))
        rows.append(root @ oracle.weights(x).astype(float))
        target.append(root @ y)
    stacked, y = np.concatenate(rows), np.concatenate(target)
    found_ = answers(DPITC(), model, BATCHES, theta)
    for agent in range(AGENTS):
        oracle = dense(model, theta[agent])
        prior = float(oracle.signal) * oracle.inducing_kernel.astype(float)
        across = float(oracle.signal) * oracle.cross(QUERIES).astype(float) @ stacked.T
        share = np.linalg.solve(stacked @ prior @ stacked.T + np.eye(len(y)), across.T)
        np.testing.assert_allclose(found_.mean[agent], share.T @ y, rtol=TOLERANCE, atol=TOLERANCE)
        expected = float(oracle.signal) - (across * share.T).sum(-1)
        np.testing.assert_allclose(found_.variance[agent], expected, rtol=TOLERANCE)


def test_with_one_observation_an_agent_it_is_fitc():
    model, batch = build_model(), draw(8, 1)
    oracle, (x, y) = dense(model, start(model)), rows_of(batch)
    explained, across = oracle.nystrom(x, x), oracle.nystrom(QUERIES, x)
    apart = LONG(oracle.signal) - np.diagonal(explained) + LONG(oracle.noise)
    share = solve(explained + np.diag(apart), across.T)
    found_ = answers(DPITC(), model, [batch])
    np.testing.assert_allclose(found_.mean[0], (share.T @ y).astype(float), rtol=TOLERANCE, atol=TOLERANCE)


def test_with_inducing_inputs_at_the_data_it_is_dtc():
    rng = np.random.default_rng(3)
    x, y = rng.uniform(-2, 2, (4, 3, 2)), rng.standard_normal((4, 3))
    basis = FunctionBasis(x.reshape(-1, 2), np.diag([1.0, 1.3]), 1e-12)
    model = Model(Layout(2), basis, ENCODINGS["transport"]())
    batch = [Batch(x, y, np.ones((4, 3)))]
    one, other = answers(DPITC(), model, batch), answers(Server(), model, batch)
    np.testing.assert_allclose(one.mean, other.mean, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(one.variance, other.variance, rtol=1e-6)


def test_how_rows_are_dealt_to_rounds_does_not_matter():
    model = build_model()
    everyone = Batch(*(np.concatenate([getattr(b, name) for b in BATCHES], axis=1) for name in ("x", "y", "mask")))
    one, other = answers(DPITC(), model, BATCHES), answers(DPITC(), model, [everyone])
    np.testing.assert_allclose(one.mean, other.mean, rtol=1e-10, atol=1e-12)


def test_an_agent_without_rows_says_nothing():
    model = build_model()
    silent = [Batch(b.x, b.y, b.mask * (np.arange(AGENTS) > 0)[:, None]) for b in BATCHES]
    state, population, _ = ended(DPITC(), model, silent, np.tile(start(model), (AGENTS, 1)), SerialTransport(GRAPH))
    rows = DPITC().contributions(population, state.kept)
    place = int(np.flatnonzero(SerialTransport(GRAPH).shard.agents == 0)[0])
    np.testing.assert_allclose(rows[place, :-1], 0.0, atol=1e-12)


def test_random_features_are_refused():
    model = replace(build_model(), basis=FourierBasis(draw_waves(np.eye(2), 10, np.random.default_rng(0))))
    with pytest.raises(ValueError, match=r"random features are a kernel of their own"):
        answers(DPITC(), model, BATCHES)


def test_it_keeps_the_contract_of_rules_with_evidence_and_data():
    assert isinstance(DPITC(), EvidenceRule)
    assert isinstance(DPITC(), SeesData)


@pytest.mark.parametrize("repeat", [False, True])
def test_what_is_lost_on_the_way_to_the_server_is_lost_as_there(repeat):
    """Over lines of the same fate the same agents are heard; where reports are repeated, all of them in the end."""
    model, faults = build_model(), Faults(loss=0.4)
    theta, quiet = (
        np.tile(start(model), (AGENTS, 1)),
        Batch(*(0 * getattr(BATCHES[0], part) for part in ("x", "y", "mask"))),
    )
    stream = [*BATCHES, *[quiet] * 30]

    def over(rule: Server) -> tuple[SumState, Population, Transport]:
        lines = FaultyTransport(SerialTransport(GRAPH), Dynamics(GRAPH, faults, 2), faults, 2)
        return ended(rule, model, stream, theta, lines)

    (state, _, transport), (other, *_) = over(DPITC(repeat=repeat)), over(Server(repeat=repeat))
    np.testing.assert_array_equal(state.inner.answered, other.inner.answered)
    total = transport.allsum(state.inner.reported)
    assert np.allclose(state.inner.answer, total, rtol=1e-8) == repeat
