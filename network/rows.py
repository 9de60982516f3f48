"""Rows of numbers that are exchanged: their checks, the room for them, and sums over blocks of agents.

Axes: `A` agents on this rank, `H` halo, `K` rows on edges. Values may have any trailing axes; [.., P] stands for them.
"""

from __future__ import annotations

from math import prod

import numpy as np

from coolgp.network.base.arrays import Array, RowSource
from coolgp.network.route import Route
from coolgp.network.shard import Shard

__all__ = ["add_blocks", "block_sums", "check_rows", "prepare_halo", "prepare_swap", "row_bytes"]


def check_rows(verb: str, values: Array, rows: int) -> Array:
    """Return the values as a contiguous array; raise ValueError unless it has so many rows of numbers."""
    values = np.asarray(values)
    if values.ndim < 1 or len(values) != rows or values.dtype.hasobject:
        raise ValueError(f"{verb} needs {rows} rows of numbers; got shape {list(values.shape)} of {values.dtype}")
    return np.ascontiguousarray(values)


def row_bytes(values: Array) -> int:
    """Return the bytes of one row."""
    return int(prod(values.shape[1:]) * values.itemsize)


def prepare_swap(messages: Array, route: Route, out: Array | None) -> tuple[Array, Array]:
    """Return contiguous messages [K,P] and room for the arrivals [K',P]; raise ValueError if the shapes are wrong."""
    messages = check_rows("swap", messages, len(route.edges))
    return messages, _room("swap", messages, len(route.arrivals), out)


def prepare_halo(shard: Shard, values: Array, out: Array | None) -> tuple[Array, Array]:
    """Return contiguous values [A,P] and room for [A+H,P]; raise ValueError if the shapes are wrong."""
    values = check_rows("halo", values, len(shard.agents))
    if out is None and not len(shard.halo):
        return values, values
    return values, _room("halo", values, len(shard.agents) + len(shard.halo), out)


def _room(verb: str, values: Array, rows: int, out: Array | None) -> Array:
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


def block_sums(shard: Shard, values: RowSource) -> Array:
    """Return the sums over this rank's blocks [blocks,P] of values [A,P].

    Rows are added one after another, never pairwise, so the bits depend on the block alone.
    """
    read = values if callable(values) else check_rows("allsum", values, len(shard.agents)).__getitem__
    start, stop = np.array(shard.blocks, dtype=np.int64).reshape(-1, 3)[:, 1:].T
    result = np.array(read(start))
    result = result.astype(np.int64) if result.dtype == np.bool_ else result
    for row in range(1, int((stop - start).max(initial=1))):
        longer = np.count_nonzero(stop - start > row)  # only the last block of all may be shorter
        result[:longer] += read(start[:longer] + row)
    return result


def add_blocks(partial: Array) -> Array:
    """Return the sum [P] of all blocks' sums [blocks,P] in block order."""
    return np.asarray(np.add.reduce(partial, axis=0, dtype=partial.dtype))
