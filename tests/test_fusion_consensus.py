"""Laws of average consensus."""

import numpy as np
import pytest

from coolgp.fusion.consensus import Consensus
from coolgp.network.generate import generate
from coolgp.network.mixing import metropolis, second_eigenvalue
from coolgp.network.transport import SerialTransport

KINDS = [
    ("ring", 12),
    ("star", 12),
    ("grid", 12),
    ("small-world", 20),
    ("complete", 6),
    ("random-tree", 15),
    ("ring", 1),
]


@pytest.fixture(params=KINDS, ids=str)
def topology(request):
    return generate(*request.param, seed=2)


def contributions(size: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(size, 4)) * [1.0, 1e6, 1e-6, 0.0]


def test_every_round_preserves_the_sum(topology):
    transport, rule = SerialTransport(topology), Consensus()
    values = contributions(topology.size)
    state, total = rule.begin(values, transport), values.sum(0)
    scale = np.abs(values).sum(0)
    for _ in range(30):
        state = rule.round(state, values, transport)
        np.testing.assert_allclose((state.estimate.sum(0) - total) / np.maximum(scale, 1e-300), 0.0, atol=1e-13)


def test_every_round_preserves_the_sum_of_a_stream(topology):
    transport, rule = SerialTransport(topology), Consensus()
    values = contributions(topology.size)
    state = rule.begin(values, transport)
    for seed in range(1, 20):
        values = values + contributions(topology.size, seed)
        state = rule.round(state, values, transport)
        np.testing.assert_allclose(state.estimate.sum(0), values.sum(0), rtol=1e-9, atol=1e-12)


def test_every_round_shrinks_the_disagreement_by_the_second_eigenvalue(topology):
    transport, rule = SerialTransport(topology), Consensus()
    values, gap = contributions(topology.size), second_eigenvalue(metropolis(topology))
    state = rule.begin(values, transport)
    for _ in range(20):
        before = np.linalg.norm(state.estimate - values.mean(0), axis=0)
        state = rule.round(state, values, transport)
        after = np.linalg.norm(state.estimate - values.mean(0), axis=0)
        assert (after <= gap * before + 1e-13 * np.linalg.norm(values, axis=0)).all()


def test_settled_every_agent_is_within_the_tolerance_of_the_sum(topology):
    transport, rule = SerialTransport(topology), Consensus(tolerance=1e-9)
    values = contributions(topology.size)
    state = rule.settle(rule.begin(values, transport), values, transport)
    error = np.abs(rule.sums(state) - values.sum(0)) / topology.size
    assert (error <= 1e-9 * np.linalg.norm(values, axis=0) + 1e-300).all()


def test_settling_again_takes_in_what_is_new(topology):
    transport, rule = SerialTransport(topology), Consensus()
    values = contributions(topology.size)
    state = rule.settle(rule.begin(values, transport), values, transport)
    changed = values + contributions(topology.size, 1)
    state = rule.settle(state, changed, transport)
    scale = np.linalg.norm(changed, axis=0)
    assert (np.abs(rule.sums(state) - changed.sum(0)) <= 1e-11 * topology.size * scale).all()


def test_agents_that_agree_stay(topology):
    transport, rule = SerialTransport(topology), Consensus()
    values = np.full((topology.size, 2), 3.0)
    state = rule.round(rule.begin(values, transport), values, transport)
    np.testing.assert_allclose(state.estimate, values, rtol=1e-14)


def test_a_graph_that_mixes_too_slowly_is_refused():
    transport, rule = SerialTransport(generate("ring", 30, seed=0)), Consensus(most=20)
    values = contributions(30)
    with pytest.raises(ValueError, match=r'not settled to 1e-12 after 20 communication rounds.*fusion.rule = "tree"'):
        rule.settle(rule.begin(values, transport), values, transport)
