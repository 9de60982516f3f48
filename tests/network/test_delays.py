"""Laws of late messages: delays, their order, and what narrow links hold back."""

import numpy as np
import pytest

from coolgp.network.graphs.generate import generate
from coolgp.network.links.faults import Faults

from tests.network.channels import channel, listen, numbered, ring


@pytest.mark.parametrize("delay", [0, 1, 3])
def test_a_fixed_delay_is_kept_by_every_message(delay):
    transport = channel(Faults(delay=delay), ring())
    for tick, came in enumerate(listen(transport, 8)):
        assert len(came.edges) == (20 if tick >= delay else 0)
        assert (came.rows[:, 2] == tick - delay).all()


@pytest.mark.parametrize("delay", [0.5, 2.0])
def test_geometric_delays_have_their_mean(delay):
    transport = channel(Faults(delay=delay, delays="geometric"), ring(5000))
    counts = [len(transport.send(numbered(transport, 0)).edges)]
    counts += [len(came.edges) for came in listen(transport, 60, send=False)]
    assert sum(counts) == 10_000
    mean = np.average(np.arange(61), weights=counts)
    assert mean == pytest.approx(delay, abs=5 * np.sqrt(delay * (1 + delay) / 10_000))


@pytest.mark.parametrize(
    "faults",
    [Faults(delay=3, delays="geometric"), Faults(delay=3, delays="geometric", loss=0.3), Faults(delay=2, bandwidth=20)],
)
def test_links_keep_the_order_of_messages(faults):
    transport, heard = channel(faults, ring()), {}
    late = False
    for tick, came in enumerate([*listen(transport, 40), *listen(transport, 40, send=False)]):
        assert (np.diff(came.edges) >= 0).all()
        for edge, sent in zip(came.edges.tolist(), came.rows[:, 2].tolist(), strict=True):
            heard.setdefault(edge, []).append(sent)
            late |= sent < tick
    assert late
    assert all((np.diff(sent) > 0).all() for sent in heard.values())


def test_rows_arrive_on_the_slot_of_the_edge_they_took():
    transport = channel(Faults(loss=0.2, delay=2, delays="geometric"), generate("small-world", 30, seed=0))
    shard = transport.shard
    for came in listen(transport, 10):
        np.testing.assert_array_equal(came.rows[:, 0], shard.head_agent[came.edges])
        np.testing.assert_array_equal(came.rows[:, 1], shard.agents[shard.tail[came.edges]])


@pytest.mark.parametrize("caps", [1, 2, 5])
def test_a_message_of_k_caps_arrives_k_minus_one_ticks_later_and_blocks(caps):
    transport = channel(Faults(bandwidth=32), ring())
    rows = [numbered(transport, tick, width=4 * caps - 3) for tick in range(3 * caps)]
    counts = [len(transport.send(row).edges) for row in rows]
    assert counts == ([0] * (caps - 1) + [20]) * 3
    assert transport.meter.messages == 20 * 3
    assert transport.meter.bytes == 20 * 3 * 32 * caps


def test_rows_on_one_edge_are_one_message_to_the_bandwidth():
    transport = channel(Faults(bandwidth=8), ring())
    edges = np.array([3, 3, 3, 5])
    arrived = [len(transport.send(np.zeros((4, 1)), edges).edges)]
    arrived += [len(transport.send(np.ones((1, 1)), np.array([3])).edges) for _ in range(4)]
    assert arrived == [1, 0, 3, 1, 1]  # what was offered in ticks 1 and 2 was not taken
    assert transport.meter.messages == 4


def test_a_busy_lane_does_not_block_another():
    transport = channel(Faults(bandwidth=8), ring())
    transport.send(np.zeros((20, 5)), tag="long")
    assert len(transport.send(np.zeros((20, 1)), tag="short").edges) == 20
