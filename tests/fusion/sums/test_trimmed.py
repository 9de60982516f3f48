"""Trimmed averaging, against agents that lie."""

import numpy as np
import pytest

from coolgp.fusion.sums.consensus import Consensus, trimmed_mean
from coolgp.network.graphs.generate import generate
from coolgp.network.links.faults import Faults
from coolgp.network.serial import SerialTransport

from tests.fusion.sums.averaging import KINDS, contributions, faulty


def one_by_one(own: np.ndarray, others: list[np.ndarray], trim: int) -> np.ndarray:
    mean = np.empty_like(own)
    for column, mine in enumerate(own):
        heard = [other[column] for other in others]
        above, below = sorted(x for x in heard if not x <= mine), sorted(x for x in heard if x < mine)
        kept = [x for x in heard if x == mine] + above[: max(len(above) - trim, 0)] + below[trim:]
        mean[column] = np.mean([mine, *kept])
    return mean


@pytest.mark.parametrize("trim", [1, 2])
@pytest.mark.parametrize("kind, size", KINDS)
def test_the_trimmed_mean_is_that_of_each_agent_by_itself(trim, kind, size):
    topology = generate(kind, size, seed=2)
    transport, values = SerialTransport(topology), np.round(contributions(topology.size), 1)
    results, shard = trimmed_mean(values, trim, transport), transport.shard
    for agent in range(topology.size):
        others = [values[head] for head in shard.head[shard.tail == agent]]
        np.testing.assert_allclose(results[agent], one_by_one(values[agent], others, trim), rtol=1e-12, atol=1e-12)


def test_what_is_no_number_is_dropped_as_an_extreme():
    topology = generate("complete", 6, seed=0)
    transport, values = SerialTransport(topology), contributions(6)
    values[2] = np.nan
    assert np.isfinite(np.delete(trimmed_mean(values, 1, transport), 2, axis=0)).all()


@pytest.mark.parametrize("kind, size", [("complete", 7), ("random-regular", 12)])
def test_with_a_liar_among_them_trimmed_agents_stay_in_the_honest_range_and_others_do_not(kind, size):
    options = {"degree": 7} if kind == "random-regular" else {}
    topology, faults = generate(kind, size, seed=1, **options), Faults(byzantine=1)
    values, ended = contributions(size)[:, :3], {}
    for trim in (0, 1):
        transport = faulty(SerialTransport(topology), topology, faults)
        honest = ~transport.dynamics.byzantine[transport.shard.agents]
        rule = Consensus(trim=trim)
        state = rule.begin(values, transport)
        for _ in range(150):
            state = rule.round(state, values, transport)
        ended[trim] = state.estimate[honest]
        assert rule.guarantee(topology, faults).kind == "approximate"
    low, high = values[honest].min(0), values[honest].max(0)
    assert ((low <= ended[1]) & (ended[1] <= high)).all()
    assert (np.ptp(ended[1], axis=0) <= 1e-6 * (high - low)).all()
    assert ((ended[0] < low) | (ended[0] > high)).any()


def test_trimmed_agents_settle_where_nobody_moves_any_more():
    topology = generate("random-regular", 12, seed=1, degree=6)
    transport, rule = SerialTransport(topology), Consensus(trim=1, tolerance=1e-9)
    values = contributions(12)
    state = rule.settle(rule.begin(values, transport), values, transport)
    assert (np.ptp(state.estimate, axis=0) <= 1e-7 * np.linalg.norm(values, axis=0)).all()


def test_trimming_that_does_not_settle_is_refused():
    transport, rule = SerialTransport(generate("ring", 30, seed=0)), Consensus(trim=1, most=2)
    with pytest.raises(ValueError, match=r"trimmed consensus still moved by .* after 2 communication rounds"):
        rule.settle(rule.begin(contributions(30), transport), contributions(30), transport)


def test_increments_that_all_agents_have_come_through_trimming():
    topology = generate("random-regular", 12, seed=1, degree=6)
    transport, rule = SerialTransport(topology), Consensus(trim=2, tolerance=1e-9)
    values = contributions(12)
    state = rule.settle(rule.begin(values, transport), values, transport)
    later = rule.settle(state, values + 5.0, transport)
    np.testing.assert_allclose(later.estimate[:, 0], state.estimate[:, 0] + 5.0, atol=1e-6)
