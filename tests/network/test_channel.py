"""Laws of the channel in any trouble: what it delivers, counts, stores and refuses."""

import numpy as np
import pytest

from coolgp.network.graphs.generate import generate
from coolgp.network.graphs.schedule import scheduled
from coolgp.network.graphs.topology import from_edges
from coolgp.network.links.channel import FaultyTransport
from coolgp.network.links.dynamics import Dynamics
from coolgp.network.links.faults import PERFECT, Absence, Faults
from coolgp.network.serial import SerialTransport

from tests.network.channels import (
    NOTHING,
    ROUNDS,
    TROUBLES,
    channel,
    check_same,
    every_trouble,
    in_trouble,
    listen,
    numbered,
    ring,
    rounds,
    same,
    serial,
    unmetered,
)


@every_trouble
def test_the_same_seed_gives_the_same_deliveries(name):
    check_same(rounds(in_trouble(name)), serial(name))


@pytest.mark.parametrize("name", sorted(set(TROUBLES) - {"perfect", "narrow"}))
def test_another_seed_gives_other_deliveries(name):
    other = rounds(in_trouble(name, seed=4))
    assert any(not np.array_equal(other[key], value) for key, value in serial(name).items())


@every_trouble
def test_bytes_are_counted_once_as_they_move(name):
    for turn in range(ROUNDS):
        assert serial(name)[f"{turn} meter"][1] == serial(name)[f"{turn} meter"][3] > 0


@every_trouble
def test_every_message_arrives_or_is_lost_or_is_under_way(name):
    transport, arrived = in_trouble(name), 0
    for turn in range(ROUNDS):
        transport.advance(turn)
        arrived += len(transport.send(numbered(transport, turn)).edges)
        _, columns = transport.state().queues.get("values", (None, {"due": NOTHING}))
        assert arrived + transport.meter.lost + len(columns["due"]) == transport.meter.messages


@every_trouble
@pytest.mark.parametrize("stop", [1, 3])
def test_a_restored_channel_goes_on_as_if_nothing_had_happened(name, stop):
    before, after = in_trouble(name), in_trouble(name)
    rounds(before, 0, stop)
    state = before.state()
    expected = rounds(before, stop)  # a state must not change when the channel that gave it goes on
    after.restore(state)
    check_same(unmetered(rounds(after, stop)), unmetered(expected))


def test_a_channel_without_faults_delivers_what_the_transport_does():
    graph = generate("small-world", 40, seed=4)
    mended, plain = channel(PERFECT, graph), SerialTransport(graph)
    assert not mended.faultless
    for tick in range(3):
        assert same(mended.send(numbered(mended, tick)), plain.send(numbered(plain, tick)))
    assert mended.meter == plain.meter


@pytest.mark.parametrize("faults", [Faults(loss=0.5, delay=1), Faults(loss=1.0), Faults(bandwidth=3)], ids=repr)
def test_one_agent_alone_hears_nothing(faults):
    transport = channel(faults, ring(1))
    assert [len(came.edges) for came in listen(transport, 3)] == [0, 0, 0]
    assert transport.meter.messages == transport.meter.lost == 0


@pytest.mark.parametrize(
    "faults", [Faults(loss=1.0), Faults(away=tuple(Absence(i, 0, 9) for i in range(10)))], ids=repr
)
def test_where_nothing_is_up_nothing_arrives(faults):
    transport = channel(faults, ring())
    assert [len(came.edges) for came in listen(transport, 3)] == [0, 0, 0]
    assert not transport.reached().any()


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: channel(PERFECT, ring()).send(np.zeros((3, 1))), "send needs 20 rows"),
        (lambda: channel(PERFECT, ring()).send(np.zeros((2, 1)), np.array([3, 2])), "ascending"),
        (lambda: FaultyTransport(SerialTransport(ring(9)), Dynamics(ring(), PERFECT, 0), PERFECT, 0), "of 10 agents"),
        (lambda: channel(PERFECT, from_edges([0], [1], 3), part=from_edges([0], [2], 3)), "such as [02] to [02]"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_rows_of_another_shape_need_another_lane_while_some_are_under_way():
    transport = channel(Faults(delay=2), ring())
    transport.send(np.zeros((20, 3)))
    with pytest.raises(ValueError, match=r"Rows of shape \[3\] of float64 are still under way; .* a tag of their own"):
        transport.send(np.zeros((20, 4)))


def test_a_schedule_given_round_by_round_decides_what_is_up():
    topology, schedule = scheduled([0, 1], [np.array([[0, 1]]), np.array([[1, 2]])], 3)
    transport = channel(Faults(moving=True), topology, schedule=schedule)
    heard = []
    for turn in range(2):
        transport.advance(turn)
        heard.append(sorted(transport.send(numbered(transport, turn)).rows[:, :2].tolist()))
    assert heard == [[[0, 1], [1, 0]], [[1, 2], [2, 1]]]


def test_names_under_which_checkpoints_store_a_channel_stay():
    transport = channel(Faults(loss=0.3, delay=1), ring())
    transport.send(numbered(transport, 0))
    transport.reached("report")
    state = transport.state()
    assert set(state.numbers) == {"round", "lane values", "line report"}
    assert set(state.edges) == {"bad values", "busy values", "last values"}
    assert set(state.agents) == {"bad report"}
    assert set(state.queues["values"][1]) == {"due", "sent", "rows"}
