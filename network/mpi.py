"""The MPI twin of `SerialTransport`; the only place that imports mpi4py, and only when a function is called.

Numbers travel as rows of bytes between numpy buffers, never pickled; counts are in rows, so large messages fit.
"""

from __future__ import annotations

import sys
import traceback
from functools import cache
from types import ModuleType, TracebackType
from typing import Any

import numpy as np

from coolgp.network.base.arrays import Array, RowSource
from coolgp.network.delivery import Meter
from coolgp.network.graphs.topology import Topology
from coolgp.network.launcher import wait_until_read
from coolgp.network.partition import blocks_of
from coolgp.network.route import Route, check_leaving, count_by_rank, move_rows, plan_route
from coolgp.network.rows import add_blocks, block_sums, check_rows, prepare_halo, prepare_swap, row_bytes
from coolgp.network.serial import PerfectLinks
from coolgp.network.sharding import build_shard
from coolgp.network.transport import Meanwhile

__all__ = ["MPITransport", "abort_on_error", "world"]


@cache
def library() -> ModuleType:
    """Return `mpi4py.MPI`, which initialises MPI; raise ImportError with the fix if there is no MPI library."""
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        raise ImportError(f'MPI cannot be loaded ({error}): pip install "coolgp[mpich]"') from error
    return MPI


def world() -> Any:
    """Return the communicator of all ranks."""
    return library().COMM_WORLD


class MPITransport(PerfectLinks):
    """The agents of one rank, linked to those of all others. All methods but the properties are collective.

    Args:
        topology: the whole graph, the same on each rank.
        owner: [N] the rank of each agent, as `partition` gives it, the same on each rank.
        comm: an mpi4py communicator; that of all ranks by default.

    Raises:
        ValueError: if there are owners beyond the number of ranks, or a block is divided.
    """

    def __init__(self, topology: Topology, owner: Array, comm: Any = None) -> None:
        self._comm = world() if comm is None else comm
        if owner.max() >= self._comm.size:
            raise ValueError(f"Owners up to {owner.max()} need {owner.max() + 1} ranks; got {self._comm.size}")
        self.shard = build_shard(topology, owner, self._comm.rank)
        self.meter = Meter()
        near = self.shard.neighbours.tolist()
        self._neighbours = self._comm.Create_dist_graph_adjacent(near, near, reorder=False)
        self._row_types: dict[int, Any] = {}
        self._buffers: dict[str, Array] = {}
        self._plan_collectives(topology, owner)
        everything = np.ones(len(self.shard.tail), dtype=np.int64)
        self._all = plan_route(self.shard, everything, everything)

    def _plan_collectives(self, topology: Topology, owner: Array) -> None:
        """Who sends which agents to the halo, and in which order blocks and agents come from the ranks."""
        shard = self.shard
        far = shard.reverse < 0
        pairs = np.unique(np.stack([shard.owner[far], shard.agents[shard.tail[far]]]), axis=1)
        index = np.full(shard.size, -1)
        index[shard.agents] = np.arange(len(shard.agents))
        self._halo_out, self._halo_out_counts = index[pairs[1]], count_by_rank(pairs[0], shard.neighbours)
        self._halo_in_counts = count_by_rank(owner[shard.halo], shard.neighbours)
        block = blocks_of(topology)
        block_owner = np.empty(shard.block_count, dtype=np.int64)
        block_owner[block] = owner
        self._block_order = np.argsort(block_owner, kind="stable")
        self._block_counts = np.bincount(block_owner, minlength=self.ranks)
        self._agent_counts = np.bincount(owner, minlength=self.ranks)

    @property
    def root(self) -> bool:
        """See `Transport`."""
        return bool(self._comm.rank == 0)

    @property
    def ranks(self) -> int:
        """See `Transport`."""
        return int(self._comm.size)

    def route(self, edges: Array) -> Route:
        """See `Transport`."""
        leaving = check_leaving(self.shard, edges)
        arriving = self.inform(leaving, self._all)
        return plan_route(self.shard, leaving, arriving)

    def swap(self, messages: Array, route: Route | None = None, out: Array | None = None) -> Array:
        """See `Transport`."""
        route = self._all if route is None else route
        messages, out = prepare_swap(messages, route, out)
        size = row_bytes(messages)
        self.meter.sent(route.messages, messages.nbytes)
        self.meter.moved(len(route.near_out) * size, int(route.out_counts.sum()) * size)
        return self._exchange(messages, out, route)

    def forward(self, rows: Array, route: Route) -> Array:
        """See `Transport`."""
        rows, size = check_rows("forward", rows, len(route.far_out)), row_bytes(rows)
        self.meter.sent(len(rows), len(rows) * size)
        self.meter.moved(0, len(rows) * size)
        receive = np.empty((len(route.far_in), *rows.shape[1:]), dtype=rows.dtype)
        self._start(rows, route.out_counts, receive, route.in_counts).Wait()
        return receive

    def inform(self, values: Array, route: Route) -> Array:
        """See `Transport`."""
        return self._exchange(*prepare_swap(values, route, None), route)

    def _exchange(self, messages: Array, out: Array, route: Route) -> Array:
        send = self._pack("send", messages, route.far_out)
        receive = self._buffer("receive", len(route.far_in), messages)
        request = self._start(send, route.out_counts, receive, route.in_counts)
        move_rows(messages, route.near_out, out, route.near_in)
        request.Wait()
        move_rows(receive, np.arange(len(receive)), out, route.far_in)
        return out

    def halo(self, values: Array, out: Array | None = None, meanwhile: Meanwhile | None = None) -> Array:
        """See `Transport`."""
        values, out = prepare_halo(self.shard, values, out)
        size = row_bytes(values)
        self.meter.sent(len(self.shard.tail), len(self.shard.tail) * size)
        # A row for several agents of this rank is received once, and copied within the rank.
        handed_on = len(self.shard.tail) - len(self.shard.halo)
        self.meter.moved(handed_on * size, len(self._halo_out) * size)
        send = self._pack("send", values, self._halo_out)
        request = self._start(send, self._halo_out_counts, out[len(values) :], self._halo_in_counts)
        if out is not values:
            out[: len(values)] = values
        if meanwhile is not None:
            meanwhile()
        request.Wait()
        return out

    def allsum(self, values: RowSource) -> Array:
        """See `Transport`."""
        mine = block_sums(self.shard, values)
        partial = np.empty((self.shard.block_count, *mine.shape[1:]), dtype=mine.dtype)
        gathered = np.empty_like(partial)
        self._comm.Allgatherv(self._whole(mine), self._parts(gathered, self._block_counts))
        partial[self._block_order] = gathered
        return add_blocks(partial)

    def gather(self, values: Array) -> Array | None:
        """See `Transport`."""
        values = check_rows("gather", values, len(self.shard.agents))
        ids = self._gather(self.shard.agents, self._agent_counts)
        rows = self._gather(values, self._agent_counts)
        if ids is None or rows is None:
            return None
        result = np.empty_like(rows)
        result[ids] = rows
        return result

    def gather_rows(self, values: Array, ids: Array) -> Array | None:
        """See `Transport`."""
        values = check_rows("gather_rows", values, len(ids))
        counts = np.empty(self.ranks, dtype=np.int64)
        self._comm.Allgather(np.array([len(ids)], dtype=np.int64), counts)
        all_ids = self._gather(np.ascontiguousarray(ids, dtype=np.int64), counts)
        rows = self._gather(values, counts)
        return None if all_ids is None or rows is None else rows[np.argsort(all_ids, kind="stable")]

    def barrier(self) -> None:
        """See `Transport`."""
        self._comm.Barrier()

    def total(self, counts: Array) -> Array:
        """See `Transport`."""
        counts = np.ascontiguousarray(counts, dtype=np.int64)
        result = np.empty_like(counts)
        self._comm.Allreduce(counts, result)
        return result

    def _gather(self, values: Array, counts: Array) -> Array | None:
        """All ranks' rows in rank order on the root."""
        rows = np.empty((int(counts.sum()), *values.shape[1:]), dtype=values.dtype) if self.root else None
        self._comm.Gatherv(self._whole(values), None if rows is None else self._parts(rows, counts), root=0)
        return rows

    def _start(self, send: Array, out_counts: Array, receive: Array, in_counts: Array) -> Any:
        """Begin an exchange with the neighbouring ranks; the request completes it."""
        return self._neighbours.Ineighbor_alltoallv(self._parts(send, out_counts), self._parts(receive, in_counts))

    def _whole(self, values: Array) -> list[Any]:
        return [values, len(values), self._row_type(values)]

    def _parts(self, values: Array, counts: Array) -> list[Any]:
        return [values, (counts, np.cumsum(counts) - counts), self._row_type(values)]

    def _row_type(self, values: Array) -> Any:
        """The datatype of one row: counts in rows stay below 2^31 where counts in bytes would not."""
        size = row_bytes(values)
        if size not in self._row_types:
            self._row_types[size] = library().BYTE.Create_contiguous(size).Commit()
        return self._row_types[size]

    def _pack(self, name: str, values: Array, picks: Array) -> Array:
        return np.take(values, picks, axis=0, out=self._buffer(name, len(picks), values), mode="clip")

    def _buffer(self, name: str, rows: int, like: Array) -> Array:
        """Room for rows like those of `like`, in memory kept from call to call."""
        size = rows * row_bytes(like)
        if name not in self._buffers or self._buffers[name].nbytes < size:
            self._buffers[name] = np.empty(size, dtype=np.uint8)
        return self._buffers[name][:size].view(like.dtype).reshape(rows, *like.shape[1:])


def abort_on_error() -> None:
    """From now on let an uncaught exception on one rank print its traceback and end the whole job with exit code 1.

    Without this the other ranks would wait for ever for the failed one.
    """
    comm = world()

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        lines = "".join(traceback.format_exception(kind, error, trace)).splitlines()
        sys.stdout.flush()
        sys.stderr.write("".join(f"[rank {comm.rank}] {line}\n" for line in lines))
        sys.stderr.flush()
        wait_until_read(sys.stderr)
        comm.Abort(1)

    sys.excepthook = hook
