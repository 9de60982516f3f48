"""Laws of the channel: what is lost, late, spoilt or held back, and that the number of ranks changes no bit of it.

Run as a program on several ranks, this file saves what the channel delivers there into the folder that it is given.
"""

import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from coolgp.network.delivery import Delivery
from coolgp.network.graphs.connectivity import spanning_tree
from coolgp.network.graphs.generate import generate
from coolgp.network.graphs.schedule import Schedule, scheduled
from coolgp.network.graphs.topology import Topology, from_edges
from coolgp.network.links.channel import ChannelState, FaultyTransport
from coolgp.network.links.dynamics import Dynamics
from coolgp.network.links.faults import PERFECT, Absence, Faults
from coolgp.network.links.motion import moving
from coolgp.network.partition import partition
from coolgp.network.serial import SerialTransport
from coolgp.network.transport import Transport

NOTHING = np.arange(0)
ROUNDS, HALFWAY = 4, 2


def channel(
    faults: Faults, topology: Topology, seed: int = 0, schedule: Schedule | None = None, part: Topology | None = None
) -> FaultyTransport:
    return FaultyTransport(SerialTransport(part or topology), Dynamics(topology, faults, seed, schedule), faults, seed)


def ring(size: int = 10) -> Topology:
    return generate("ring", size, seed=0)


def numbered(transport: Transport, tick: int, width: int = 1) -> np.ndarray:
    """Rows [E,width+3] that say which edge they left, and when."""
    shard = transport.shard
    tail, head = shard.agents[shard.tail], shard.head_agent
    extra = np.sin(np.outer(tail + 2 * head + tick, np.arange(1, width + 1)))
    return np.column_stack([tail, head, np.full(len(tail), tick), extra])


def listen(transport: Transport, ticks: int, send: bool = True) -> Iterator[Delivery]:
    """What arrives in so many ticks in which every edge is offered a row, or none."""
    for tick in range(ticks):
        if send:
            yield transport.send(numbered(transport, tick))
        else:
            yield transport.send(np.empty((0, 4)), NOTHING)


def same(one: Delivery, other: Delivery) -> bool:
    return np.array_equal(one.edges, other.edges) and np.array_equal(one.rows, other.rows)


# Losses


def lost_ticks(faults: Faults, edges: int, ticks: int) -> np.ndarray:
    """[ticks, edges] whether each row was lost."""
    transport = channel(faults, ring(edges // 2))
    arrived = np.zeros((ticks, edges), dtype=bool)
    for tick, came in enumerate(listen(transport, ticks)):
        arrived[tick, came.edges] = True
    assert transport.meter.lost == (~arrived).sum()
    return ~arrived


@pytest.mark.parametrize("loss", [0.0, 0.1, 0.5])
def test_the_share_of_lost_messages_is_the_loss(loss):
    lost = lost_ticks(Faults(loss=loss), 400, 200)
    assert lost.mean() == pytest.approx(loss, abs=5 * np.sqrt(loss / lost.size))


def test_losses_without_bursts_are_independent_over_time_and_over_links():
    lost = lost_ticks(Faults(loss=0.3), 400, 200)
    twice = 5 * np.sqrt(0.09 / lost.size)
    assert (lost[1:] & lost[:-1]).mean() == pytest.approx(0.09, abs=twice)
    assert (lost[:, 1:] & lost[:, :-1]).mean() == pytest.approx(0.09, abs=twice)


@pytest.mark.parametrize("loss, burst", [(0.1, 5.0), (0.4, 3.0), (0.5, 1.0)])
def test_bursts_have_their_mean_length_and_share(loss, burst):
    lost = lost_ticks(Faults(loss=loss, burst=burst), 1000, 400)
    ends = (lost[:-1] & ~lost[1:]).sum()
    # Neighbouring ticks are not independent: a burst counts as one draw.
    assert lost.mean() == pytest.approx(loss, abs=10 * np.sqrt(loss * burst / lost.size))
    assert ends / lost[:-1].sum() == pytest.approx(1 / burst, abs=5 / np.sqrt(lost.sum()))


def test_bursts_are_stationary_from_the_first_tick_on():
    lost = lost_ticks(Faults(loss=0.3, burst=10), 20_000, 2)
    np.testing.assert_allclose(lost.mean(axis=1), 0.3, atol=5 * np.sqrt(0.21 / 20_000))


def test_all_rows_on_an_edge_share_its_fate():
    transport = channel(Faults(loss=0.5), ring(50))
    edges = np.repeat(np.arange(100), 3)
    came = transport.send(np.arange(300.0)[:, None], edges)
    assert set(np.bincount(came.edges, minlength=100)) == {0, 3}
    assert transport.meter.lost == 100 - len(np.unique(came.edges))


def test_what_happens_on_a_link_does_not_depend_on_what_others_send():
    alone, together = (channel(Faults(loss=0.5, delay=1, delays="geometric"), ring(50)) for _ in range(2))
    some = np.arange(0, 100, 7)
    for tick in range(10):
        rows = numbered(alone, tick)
        few, many = alone.send(rows[some], some), together.send(rows)
        picked = np.isin(many.rows[:, 0] * 50 + many.rows[:, 1], rows[some, 0] * 50 + rows[some, 1])
        assert same(few, Delivery(many.edges[picked], many.rows[picked]))


def test_a_part_of_the_graph_has_the_fates_of_the_whole():
    graph, faults = generate("small-world", 30, seed=2), Faults(loss=0.4, one_way=0.5)
    whole, part = channel(faults, graph), channel(faults, graph, part=spanning_tree(graph))
    for tick in range(5):
        came, few = whole.send(numbered(whole, tick)), part.send(numbered(part, tick))
        pairs, inside = came.rows[:, 0] * 30 + came.rows[:, 1], part.shard
        known = np.isin(pairs, inside.agents[inside.tail] * 30 + inside.head_agent)
        order = [np.lexsort(rows[:, 1::-1].T) for rows in (came.rows[known], few.rows)]
        np.testing.assert_array_equal(came.rows[known][order[0]], few.rows[order[1]])


@pytest.mark.parametrize("faults", [Faults(loss=0.5), Faults(delay=1, delays="geometric")], ids=["loss", "delay"])
def test_other_lanes_have_fates_of_their_own(faults):
    transport = channel(faults, ring(200))
    one, other = (transport.send(numbered(transport, 0), tag=tag) for tag in ("values", "have"))
    assert not np.array_equal(one.edges, other.edges)


# Delays and bandwidth


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


# Agents and links that come and go


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


# Garbage


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


# Lines to a server


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


# The whole


TROUBLES = {
    "loss": Faults(loss=0.3),
    "bursts": Faults(loss=0.3, burst=3),
    "late": Faults(loss=0.1, delay=1.5, delays="geometric"),
    "narrow": Faults(delay=1, bandwidth=20),
    "coming and going": Faults(churn=0.2, absence=2, one_way=0.5),
    "byzantine": Faults(byzantine=4),
    "moving": Faults(moving=True, delay=2, loss=0.2),
    "all": Faults(loss=0.2, burst=2, delay=1, delays="geometric", bandwidth=24, churn=0.1, one_way=0.3, byzantine=2),
    "perfect": PERFECT,
}
every_trouble = pytest.mark.parametrize("name", TROUBLES)


@cache
def surroundings(name: str) -> tuple[Topology, Schedule | None]:
    if not TROUBLES[name].moving:
        return generate("small-world", 40, seed=4), None
    return moving(np.random.default_rng(0).random((40, 2)), 0.3, 0.1, ROUNDS, seed=0)


def in_trouble(name: str, seed: int = 3) -> FaultyTransport:
    topology, schedule = surroundings(name)
    return channel(TROUBLES[name], topology, seed, schedule)


def one_round(transport: Transport, turn: int) -> dict[str, np.ndarray | None]:
    """Everything that a round delivers, gathered by global ids."""
    transport.advance(turn)
    shard, delivered = transport.shard, {}
    edges = np.repeat(np.arange(len(shard.tail)), (shard.slot + turn) % 3)
    rows = numbered(transport, turn)
    for step, (lane, came) in enumerate(
        (
            ("values", transport.send(rows)),
            ("values", transport.send(rows + 1)),
            ("many", transport.send(rows[edges].astype(np.int32), edges, "many")),
            ("none", transport.send(rows[:0], NOTHING, "none")),
            ("empty", transport.send(rows[:, :0], tag="empty")),
        )
    ):
        delivered[f"{turn} {step} {lane}"] = transport.gather_rows(came.rows, shard.slot[came.edges])
        delivered[f"{turn} {step} {lane} slots"] = transport.gather_rows(shard.slot[came.edges], shard.slot[came.edges])
    return delivered | {
        f"{turn} up": transport.gather_rows(transport.up, shard.slot),
        f"{turn} present": transport.gather(transport.present),
        f"{turn} reached": transport.gather(transport.reached()),
        f"{turn} meter": metered(transport),
    }


def metered(transport: Transport) -> np.ndarray:
    meter = transport.meter
    moved = meter.near_bytes + meter.far_bytes
    return transport.total(np.array([meter.messages, meter.bytes, meter.lost, moved]))


def rounds(transport: Transport, start: int = 0, stop: int = ROUNDS) -> dict[str, np.ndarray | None]:
    return {name: value for turn in range(start, stop) for name, value in one_round(transport, turn).items()}


@cache
def serial(name: str) -> dict[str, np.ndarray | None]:
    return rounds(in_trouble(name))


def unmetered(delivered: dict[str, np.ndarray | None]) -> dict[str, np.ndarray | None]:
    """All but the totals of the meter, which is not the channel's to store."""
    return {name: value for name, value in delivered.items() if "meter" not in name}


def check_same(delivered: dict[str, np.ndarray | None], expected: dict[str, np.ndarray | None]) -> None:
    assert set(delivered) == set(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(delivered[name], value, err_msg=name, strict=True)


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


# Several ranks

CASES = [
    ("bursts", "contiguous"),
    ("late", "metis"),
    ("narrow", "contiguous"),
    ("coming and going", "metis"),
    ("byzantine", "contiguous"),
    ("moving", "metis"),
    ("all", "contiguous"),
    ("all", "metis"),
]


def gathered(transport: FaultyTransport) -> dict[str, np.ndarray | None]:
    """The channel's state by global edge and agent."""
    state, slot = transport.state(), transport.shard.slot
    delivered = {f"edges/{name}": transport.gather_rows(rows, slot) for name, rows in state.edges.items()}
    delivered |= {f"agents/{name}": transport.gather(rows) for name, rows in state.agents.items()}
    for lane, (edges, columns) in state.queues.items():
        delivered[f"queue/{lane}/slot"] = transport.gather_rows(slot[edges], slot[edges])
        delivered |= {f"queue/{lane}/{k}": transport.gather_rows(rows, slot[edges]) for k, rows in columns.items()}
    return delivered | {f"number/{name}": np.array(number) for name, number in state.numbers.items()}


def dealt(stored: dict[str, np.ndarray], transport: FaultyTransport) -> ChannelState:
    """This rank's part of a state by global edge and agent."""
    shard, state = transport.shard, ChannelState()
    local = np.full(int(shard.slot.max(initial=-1)) + 1, -1)
    local[shard.slot] = np.arange(len(shard.slot))
    for key, rows in stored.items():
        kind, _, name = key.partition("/")
        if kind == "edges":
            state.edges[name] = rows[shard.slot]
        elif kind == "agents":
            state.agents[name] = rows[shard.agents]
        elif kind == "number":
            state.numbers[name] = int(rows)
        elif name.endswith("/slot"):
            lane = name.removesuffix("/slot")
            mine = np.flatnonzero(np.isin(rows, shard.slot))
            mine = mine[np.argsort(local[rows[mine]], kind="stable")]
            columns = {part: stored[f"queue/{lane}/{part}"][mine] for part in ("due", "sent", "rows")}
            state.queues[lane] = local[rows[mine]], columns
    return state


class Counted:
    """A neighbourhood communicator that counts the bytes handed to it while messages are swapped."""

    def __init__(self, inner: object, transport: Transport) -> None:
        self.inner, self.size, self.open = inner, 0, False
        for verb in ("swap", "halo"):
            setattr(transport, verb, self.opened(getattr(transport, verb)))

    def opened(self, verb):
        def call(*args):
            self.open = True
            try:
                return verb(*args)
            finally:
                self.open = False

        return call

    def Ineighbor_alltoallv(self, send, receive):
        if self.open:
            self.size += int(np.sum(send[1][0])) * send[2].Get_size()
        return self.inner.Ineighbor_alltoallv(send, receive)


def on_mpi(name: str, method: str) -> tuple[FaultyTransport, Counted]:
    from coolgp.network.mpi import MPITransport, world

    topology, schedule = surroundings(name)
    inner = MPITransport(topology, partition(topology, world().size, method))
    inner._neighbours = counted = Counted(inner._neighbours, inner)
    return FaultyTransport(inner, Dynamics(topology, TROUBLES[name], 3, schedule), TROUBLES[name], 3), counted


def main(folder: str) -> None:
    for name, method in CASES:
        transport, counted = on_mpi(name, method)
        delivered = rounds(transport, 0, HALFWAY)
        middle = gathered(transport)
        delivered |= rounds(transport, HALFWAY)
        assert counted.size == transport.meter.far_bytes
        assert (counted.size > 0) == (transport.ranks > 1)
        resumed, _ = on_mpi(name, method)
        with np.load(Path(folder) / f"serial {name}.npz") as stored:
            resumed.restore(dealt(dict(stored), resumed))
        after = rounds(resumed, HALFWAY)
        if transport.root:
            np.savez(Path(folder) / f"{name} {method}.npz", **delivered)
            np.savez(Path(folder) / f"{name} {method} middle.npz", **middle)
            np.savez(Path(folder) / f"{name} {method} after.npz", **after)


@pytest.mark.parametrize("ranks", [2, 3])
def test_any_number_of_ranks_delivers_the_same_bits_and_takes_over_the_state_of_another(on_ranks, tmp_path, ranks):
    pytest.importorskip("pymetis", reason='METIS needs pip install "coolgp[partition]"')
    middles = {}
    for name in dict(CASES):
        transport = in_trouble(name)
        rounds(transport, 0, HALFWAY)
        middles[name] = gathered(transport)
        np.savez(tmp_path / f"serial {name}.npz", **middles[name])
    done = on_ranks(ranks, Path(__file__), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    for name, method in CASES:
        delivered, middle, after = (
            dict(np.load(tmp_path / f"{name} {method}{part}.npz")) for part in ("", " middle", " after")
        )
        check_same(delivered, serial(name))
        check_same(middle, middles[name])
        later = {key: value for key, value in serial(name).items() if int(key.split()[0]) >= HALFWAY}
        check_same(unmetered(after), unmetered(later))


if __name__ == "__main__":
    main(sys.argv[1])


def test_names_under_which_checkpoints_store_a_channel_stay():
    transport = channel(Faults(loss=0.3, delay=1), ring())
    transport.send(numbered(transport, 0))
    transport.reached("report")
    state = transport.state()
    assert set(state.numbers) == {"round", "lane values", "line report"}
    assert set(state.edges) == {"bad values", "busy values", "last values"}
    assert set(state.agents) == {"bad report"}
    assert set(state.queues["values"][1]) == {"due", "sent", "rows"}
