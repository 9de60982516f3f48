"""Mixing weights for average consensus as sparse matrices.

Axes: `A` agents on this rank, `H` halo, `N` agents in all, `E` directed edges that leave this rank's agents, `P` row
length.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike
from scipy.sparse import csr_array

from coolgp.network.base.arrays import Array
from coolgp.network.graphs.topology import Topology
from coolgp.network.shard import Shard

__all__ = [
    "Mixing",
    "edge_sums",
    "local_metropolis",
    "local_mixing",
    "metropolis",
    "weighted",
]

SINGLE = 2.0**24  # single precision holds multiples of its reciprocal, up to 1, exactly


@dataclass(frozen=True, eq=False)
class Mixing:
    """Symmetric weights as one rank's agents hold them.

    Attributes:
        pull: [E] the weight of the neighbour at the other end of each edge.
        matrix: [A,A+H] the same with the agents' own weights; each row adds up to one.
        border: [B] the agents with neighbours on other ranks.
        inner: [A,A] the rows of all others; those of the border are empty.
        outer: [B,A+H] the rows of the border.
    """

    pull: Array
    matrix: csr_array
    border: Array
    inner: csr_array
    outer: csr_array


def metropolis(topology: Topology) -> csr_array:
    """Return the Metropolis-Hastings weights [N,N]: symmetric, nonnegative, rows and columns sum to one.

    `W_ij = 1 / (1 + max(d_i, d_j))` on each link and `W_ii = 1 - sum_j W_ij`. Source: L. Xiao, S. Boyd and S.-J. Kim,
    "Distributed average consensus with least-mean-square deviation", JPDC 67 (2007).
    """
    return weighted(topology, _metropolis(topology.tail, topology.indices, topology.degree))


def weighted(topology: Topology, weight: Array | float) -> csr_array:
    """Return the weights [N,N] that are `weight` ([E_all], or one number) on the links and `1 - sum_j W_ij` at home."""
    return _rows(topology.tail, topology.indices, np.broadcast_to(weight, topology.indices.shape), topology.size)


def local_metropolis(shard: Shard) -> csr_array:
    """Return this rank's rows [A, A+H] of `metropolis`, whose columns are the local agents, then the halo.

    Rows hold their entries in the order of the graph, not of the columns: products have the same bits on any ranks.
    """
    return local_mixing(shard).matrix


def local_mixing(shard: Shard, weight: float | None = None, dtype: DTypeLike = np.float64) -> Mixing:
    """Return this rank's part of the Metropolis weights, or of one number on all links, in the dtype of values."""
    pull = _metropolis(shard.tail, shard.head, shard.degree) if weight is None else np.full(len(shard.tail), weight)
    kind = np.result_type(dtype, np.float32)
    if kind == np.float32:
        pull = np.round(pull * SINGLE) / SINGLE  # each exact, so that rows still add up to one
    matrix = _rows(shard.tail, shard.head, pull, len(shard.agents), len(shard.degree))
    matrix.data = matrix.data.astype(kind)  # of the whole matrix it would sort the rows
    border = np.unique(shard.tail[shard.reverse < 0])
    inner = _without_rows(matrix, border) if len(shard.halo) else matrix
    return Mixing(pull=pull.astype(kind), matrix=matrix, border=border, inner=inner, outer=matrix[border])


def _without_rows(matrix: csr_array, rows: Array) -> csr_array:
    """The matrix [A,A+H] as [A,A] with some rows left empty, which must be all that reach beyond the A columns."""
    stays = np.ones(matrix.shape[0], dtype=np.int64)
    stays[rows] = 0
    entries, length = np.repeat(stays, np.diff(matrix.indptr)) == 1, stays * np.diff(matrix.indptr)
    parts = matrix.data[entries], matrix.indices[entries], np.append(0, np.cumsum(length))
    return csr_array(parts, shape=(len(stays), len(stays)))


def edge_sums(tail: Array, rows: Array, agents: int, weight: Array | None = None) -> Array:
    """Return for each agent the sum [A,P] of the rows [K,P] that belong to it, each times its weight [K].

    They are added one after another in their order, so that the bits are the same on any number of ranks.

    Args:
        tail: [K] in [0, A), ascending: whose each row is.
        rows: [K,P].
        agents: A.
        weight: [K], or None for ones.

    >>> edge_sums(np.array([0, 0, 2]), np.array([[1.0], [2.0], [4.0]]), 3)[:, 0].tolist()
    [3.0, 0.0, 4.0]
    """
    weight = np.ones(len(tail), dtype=np.result_type(rows.dtype, np.float32)) if weight is None else weight
    start = np.searchsorted(tail, np.arange(agents + 1))
    return np.asarray(csr_array((weight, np.arange(len(tail)), start), shape=(agents, len(tail))) @ rows)


def _metropolis(tail: Array, head: Array, degree: Array) -> Array:
    return np.asarray(1.0 / (1.0 + np.maximum(degree[tail], degree[head])))


def _rows(tail: Array, head: Array, weight: Array, rows: int, columns: int | None = None) -> csr_array:
    own = 1.0 - np.bincount(tail, weights=weight, minlength=rows)
    start = np.searchsorted(tail, np.arange(rows))  # each row begins with its own weight
    data, places = np.insert(weight, start, own), np.insert(head, start, np.arange(rows))
    indptr = np.concatenate([start + np.arange(rows), [len(data)]])
    return csr_array((data, places, indptr), shape=(rows, rows if columns is None else columns))
