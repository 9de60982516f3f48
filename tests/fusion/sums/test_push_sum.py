"""Laws of push-sum: no mass is ever lost, so the sum is reached over links that lose, delay and go one way."""

import numpy as np
import pytest

from coolgp.fusion.sums.consensus import Consensus
from coolgp.fusion.sums.deviation import deviation
from coolgp.fusion.sums.push_sum import PushSum, push_sum_eigenvalue
from coolgp.network.graphs.generate import generate
from coolgp.network.links.channel import FaultyTransport
from coolgp.network.links.dynamics import Dynamics
from coolgp.network.links.faults import PERFECT, Faults
from coolgp.network.serial import SerialTransport

KINDS = [("ring", 8), ("star", 8), ("small-world", 12), ("random-tree", 7), ("ring", 1)]
FAULTS = {
    "nothing": PERFECT,
    "loss": Faults(loss=0.3),
    "bursts": Faults(loss=0.3, burst=5),
    "delay": Faults(delay=2),
    "random delay": Faults(delay=2, delays="geometric"),
    "bandwidth": Faults(bandwidth=20),
    "one-way links": Faults(one_way=0.6),
    "churn": Faults(churn=0.1, absence=2),
    "all at once": Faults(loss=0.2, delay=1, one_way=0.5, churn=0.05),
}
ROUND = 10  # communication rounds in a round of learning


@pytest.fixture(params=KINDS, ids=str)
def topology(request):
    return generate(*request.param, seed=2)


@pytest.fixture(params=FAULTS.values(), ids=FAULTS)
def faults(request):
    return request.param


def contributions(size: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(size, 4)) * [1.0, 1e6, 1e-6, 0.0] + [0.5, 0.0, 0.0, 0.0]


def faulty(topology, faults: Faults) -> FaultyTransport:
    return FaultyTransport(SerialTransport(topology), Dynamics(topology, faults, seed=3), faults, seed=3)


def off(rule, state, values, transport) -> float:
    scale = np.sqrt(transport.allsum(np.square(values)))
    return deviation(rule.sums(state), transport.allsum(values), scale, transport)


def rounds_until(tolerance: float, rule, values, transport, most: int) -> int:
    state = rule.begin(values, transport)
    for turn in range(1, most + 1):
        if turn % ROUND == 0:
            transport.advance(turn // ROUND)
        state = rule.round(state, values, transport)
        if off(rule, state, values, transport) <= tolerance:
            return turn
    raise AssertionError(f"off by {off(rule, state, values, transport):.2g} after {most} rounds")


def test_agents_and_links_hold_all_mass_in_every_round_of_a_stream(topology, faults):
    transport, rule, values = faulty(topology, faults), PushSum(), contributions(topology.size)
    state, scale = rule.begin(values, transport), np.abs(values).sum(0)
    for turn in range(1, 40):
        if turn % ROUND == 0:
            transport.advance(turn // ROUND)
            values = values + contributions(topology.size, turn)
            scale = scale + np.abs(contributions(topology.size, turn)).sum(0)
        state = rule.round(state, values, transport)
        under_way = state.pushed - state.received[transport.shard.reverse]
        total = state.mass.sum(0) + under_way.sum(0)
        assert (np.abs(total[:-1] - values.sum(0)) <= 1e-12 * scale).all()
        assert total[-1] == pytest.approx(topology.size, rel=1e-12)


def test_every_agent_ends_with_the_sum_whatever_fails(topology, faults):
    assert rounds_until(1e-6, PushSum(), contributions(topology.size), faulty(topology, faults), 4000) >= 1


@pytest.mark.parametrize("kind", ["grid", "small-world"])
def test_losing_three_messages_in_ten_costs_less_than_three_times_the_rounds(kind):
    topology = generate(kind, 25, seed=2)
    values, loss = contributions(25), Faults(loss=0.3)
    few = rounds_until(1e-6, PushSum(), values, faulty(topology, PERFECT), 4000)
    assert few <= rounds_until(1e-6, PushSum(), values, faulty(topology, loss), 4000) <= 3 * few


def test_settled_every_agent_is_within_the_tolerance_of_the_sum(topology):
    transport, rule, values = SerialTransport(topology), PushSum(tolerance=1e-9), contributions(topology.size)
    state = rule.settle(rule.begin(values, transport), values, transport)
    assert off(rule, state, values, transport) <= 1e-9


def test_over_links_that_may_fail_but_do_not_it_goes_as_over_perfect_ones(topology):
    values, rule, ended = contributions(topology.size), PushSum(), []
    for transport in (SerialTransport(topology), faulty(topology, PERFECT)):
        state = rule.begin(values, transport)
        for _ in range(20):
            state = rule.round(state, values, transport)
        ended.append(state.mass)
    np.testing.assert_allclose(ended[1], ended[0], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("size", [10, 20])
def test_it_takes_the_predicted_rounds_on_a_ring(size):
    topology = generate("ring", size, seed=0)
    transport, rule = SerialTransport(topology), PushSum(tolerance=1e-9)
    values = np.cos(2 * np.pi * transport.shard.agents / size)[:, None]  # the slowest to fade
    rounds = rounds_until(1e-9, rule, values, transport, 2000)
    assert rounds == pytest.approx(rule.guarantee(topology, PERFECT).rounds, rel=0.2)


def test_its_eigenvalue_is_the_second_of_the_shares(topology):
    shares = (topology.matrix().toarray() + np.eye(topology.size)) / (1.0 + topology.degree)
    values = np.sort(np.abs(np.linalg.eigvals(shares)))
    expected = values[-2] if topology.size > 1 else 0.0
    assert push_sum_eigenvalue(topology) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("fault", ["loss", "one-way links", "all at once"])
def test_where_consensus_drifts_it_does_not(fault):
    topology, values = generate("small-world", 20, seed=2), contributions(20)
    transport, rule = faulty(topology, FAULTS[fault]), Consensus()
    state = rule.begin(values, transport)
    for _ in range(400):
        state = rule.round(state, values, transport)
    assert off(rule, state, values, transport) > 1e-3
    assert rounds_until(1e-6, PushSum(), values, faulty(topology, FAULTS[fault]), 4000) >= 1


def test_it_promises_the_sum_in_the_limit_unless_agents_lie(faults):
    topology = generate("small-world", 20, seed=2)
    assert PushSum().guarantee(topology, faults).kind == "asymptotic"
    assert PushSum().guarantee(topology, Faults(byzantine=1)).kind == "approximate"


def test_a_long_silence_leaves_every_agent_a_weight_that_can_be_divided_by():
    topology = generate("star", 50, seed=0)
    transport, rule, values = faulty(topology, Faults(delay=100)), PushSum(), contributions(50)
    state = rule.begin(values, transport)
    for _ in range(350):
        state = rule.round(state, values, transport)
        assert (state.mass[:, -1] > 1e-6).all()
        assert np.isfinite(rule.sums(state)).all()
