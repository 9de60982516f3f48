"""Laws of a server that agents report to over lines that fail."""

import numpy as np
import pytest

from coolgp.fusion.sums.server import Server
from coolgp.network.graphs.generate import generate
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.channel import FaultyTransport
from coolgp.network.links.dynamics import Dynamics
from coolgp.network.links.faults import PERFECT, Absence, Faults
from coolgp.network.serial import SerialTransport
from coolgp.network.transport import Transport

AGENTS = 20
GRAPH = generate("small-world", AGENTS, seed=1)
LOSSY = Faults(loss=0.3)


def over(faults: Faults, graph: Topology = GRAPH, seed: int = 0) -> Transport:
    return FaultyTransport(SerialTransport(graph), Dynamics(graph, faults, seed), faults, seed)


def stream(turn: int) -> np.ndarray:
    """What agents contribute in a round: sums that grow."""
    return np.random.default_rng(0).normal(size=(turn + 1, AGENTS, 4)).sum(0)


@pytest.mark.parametrize("repeat", [False, True])
@pytest.mark.parametrize("transport", [SerialTransport(GRAPH), over(PERFECT)], ids=["plain", "channel"])
def test_where_nothing_is_lost_every_agent_has_the_sum_to_the_bit(transport, repeat):
    rule = Server(repeat=repeat)
    state = rule.begin(stream(0), transport)
    for turn in range(5):
        state = rule.round(state, stream(turn), transport)
        expected = np.tile(transport.allsum(stream(turn)), (AGENTS, 1))
        np.testing.assert_array_equal(rule.sums(state), expected)


def test_a_report_that_is_lost_is_lost_for_good():
    transport, rule = over(LOSSY), Server()
    values = np.eye(AGENTS)[transport.shard.agents]
    state = rule.begin(values, transport)
    for _ in range(50):
        state = rule.round(state, values, transport)
    lost = ~over(LOSSY).reached("report")
    assert 0 < lost.sum() < AGENTS
    expected = values[~lost].sum(0)
    np.testing.assert_array_equal(rule.sums(state), np.tile(expected, (AGENTS, 1)))


def test_what_is_new_after_a_lost_report_is_reported_by_itself():
    transport, rule, lines = over(LOSSY), Server(), over(LOSSY)
    state, server = rule.begin(np.zeros((AGENTS, 1)), transport), np.zeros(AGENTS)
    for turn in range(1, 8):
        state = rule.round(state, np.full((AGENTS, 1), float(turn)), transport)
        server += lines.reached("report")
    np.testing.assert_array_equal(state.heard[:, 0], server)


def test_repeated_until_all_has_arrived_everyone_has_the_sum_to_the_bit():
    transport, rule = over(LOSSY), Server(repeat=True)
    state = rule.begin(stream(0), transport)
    for turn in range(5):
        state = rule.round(state, stream(turn), transport)
    assert (rule.sums(state) != transport.allsum(stream(4))).any()
    for _ in range(60):
        state = rule.round(state, stream(4), transport)
    np.testing.assert_array_equal(rule.sums(state), np.tile(transport.allsum(stream(4)), (AGENTS, 1)))


def test_an_agent_without_an_answer_goes_by_what_it_has_itself():
    transport, rule = over(Faults(loss=1.0)), Server()
    state = rule.begin(stream(0), transport)
    for turn in range(3):
        state = rule.round(state, stream(turn), transport)
        np.testing.assert_array_equal(rule.sums(state), stream(turn))


@pytest.mark.parametrize("repeat", [False, True])
def test_an_agent_that_is_away_keeps_its_answer_and_reports_when_it_is_back(repeat):
    transport, rule = over(Faults(away=(Absence(3, 1, 3),))), Server(repeat=repeat)
    gone = transport.shard.agents == 3
    state, told = rule.begin(stream(0), transport), []
    for turn in range(4):
        transport.advance(turn)
        state = rule.round(state, stream(turn), transport)
        told.append(rule.sums(state))
    total = [stream(turn).sum(0) for turn in range(4)]
    np.testing.assert_allclose(told[2][gone], total[0][None], rtol=1e-12)
    np.testing.assert_allclose(
        told[2][~gone], np.tile(total[2] - (stream(2) - stream(0))[gone][0], (AGENTS - 1, 1)), rtol=1e-11
    )
    np.testing.assert_allclose(told[3], np.tile(total[3], (AGENTS, 1)), rtol=1e-12)


@pytest.mark.parametrize(
    "faults, repeat, rounds", [(None, False, 1), (None, True, 1), (LOSSY, False, 1), (LOSSY, True, None)]
)
def test_settling_takes_one_round_unless_reports_are_repeated(faults, repeat, rounds):
    transport = SerialTransport(GRAPH) if faults is None else over(faults)
    rule = Server(repeat=repeat)
    state = rule.settle(rule.begin(stream(0), transport), stream(0), transport)
    if rounds is None:
        np.testing.assert_allclose(rule.sums(state), np.tile(stream(0).sum(0), (AGENTS, 1)), rtol=1e-9)
        assert transport.meter.rounds > 1
    else:
        assert transport.meter.rounds == rounds


def test_two_messages_an_agent_that_is_there_and_the_lost_ones_are_counted():
    faults = Faults(loss=0.3, away=(Absence(3, 0, 1),))
    transport, lines = over(faults), over(faults)
    state = Server().begin(stream(0), transport)
    Server().round(state, stream(0), transport)
    meter, arrived = transport.meter, lines.reached("report").sum() + lines.reached("answer").sum()
    assert (meter.messages, meter.bytes) == (2 * (AGENTS - 1), 2 * (AGENTS - 1) * 4 * 8)
    assert meter.near_bytes + meter.far_bytes == meter.bytes
    assert meter.lost == 2 * (AGENTS - 1) - arrived > 0


@pytest.mark.parametrize(
    "faults, repeat, kind",
    [
        (PERFECT, False, "exact"),
        (LOSSY, False, "approximate"),
        (LOSSY, True, "exact"),
        (Faults(churn=0.1), True, "approximate"),
    ],
)
def test_it_promises_no_more_than_it_keeps(faults, repeat, kind):
    guarantee = Server(repeat=repeat).guarantee(GRAPH, faults)
    assert (guarantee.kind, guarantee.messages) == (kind, 2 * AGENTS)
    assert ("lost for good" in guarantee.why) == (faults is LOSSY and not repeat)
