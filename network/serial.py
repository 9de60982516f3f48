"""The transport of one rank, without MPI, and what both transports share where nothing fails; every message is metered.

Axes: `A` agents on this rank, `H` halo, `E` directed edges that leave them, `K` rows on these, `N` agents in all.
Values may have any trailing axes; [.., P] stands for them.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from coolgp.network.base.arrays import Array, RowSource
from coolgp.network.delivery import Delivery, Meter
from coolgp.network.graphs.topology import Topology
from coolgp.network.route import Route, check_leaving, plan_route
from coolgp.network.rows import add_blocks, block_sums, check_rows, prepare_halo, prepare_swap, row_bytes
from coolgp.network.shard import Shard
from coolgp.network.sharding import build_shard
from coolgp.network.transport import Meanwhile, Transport

__all__ = ["PerfectLinks", "SerialTransport"]


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

    def hand_on(self, count: int, like: Array) -> None:
        """See `Transport`."""
        size = count * row_bytes(like)
        self.meter.sent(count, size)
        self.meter.moved(size)

    def send(self: Transport, rows: Array, edges: Array | None = None, tag: str = "values") -> Delivery:
        """See `Transport`."""
        if edges is None:
            return Delivery(np.arange(len(self.shard.tail)), self.swap(rows))
        route = self.route(np.bincount(edges, minlength=len(self.shard.tail)))
        return Delivery(route.arrivals, self.swap(rows, route))

    def reached(self, tag: str = "server") -> Array:
        """See `Transport`."""
        return self.present


class SerialTransport(PerfectLinks):
    """All agents on one rank, without MPI.

    >>> from coolgp.network.graphs.generate import generate
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
        return plan_route(self.shard, leaving, leaving[self.shard.reverse])

    def swap(self, messages: Array, route: Route | None = None, out: Array | None = None) -> Array:
        """See `Transport`."""
        route = self._all if route is None else route
        messages, out = prepare_swap(messages, route, out)
        self.meter.sent(route.messages, messages.nbytes)
        self.meter.moved(messages.nbytes)
        return np.take(messages, route.near_out, axis=0, out=out, mode="clip")

    def forward(self, rows: Array, route: Route) -> Array:
        """See `Transport`."""
        return rows[:0]

    def inform(self, values: Array, route: Route) -> Array:
        """See `Transport`."""
        values, out = prepare_swap(values, route, None)
        return np.take(values, route.near_out, axis=0, out=out, mode="clip")

    def halo(self, values: Array, out: Array | None = None, meanwhile: Meanwhile | None = None) -> Array:
        """See `Transport`."""
        values, out = prepare_halo(self.shard, values, out)
        size = len(self.shard.tail) * row_bytes(values)
        self.meter.sent(len(self.shard.tail), size)
        self.meter.moved(size)
        if meanwhile is not None:
            meanwhile()
        if out is not values:
            out[:] = values
        return out

    def allsum(self, values: RowSource) -> Array:
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
