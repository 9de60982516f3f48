"""Channels in every kind of trouble, and what they deliver in a few rounds."""

from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest

from coolgp.network.delivery import Delivery
from coolgp.network.graphs.generate import generate
from coolgp.network.graphs.schedule import Schedule
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.channel import FaultyTransport
from coolgp.network.links.dynamics import Dynamics
from coolgp.network.links.faults import PERFECT, Faults
from coolgp.network.links.motion import moving
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
