"""Messages between agents: the `Transport` protocol and its serial twin; every message is metered.

Axes: `A` agents on this rank, `H` halo, `E` directed edges that leave them, `K` of these on a route, `N` agents in all.
Values may have any trailing axes; [.., P] stands for them.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from functools import cached_property
from math import prod
from typing import Protocol

import numpy as np

from coolgp.network.shard import Shard, build_shard
from coolgp.network.topology import Array, Topology

__all__ = ["Delivery", "Meter", "Route", "SerialTransport", "Transport"]

CHUNK = 1 << 16  # rows moved at once, so that moving needs little memory


@dataclass
class Meter:
    """Counts what the agents of this rank send.

    Attributes:
        messages, bytes: from agent to agent, whether or not they cross ranks.
        lost: messages to agents of this rank that the channel lost.
        near_bytes: of `bytes`, what stayed on a rank: handed over in memory.
        far_bytes: of `bytes`, what this rank handed to MPI. Over all ranks, `near_bytes + far_bytes == bytes`.
        rounds: communication rounds, the same number on each rank.
    """

    messages: int = 0
    bytes: int = 0
    lost: int = 0
    near_bytes: int = 0
    far_bytes: int = 0
    rounds: int = 0

    def sent(self, messages: int, size: int) -> None:
        """Add so many messages of `size` bytes in all."""
        self.messages += int(messages)
        self.bytes += int(size)

    def moved(self, near: int, far: int = 0) -> None:
        """Add bytes that stayed on this rank, and bytes that went to others."""
        self.near_bytes += int(near)
        self.far_bytes += int(far)

    def __sub__(self, before: Meter) -> Meter:
        return Meter(*(now - then for now, then in zip(astuple(self), astuple(before), strict=True)))


@dataclass(frozen=True, eq=False)
class Delivery:
    """What reached the agents of this rank in one communication round.

    Attributes:
        edges: [K] the edges on whose slot a row arrived (from i to j on j's edge to i), ascending; an edge comes
            several times where several rows arrived on it, the oldest first.
        rows: [K,P].
    """

    edges: Array
    rows: Array

    def newest(self) -> Delivery:
        """Return only the newest row on each edge."""
        last = np.flatnonzero(np.append(self.edges[1:] != self.edges[:-1], True)[: len(self.edges)])
        return self if len(last) == len(self.edges) else Delivery(self.edges[last], self.rows[last])


@dataclass(frozen=True, eq=False)
class Route:
    """Directed edges on which rows go, each perhaps several; only `edges` and `arrivals` are of use outside.

    Attributes:
        edges: [K] this rank's edges on which a row leaves, ascending; an edge stands as often as it carries one.
        arrivals: [K'] this rank's edges on whose slot one arrives (from i to j on j's edge to i), ascending.
        messages: number of different edges in `edges`: all rows on an edge are one message.
        near_out: places in `edges` of messages that stay on this rank, and
        near_in: their places in `arrivals`, ascending.
        far_out: places in `edges` of messages to other ranks, in the order in which they are packed, and
        out_counts: how many go to each neighbouring rank.
        far_in: places in `arrivals` of messages from other ranks, in the order in which they come, and
        in_counts: how many come from each neighbouring rank.
    """

    edges: Array
    arrivals: Array
    messages: int
    near_out: Array
    near_in: Array
    far_out: Array
    out_counts: Array
    far_in: Array
    in_counts: Array


class Transport(Protocol):
    """What a fusion rule may use: the same calls and the same results on one rank and on many."""

    shard: Shard
    meter: Meter

    @property
    def faultless(self) -> bool:
        """Whether every message arrives in the round in which it is sent, over links that never change."""

    @property
    def up(self) -> Array:
        """[E] the edges over which this rank's agents can send now: an agent knows which of its links work."""

    @property
    def present(self) -> Array:
        """[A] the agents that are in the network now."""

    def advance(self, round: int) -> None:
        """Begin a round of learning, from 0: agents and links come and go. Collective."""

    def send(self, rows: Array, edges: Array | None = None, lane: str = "values") -> Delivery:
        """One communication round through the channel: rows [K,P] leave on `edges` [K]. Collective.

        Args:
            rows: numbers; the channel may lose them, delay them, or spoil those of an agent that is not honest.
            edges: ascending; rows on one edge are one message and share its fate. Default one row on each of the E.
                Edges that are not up are left out.
            lane: messages of one lane keep their order on a link; other lanes have fates of their own.
        """

    def reached(self, lane: str = "server") -> Array:
        """[A] whether a message between each agent and a server got through this time. Collective."""

    @property
    def root(self) -> bool:
        """Whether this rank writes; for the recorder and the command line only."""

    @property
    def ranks(self) -> int:
        """The number of ranks."""

    def route(self, edges: Array) -> Route:
        """Prepare exchanges over the edges where the mask [E] is true, or of so many rows [E] each. Collective."""

    def swap(self, messages: Array, route: Route | None = None, out: Array | None = None) -> Array:
        """Deliver [E,P] -> [E,P]: what i sends j arrives on j's edge to i. With a route, [K,P] -> [K',P]."""

    def halo(self, values: Array, out: Array | None = None) -> Array:
        """Append the neighbours' values: [A,P] -> [A+H,P]."""

    def allsum(self, values: Array) -> Array:
        """Sum over all agents: [A,P] -> [P], with the same bits for any number of ranks."""

    def gather(self, values: Array) -> Array | None:
        """Return all agents' rows [N,P] by global id on the root, None elsewhere."""

    def gather_rows(self, values: Array, ids: Array) -> Array | None:
        """Return all ranks' rows [K,P] in the order of their global ids [K] on the root, None elsewhere."""

    def barrier(self) -> None:
        """Wait for all ranks."""

    def total(self, counts: Array) -> Array:
        """Sum integers over the ranks, exactly."""


class PerfectLinks:
    """What both transports have in common where no channel interferes: everything arrives at once."""

    shard: Shard
    meter: Meter
    faultless = True

    @cached_property
    def up(self) -> Array:
        """See `Transport`."""
        return np.ones(len(self.shard.tail), dtype=bool)

    @cached_property
    def present(self) -> Array:
        """See `Transport`."""
        return np.ones(len(self.shard.agents), dtype=bool)

    def advance(self, round: int) -> None:
        """See `Transport`."""

    def send(self: Transport, rows: Array, edges: Array | None = None, lane: str = "values") -> Delivery:
        """See `Transport`."""
        if edges is None:
            return Delivery(np.arange(len(self.shard.tail)), self.swap(rows))
        route = self.route(np.bincount(edges, minlength=len(self.shard.tail)))
        return Delivery(route.arrivals, self.swap(rows, route))

    def reached(self, lane: str = "server") -> Array:
        """See `Transport`."""
        return self.present


class SerialTransport(PerfectLinks):
    """All agents on one rank, without MPI.

    >>> from coolgp.network.generate import generate
    >>> transport = SerialTransport(generate("star", 3, seed=0))
    >>> shard = transport.shard
    >>> inbox = transport.swap(shard.agents[shard.tail][:, None])  # every agent tells its neighbours its own id
    >>> bool((inbox[:, 0] == shard.head_agent).all())
    True
    """

    root = True
    ranks = 1

    def __init__(self, topology: Topology) -> None:
        self.shard = build_shard(topology, np.zeros(topology.size, dtype=np.int64), 0)
        self.meter = Meter()
        self._all = self.route(np.ones(len(self.shard.tail), dtype=bool))

    def route(self, edges: Array) -> Route:
        """See `Transport`."""
        leaving = check_leaving(self.shard, edges)
        return plan_route(self.shard, leaving, leaving[self.shard.reverse], np.arange(0))

    def swap(self, messages: Array, route: Route | None = None, out: Array | None = None) -> Array:
        """See `Transport`."""
        route = self._all if route is None else route
        messages, out = prepare_swap(messages, route, out)
        self.meter.sent(route.messages, messages.nbytes)
        self.meter.moved(messages.nbytes)
        return np.take(messages, route.near_out, axis=0, out=out, mode="clip")

    def halo(self, values: Array, out: Array | None = None) -> Array:
        """See `Transport`."""
        values, out = prepare_halo(self.shard, values, out)
        size = len(self.shard.tail) * row_bytes(values)
        self.meter.sent(len(self.shard.tail), size)
        self.meter.moved(size)
        out[:] = values
        return out

    def allsum(self, values: Array) -> Array:
        """See `Transport`."""
        return add_blocks(block_sums(self.shard, values))

    def gather(self, values: Array) -> Array | None:
        """See `Transport`."""
        values = check_rows("gather", values, len(self.shard.agents))
        result = np.empty_like(values)
        result[self.shard.agents] = values
        return result

    def gather_rows(self, values: Array, ids: Array) -> Array | None:
        """See `Transport`."""
        return check_rows("gather_rows", values, len(ids))[np.argsort(ids, kind="stable")]

    def barrier(self) -> None:
        """See `Transport`."""

    def total(self, counts: Array) -> Array:
        """See `Transport`."""
        return np.array(counts, dtype=np.int64)


def check_rows(verb: str, values: Array, rows: int) -> Array:
    """Return the values as a contiguous array; raise ValueError unless it has so many rows of numbers."""
    values = np.asarray(values)
    if values.ndim < 1 or len(values) != rows or values.dtype.hasobject:
        raise ValueError(f"{verb} needs {rows} rows of numbers; got shape {list(values.shape)} of {values.dtype}")
    return np.ascontiguousarray(values)


def check_leaving(shard: Shard, edges: Array) -> Array:
    """Return how many rows leave on each edge [E]; raise ValueError unless it is a truth value or a count for each."""
    edges = np.asarray(edges)
    counts = edges.dtype == np.bool_ or np.issubdtype(edges.dtype, np.integer)
    if edges.shape != shard.tail.shape or not counts or (edges < 0).any():
        raise ValueError(
            f"A route needs a bool mask or row counts of {len(shard.tail)} edges; "
            f"got shape {list(edges.shape)} of {edges.dtype}"
        )
    return edges.astype(np.int64)


def plan_route(shard: Shard, leaving: Array, arriving: Array, neighbours: Array) -> Route:
    """Plan the exchange of `leaving` [E] rows on each edge, of which `arriving` [E] come on each slot.

    Both ends of a pair of ranks pack their rows by (sender's id, receiver's id), so none needs a header.
    """
    out_start, in_start = np.cumsum(leaving) - leaving, np.cumsum(arriving) - arriving
    near, far = np.flatnonzero(shard.reverse >= 0), np.flatnonzero(shard.reverse < 0)
    mine, theirs, owner = shard.agents[shard.tail[far]], shard.head_agent[far], shard.owner[far]
    leave, come = far[np.lexsort((theirs, mine, owner))], far[np.lexsort((mine, theirs, owner))]
    every = np.arange(len(shard.tail))
    return Route(
        edges=np.repeat(every, leaving),
        arrivals=np.repeat(every, arriving),
        messages=int(np.count_nonzero(leaving)),
        near_out=ranges(out_start[shard.reverse[near]], arriving[near]),
        near_in=ranges(in_start[near], arriving[near]),
        far_out=ranges(out_start[leave], leaving[leave]),
        out_counts=count_by_rank(shard.owner[leave], neighbours, leaving[leave]),
        far_in=ranges(in_start[come], arriving[come]),
        in_counts=count_by_rank(shard.owner[come], neighbours, arriving[come]),
    )


def ranges(start: Array, count: Array) -> Array:
    """Return `start[0], start[0]+1, ...` (`count[0]` numbers), then the same from `start[1]`, and so on.

    >>> ranges(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    first = np.cumsum(count) - count
    return np.asarray(np.arange(int(count.sum())) + np.repeat(start - first, count))


def row_bytes(values: Array) -> int:
    """Return the bytes of one row."""
    return int(prod(values.shape[1:]) * values.itemsize)


def count_by_rank(owner: Array, neighbours: Array, count: Array | None = None) -> Array:
    """Return how many of the owners, or of `count` rows each, belong to each of the neighbouring ranks (ascending)."""
    counts = np.zeros(len(neighbours), dtype=np.int64)
    np.add.at(counts, np.searchsorted(neighbours, owner), 1 if count is None else count)
    return counts


def prepare_swap(messages: Array, route: Route, out: Array | None) -> tuple[Array, Array]:
    """Return contiguous messages [K,P] and room for the arrivals [K',P]; raise ValueError if the shapes are wrong."""
    messages = check_rows("swap", messages, len(route.edges))
    return messages, room("swap", messages, len(route.arrivals), out)


def prepare_halo(shard: Shard, values: Array, out: Array | None) -> tuple[Array, Array]:
    """Return contiguous values [A,P] and room for [A+H,P]; raise ValueError if the shapes are wrong."""
    values = check_rows("halo", values, len(shard.agents))
    return values, room("halo", values, len(shard.agents) + len(shard.halo), out)


def room(verb: str, values: Array, rows: int, out: Array | None) -> Array:
    """Return `out` if it fits and is not the input itself, or a new array; raise ValueError if it does not fit."""
    shape = (rows, *values.shape[1:])
    if out is None:
        return np.empty(shape, dtype=values.dtype)
    fits = out.shape == shape and out.dtype == values.dtype and out.flags.c_contiguous
    if not fits or np.may_share_memory(out, values):
        raise ValueError(
            f"{verb} needs a contiguous `out` {list(shape)} of {values.dtype} apart from its input; "
            f"got {list(out.shape)} of {out.dtype}"
        )
    return out


def move_rows(source: Array, picks: Array, target: Array, places: Array) -> None:
    """Set `target[places] = source[picks]`, in chunks."""
    for start in range(0, len(picks), CHUNK):
        part = slice(start, start + CHUNK)
        target[places[part]] = source[picks[part]]


def block_sums(shard: Shard, values: Array) -> Array:
    """Return the sums over this rank's blocks [blocks,P] of values [A,P].

    Rows are added one after another, never pairwise, so the bits depend on the block alone.
    """
    values = check_rows("allsum", values, len(shard.agents))
    values = values.astype(np.int64) if values.dtype == np.bool_ else values
    start, stop = np.array(shard.blocks, dtype=np.int64).reshape(-1, 3)[:, 1:].T
    result = values[start]
    for row in range(1, int((stop - start).max(initial=1))):
        longer = np.count_nonzero(stop - start > row)  # only the last block of all may be shorter
        result[:longer] += values[start[:longer] + row]
    return np.asarray(result)


def add_blocks(partial: Array) -> Array:
    """Return the sum [P] of all blocks' sums [blocks,P] in block order."""
    return np.asarray(np.add.reduce(partial, axis=0, dtype=partial.dtype))
