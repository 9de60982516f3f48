"""Laws of links that are down, one way or lied over, and of agents that are away."""

import numpy as np
import pytest

from coolgp.network.links.faults import Absence, Faults

from tests.network.channels import channel, listen, numbered, ring


def test_nothing_passes_over_edges_that_are_down():
    transport = channel(Faults(away=(Absence(0, 1, 2),)), ring())
    for turn, expected in enumerate([20, 16, 20]):
        transport.advance(turn)
        came = transport.send(numbered(transport, turn))
        assert len(came.edges) == transport.up.sum() == expected
        assert transport.present.sum() == 10 - (turn == 1)


def test_what_is_under_way_on_a_link_that_goes_down_is_lost():
    transport = channel(Faults(delay=2, away=(Absence(0, 1, 2),)), ring())
    transport.send(np.zeros((40, 4)), np.repeat(np.arange(20), 2))
    transport.advance(1)
    assert transport.meter.lost == 4  # two links of two directions, each with one message of two rows
    assert [len(came.edges) for came in listen(transport, 2, send=False)] == [0, 2 * 16]


def test_a_link_that_was_down_starts_afresh():
    transport = channel(Faults(bandwidth=8, away=(Absence(0, 1, 2),)), ring())
    transport.send(np.zeros((200, 1)), np.repeat(np.arange(20), 10))
    transport.advance(1)
    transport.advance(2)
    came = transport.send(np.zeros((20, 1)))  # the others are busy still
    assert len(came.edges) == 4
    assert transport.meter.messages == 20 + 4


def test_what_is_under_way_on_a_one_way_link_stays():
    transport = channel(Faults(delay=2, one_way=1.0, away=(Absence(0, 9, 10),)), ring())
    transport.send(np.zeros((20, 4)))
    transport.advance(1)
    assert [len(came.edges) for came in listen(transport, 2, send=False)] == [0, 19]


def test_one_way_links_carry_one_way():
    transport = channel(Faults(one_way=1.0), ring())
    came = transport.send(numbered(transport, 0))
    assert len(came.edges) == transport.up.sum() == 19
    one_way = transport.dynamics.topology.indices[~transport.dynamics.allowed]
    assert (came.rows[:, 1] == one_way[0]).sum() == 1


def test_only_byzantine_agents_send_garbage_and_it_is_large():
    transport = channel(Faults(byzantine=3), ring(30))
    rows = numbered(transport, 7, width=200)
    given = rows.copy()
    came = transport.send(rows)
    np.testing.assert_array_equal(rows, given)
    sender = transport.shard.head_agent[came.edges]
    true = rows[transport.shard.reverse[came.edges]]
    bad = transport.dynamics.byzantine[sender]
    np.testing.assert_array_equal(came.rows[~bad], true[~bad])
    ratio = np.linalg.norm(came.rows[bad], axis=1) / np.linalg.norm(true[bad], axis=1)
    assert bad.sum() == 6
    assert ((ratio > 7) & (ratio < 13)).all()


@pytest.mark.parametrize("kind", [np.float32, np.int32, np.int64, np.uint8, np.bool_])
def test_garbage_is_of_the_kind_of_what_it_replaces(kind):
    came = channel(Faults(byzantine=10), ring()).send(np.full((20, 3), 7).astype(kind))
    assert came.rows.dtype == kind
    assert (came.rows != np.array(7).astype(kind)).any()


def test_garbage_that_feeds_on_garbage_stays_finite():
    transport, rows = channel(Faults(byzantine=10), ring()), np.ones((20, 2))
    for _ in range(400):
        rows = transport.send(rows).rows
    assert 1e6 < np.abs(rows).max() < 1e14


@pytest.mark.parametrize("burst", [None, 4.0])
def test_lines_to_a_server_fail_at_the_rate_of_the_loss(burst):
    transport = channel(Faults(loss=0.3, burst=burst), ring(1000))
    reached = np.array([transport.reached() for _ in range(200)])
    assert (~reached).mean() == pytest.approx(0.3, abs=10 * np.sqrt(0.3 * (burst or 1) / reached.size))
    if burst:
        assert (~reached[:-1] & reached[1:]).sum() / (~reached[:-1]).sum() == pytest.approx(1 / burst, rel=0.05)


def test_an_agent_that_is_away_is_not_reached():
    transport = channel(Faults(away=(Absence(4, 0, 2),)), ring())
    assert transport.shard.agents[~transport.reached()].tolist() == [4]
    transport.advance(2)
    assert transport.reached().all()
