"""Laws of randomised gossip: agents pair up by themselves, pairs take their mean, and the sum stays."""

from dataclasses import replace
from itertools import cycle

import numpy as np
import pytest

from coolgp.fusion.sums.deviation import deviation
from coolgp.fusion.sums.gossip import Gossip, accepted_calls, meeting_probability
from coolgp.network.graphs.generate import generate
from coolgp.network.links.channel import FaultyTransport
from coolgp.network.links.dynamics import Dynamics
from coolgp.network.links.faults import PERFECT, Faults
from coolgp.network.mixing import weighted
from coolgp.network.row_axes import rows_of, with_rows
from coolgp.network.serial import SerialTransport
from coolgp.network.spectrum import interval

KINDS = [("ring", 10), ("star", 8), ("small-world", 12), ("complete", 6), ("ring", 2)]
LOSSLESS = {
    "nothing": PERFECT,
    "delay": Faults(delay=2),
    "random delay": Faults(delay=1, delays="geometric"),
    "bandwidth": Faults(bandwidth=20),
    "slow and late": Faults(bandwidth=20, delay=2),
    "one-way links": Faults(one_way=0.6),
    "churn": Faults(churn=0.1, absence=2),
}
ROUND = 10  # communication rounds in a round of learning


@pytest.fixture(params=KINDS, ids=str)
def topology(request):
    return generate(*request.param, seed=2)


def contributions(size: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(size, 3)) * [1.0, 1e6, 0.0] + [0.5, 0.0, 0.0]


def faulty(topology, faults: Faults) -> FaultyTransport:
    return FaultyTransport(SerialTransport(topology), Dynamics(topology, faults, seed=3), faults, seed=3)


def after(rounds: int, rule: Gossip, values, transport):
    state = rule.begin(values, transport)
    for turn in range(rounds):
        transport.advance(turn // ROUND)
        state = rule.round(state, values, transport)
    return state


def off(rule, state, values, transport) -> float:
    scale = np.sqrt(transport.allsum(np.square(values)))
    return deviation(rule.sums(state), transport.allsum(values), scale, transport)


def test_in_a_round_neighbours_pair_up_and_both_take_their_mean(topology):
    transport, rule, values = SerialTransport(topology), Gossip(), contributions(topology.size)
    edges = list(zip(transport.shard.tail.tolist(), transport.shard.head.tolist(), strict=True))
    for turn in range(10):
        start = replace(rule.begin(values, transport), turn=np.full(topology.size, turn))
        after = rule.round(start, values, transport).estimate
        moved = np.flatnonzero((after != values).any(1)).tolist()
        pairs = [edge for edge in edges if np.allclose(after[list(edge)], values[list(edge)].mean(0), rtol=1e-12)]
        assert sorted(agent for agent, _ in pairs) == moved


def test_every_round_preserves_the_sum_of_a_stream(topology):
    transport, rule, values = SerialTransport(topology), Gossip(), contributions(topology.size)
    state = rule.begin(values, transport)
    for seed in range(1, 30):
        values = values + contributions(topology.size, seed)
        state = rule.round(state, values, transport)
        np.testing.assert_allclose(state.estimate.sum(0), values.sum(0), rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("kind, faults", [*zip(cycle(["ring", "complete"]), LOSSLESS.values())], ids=[*LOSSLESS])
def test_where_nothing_is_lost_every_agent_ends_with_the_sum_as_promised(kind, faults):
    topology = generate(kind, 5, seed=2)
    transport, values, rule = faulty(topology, faults), contributions(5), Gossip().fit(topology, faults)
    assert rule.guarantee(topology, faults).kind == "asymptotic"
    assert off(rule, after(1000, rule, values, transport), values, transport) < 1e-4


def test_late_messages_never_take_agents_beyond_what_they_contributed():
    topology, faults = generate("ring", 10, seed=0), Faults(delay=5)
    transport, values, rule = faulty(topology, faults), contributions(10), Gossip().fit(topology, faults)
    state = rule.begin(values, transport)
    for _ in range(500):
        state = rule.round(state, values, transport)
        assert np.ptp(rule.sums(state), axis=0)[0] <= 10 * np.abs(values).sum(0)[0]


@pytest.mark.parametrize(
    "faults",
    [Faults(loss=0.2), Faults(bandwidth=8, churn=0.1), Faults(delay=1, churn=0.1), Faults(byzantine=1)],
    ids=str,
)
def test_where_a_hand_over_can_be_lost_it_promises_an_approximation(faults):
    assert Gossip().guarantee(generate("ring", 5, seed=0), faults).kind == "approximate"


def test_agents_agree_on_something_near_where_messages_are_lost():
    topology, rule = generate("small-world", 10, seed=2), Gossip()
    transport, values = faulty(topology, Faults(loss=0.2)), contributions(10)
    estimate = after(300, rule, values, transport).estimate
    assert (np.ptp(estimate, axis=0) <= 1e-3 * np.ptp(values, axis=0)).all()
    assert (np.abs(estimate[0] - values.mean(0)) <= 0.5 * np.ptp(values, axis=0)).all()
    assert np.abs(estimate[0, 0] - values[:, 0].mean()) > 1e-2


def test_settled_every_agent_is_within_the_tolerance_of_the_sum(topology):
    transport, rule, values = SerialTransport(topology), Gossip(tolerance=1e-6), contributions(topology.size)
    state = rule.settle(rule.begin(values, transport), values, transport)
    assert off(rule, state, values, transport) <= 1e-6


def test_pairs_meet_as_often_as_predicted(topology):
    transport, rule, rounds = SerialTransport(topology), Gossip(), 400
    meet, slot, tail = meeting_probability(topology), transport.shard.slot, transport.shard.tail
    met, everyone = np.zeros(len(tail)), np.ones(topology.size, dtype=bool)
    for turn in range(rounds):
        met[accepted_calls(rule._draws(turn, transport), everyone, transport)] += 1
    met += met[transport.shard.reverse]
    spread = np.sqrt(rounds * meet * (1 - meet))
    assert (np.abs(met - rounds * meet[slot]) <= 5 * spread[slot]).all()


def test_the_mean_square_of_the_disagreement_shrinks_as_predicted(topology):
    transport, values, rounds, draws = SerialTransport(topology), contributions(topology.size)[:, :1], 5, 60
    rate = interval(weighted(topology, meeting_probability(topology) / 2))[1]
    first = np.square(values - values.mean()).sum()
    squares = [
        np.square(after(rounds, Gossip(seed=seed), values, transport).estimate - values.mean()).sum() / first
        for seed in range(draws)
    ]
    assert np.mean(squares) <= rate**rounds + 4 * np.std(squares) / np.sqrt(draws)


@pytest.mark.parametrize("size", [8, 12])
def test_on_a_ring_it_takes_between_half_of_the_predicted_rounds_and_all(size):
    topology = generate("ring", size, seed=0)
    transport, rule = SerialTransport(topology), Gossip(tolerance=1e-6)
    values = np.cos(2 * np.pi * transport.shard.agents / size)[:, None]
    rule.settle(rule.begin(values, transport), values, transport)
    assert 0.4 <= transport.meter.rounds / rule.guarantee(topology, PERFECT).rounds <= 1.0


def test_it_sends_as_many_messages_as_predicted(topology):
    transport, rule = SerialTransport(topology), Gossip()
    after(200, rule, contributions(topology.size), transport)
    assert transport.meter.messages / 200 == pytest.approx(rule.guarantee(topology, PERFECT).messages, rel=0.1)


def test_another_seed_makes_other_pairs():
    transport, values = SerialTransport(generate("complete", 10, seed=0)), contributions(10)
    assert (
        after(1, Gossip(seed=0), values, transport).estimate != after(1, Gossip(seed=1), values, transport).estimate
    ).any()


def test_a_stored_state_goes_on_with_the_same_coins():
    transport, rule, values = SerialTransport(generate("grid", 12, seed=0)), Gossip(), contributions(12)
    state = after(7, rule, values, transport)
    stored = {name: rows.copy() for name, (_, rows) in rows_of(state).items()}
    again = with_rows(rule.begin(values, transport), stored)
    assert (rule.round(again, values, transport).estimate == rule.round(state, values, transport).estimate).all()


def test_an_agent_by_itself_keeps_what_it_has():
    alone = SerialTransport(generate("ring", 1, seed=0))
    assert (after(3, Gossip(), contributions(1), alone).estimate == contributions(1)).all()
