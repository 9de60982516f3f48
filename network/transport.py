"""Messages between agents: the `Transport` protocol and its serial twin; every message is metered.

Axes: `A` agents on this rank, `H` halo, `E` directed edges that leave them, `K` of these on a route, `N` agents in all.
Values may have any trailing axes; [.., P] stands for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Protocol

import numpy as np

from coolgp.network.shard import Shard, build_shard
from coolgp.network.topology import Array, Topology

__all__ = ["Meter", "Route", "SerialTransport", "Transport"]

CHUNK = 1 << 16  # rows moved at once, so that moving needs little memory


@dataclass
class Meter:
    """Counts messages from agent to agent on this rank, whether or not they cross ranks."""

    messages: int = 0
    bytes: int = 0

    def sent(self, count: int, floats_per_message: int, itemsize: int = 8) -> None:
        """Add `count` messages of so many floats of `itemsize` bytes."""
        self.messages += int(count)
        self.bytes += int(count) * int(floats_per_message) * itemsize


@dataclass(frozen=True, eq=False)
class Route:
    """A subset of all directed edges on which messages go; only `edges` and `arrivals` are of use outside.

    Attributes:
        edges: [K] this rank's edges on which a message leaves, ascending.
        arrivals: [K'] this rank's edges on whose slot one arrives (a message i -> j on j's edge to i), ascending.
        near_out: places in `edges` of messages that stay on this rank, and
        near_in: their places in `arrivals`, ascending.
        far_out: places in `edges` of messages to other ranks, in the order in which they are packed, and
        out_counts: how many go to each neighbouring rank.
        far_in: places in `arrivals` of messages from other ranks, in the order in which they come, and
        in_counts: how many come from each neighbouring rank.
    """

    edges: Array
    arrivals: Array
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
    def root(self) -> bool:
        """Whether this rank writes; for the recorder and the command line only."""

    @property
    def ranks(self) -> int:
        """The number of ranks."""

    def route(self, edges: Array) -> Route:
        """Prepare exchanges over the edges where the mask [E] is true. Collective."""

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


class SerialTransport:
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
        mask = check_mask(self.shard, edges)
        return plan_route(self.shard, mask, mask[self.shard.reverse], np.arange(0))

    def swap(self, messages: Array, route: Route | None = None, out: Array | None = None) -> Array:
        """See `Transport`."""
        route = self._all if route is None else route
        messages, out = prepare_swap(messages, route, out)
        self.meter.sent(len(messages), prod(messages.shape[1:]), messages.itemsize)
        return np.take(messages, route.near_out, axis=0, out=out, mode="clip")

    def halo(self, values: Array, out: Array | None = None) -> Array:
        """See `Transport`."""
        values, out = prepare_halo(self.shard, values, out)
        self.meter.sent(len(self.shard.tail), prod(values.shape[1:]), values.itemsize)
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


def check_mask(shard: Shard, edges: Array) -> Array:
    """Return the mask [E]; raise ValueError unless it has a truth value for each edge."""
    edges = np.asarray(edges)
    if edges.shape != shard.tail.shape or edges.dtype != np.bool_:
        raise ValueError(
            f"A route needs a bool mask of {len(shard.tail)} edges; got shape {list(edges.shape)} of {edges.dtype}"
        )
    return edges


def plan_route(shard: Shard, mask: Array, arriving: Array, neighbours: Array) -> Route:
    """Plan the exchange of messages that leave on `mask` [E] and arrive on `arriving` [E].

    Both ends of a pair of ranks pack their messages by (sender's id, receiver's id), so none needs a header.
    """
    out_place, in_place = np.cumsum(mask) - 1, np.cumsum(arriving) - 1
    near = np.flatnonzero(arriving & (shard.reverse >= 0))
    far = np.flatnonzero(shard.reverse < 0)
    mine, theirs, owner = shard.agents[shard.tail[far]], shard.head_agent[far], shard.owner[far]
    leave, come = far[np.lexsort((theirs, mine, owner))], far[np.lexsort((mine, theirs, owner))]
    leave, come = leave[mask[leave]], come[arriving[come]]
    return Route(
        edges=np.flatnonzero(mask),
        arrivals=np.flatnonzero(arriving),
        near_out=out_place[shard.reverse[near]],
        near_in=in_place[near],
        far_out=out_place[leave],
        out_counts=count_by_rank(shard.owner[leave], neighbours),
        far_in=in_place[come],
        in_counts=count_by_rank(shard.owner[come], neighbours),
    )


def count_by_rank(owner: Array, neighbours: Array) -> Array:
    """Return how many of the owners are each of the neighbouring ranks (ascending)."""
    return np.bincount(np.searchsorted(neighbours, owner), minlength=len(neighbours))


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
