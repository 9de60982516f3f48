"""Mixing weights for average consensus as sparse matrices, and how fast they mix.

Axes: `A` agents on this rank, `H` halo, `N` agents in all, `E` directed edges that leave this rank's agents, `P` row
length.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from scipy.linalg import eigvalsh
from scipy.sparse import csc_array, csr_array, eye_array
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh, splu

from coolgp.network.graphs.topology import Array, Topology
from coolgp.network.randomness import generator
from coolgp.network.shard import Shard

__all__ = [
    "Mixing",
    "edge_sums",
    "interval",
    "laplacian_interval",
    "local_metropolis",
    "local_mixing",
    "metropolis",
    "rounds_to",
    "second_eigenvalue",
    "weighted",
]

DENSE_BELOW = 200  # agents; dense eigenvalues take milliseconds there
RESTARTS = 20  # of the Lanczos iteration; a graph that needs more mixes slowly, hence has small separators
BASIS = 30  # vectors of the Lanczos iteration
SINGLE = 2.0**24  # single precision holds multiples of its reciprocal, up to 1, exactly
MARGIN = 1e-3  # by which the lowest eigenvalue of a large matrix is rather put too low
WIDE = 1e-3  # a gap that the Lanczos iteration tells to a permille
TINY = 1e-13  # makes a singular matrix invertible, far below any gap that matters


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
    return Mixing(pull.astype(kind), matrix, border, inner, matrix[border])


def _without_rows(matrix: csr_array, rows: Array) -> csr_array:
    """The matrix [A,A+H] as [A,A] with some rows left empty, which must be all that reach beyond the A columns."""
    whole = np.ones(matrix.shape[0], dtype=np.int64)
    whole[rows] = 0
    kept, length = np.repeat(whole, np.diff(matrix.indptr)) == 1, whole * np.diff(matrix.indptr)
    parts = matrix.data[kept], matrix.indices[kept], np.append(0, np.cumsum(length))
    return csr_array(parts, shape=(len(whole), len(whole)))


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


def interval(matrix: csr_array, first: Array | None = None) -> tuple[float, float]:
    """Return the lowest and the highest eigenvalue of symmetric weights [N,N], the first one, 1, left out once.

    The highest is exact enough for its distance from 1 to be good to a permille, on slow graphs too. The lowest of a
    large matrix may come out too low, by 0.001 or where its end is crowded by more: what is built on the interval must
    hold the whole spectrum. (0, 0) for one agent.

    Args:
        matrix: [N,N] symmetric, with the eigenvalue 1, all others in [-1, 1].
        first: [N] the eigenvector to 1; ones by default.

    Raises:
        ValueError: if the matrix is not square.
    """
    size = matrix.shape[0]
    if matrix.shape != (size, size):
        raise ValueError(f"Eigenvalues need a square matrix; got shape {list(matrix.shape)}")
    if size == 1:
        return 0.0, 0.0
    unit = np.full(size, size**-0.5) if first is None else first / np.linalg.norm(first)
    if size < DENSE_BELOW:
        values = eigvalsh(matrix.toarray() - 3.0 * np.outer(unit, unit))  # moves 1 to -2, below all others
        return float(values[1]), float(values[-1])
    start = generator(0, "second-eigenvalue").normal(size=size)
    start -= unit * (unit @ start)
    after = matrix @ start
    only = float(start @ after) / float(start @ start)
    if np.abs(after - only * start).max() < 1e-12 * np.abs(start).max():
        return only, only  # there is but one, as in a complete graph, and no iteration finds it
    return _lowest(matrix, start), _highest(matrix, unit, start)


def _lowest(matrix: csr_array, start: Array) -> float:
    bound = 2.0 * float(matrix.diagonal().min()) - 1.0  # by Gershgorin's theorem, as nonnegative rows add up to one
    try:
        return max(bound, -_lanczos(lambda x: -(matrix @ x), start, 1e-4) - MARGIN)
    except ArpackNoConvergence:
        return bound


def _highest(matrix: csr_array, unit: Array, start: Array) -> float:
    """Lanczos where the gap is wide; where it is not, Lanczos on the inverse of I - W, which then factorises well."""
    try:
        found = _lanczos(lambda x: matrix @ x - 3.0 * unit * (unit @ x), start, 1e-6)
        if found < 1.0 - WIDE:
            return found
    except ArpackNoConvergence:
        pass
    solve = _factorised((1.0 + TINY) * eye_array(len(unit)) - matrix)

    def inverse(x: Array) -> Array:
        y = solve(x - unit * (unit @ x))
        return np.asarray(y - unit * (unit @ y))

    return 1.0 - (1.0 / _lanczos(inverse, start, 1e-10) - TINY)


def _lanczos(multiply: Callable[[Array], Array], start: Array, tolerance: float) -> float:
    """The largest eigenvalue of a symmetric operator. Raises ArpackNoConvergence."""
    operator = LinearOperator((len(start), len(start)), matvec=multiply, dtype=np.float64)
    found = eigsh(operator, k=1, which="LA", v0=start, ncv=BASIS, maxiter=RESTARTS, tol=tolerance)
    return float(found[0][0])


def _factorised(matrix: Any) -> Callable[[Array], Array]:
    """Solve with a symmetric positive definite matrix; the ordering for these keeps its factors sparse."""
    options = {"SymmetricMode": True}
    solve: Callable[[Array], Array] = splu(
        csc_array(matrix), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options
    ).solve
    return solve


def laplacian_interval(topology: Topology) -> tuple[float, float]:
    """Return the second and the largest eigenvalue of the graph's Laplacian, as exact as `interval` is.

    The second is the algebraic connectivity. (0, 0) for one agent.
    """
    step = 1.0 / (2.0 * max(1, int(topology.degree.max())))
    low, high = interval(weighted(topology, step))
    return (0.0, 0.0) if topology.size == 1 else ((1.0 - high) / step, (1.0 - low) / step)


def second_eigenvalue(matrix: csr_array) -> float:
    """Return the largest modulus of an eigenvalue of a symmetric doubly stochastic matrix [N,N] but for the first.

    Each round of consensus shrinks the disagreement at least by this factor. It is 0 for one agent and 1 for an
    unconnected graph. Exact as `interval` is.

    Raises:
        ValueError: if the matrix is not square.
    """
    low, high = interval(matrix)
    return max(abs(low), abs(high))


def rounds_to(tolerance: float, eigenvalue: float) -> int:
    """Return the rounds after which the disagreement has shrunk to `tolerance` times its first size.

    `ceil(log(tolerance) / log(eigenvalue))`, at least 1.

    Raises:
        ValueError: if the tolerance is not in (0, 1), or the eigenvalue not in [0, 1).

    >>> rounds_to(1e-3, 0.5)
    10
    """
    if not 0 < tolerance < 1:
        raise ValueError(f"A tolerance must lie between 0 and 1; got {tolerance}")
    if not 0 <= eigenvalue < 1:
        raise ValueError(f"Consensus needs a second eigenvalue in [0, 1), so a connected graph; got {eigenvalue}")
    return 1 if eigenvalue == 0 else max(1, math.ceil(math.log(tolerance) / math.log(eigenvalue)))
