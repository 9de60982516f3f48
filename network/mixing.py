"""Mixing weights for average consensus as sparse matrices, and how fast they mix."""

from __future__ import annotations

import math

import numpy as np
from scipy.linalg import eigvalsh
from scipy.sparse import csr_array
from scipy.sparse.linalg import LinearOperator, eigsh

from coolgp.network.randomness import generator
from coolgp.network.shard import Shard
from coolgp.network.topology import Array, Topology

__all__ = ["local_metropolis", "metropolis", "rounds_to", "second_eigenvalue"]

DENSE_BELOW = 200  # agents; dense eigenvalues take milliseconds there


def metropolis(topology: Topology) -> csr_array:
    """Return the Metropolis-Hastings weights [N,N]: symmetric, nonnegative, rows and columns sum to one.

    `W_ij = 1 / (1 + max(d_i, d_j))` on each link and `W_ii = 1 - sum_j W_ij`. Source: L. Xiao, S. Boyd and S.-J. Kim,
    "Distributed average consensus with least-mean-square deviation", JPDC 67 (2007).
    """
    return _weights(topology.tail, topology.indices, topology.degree, topology.size)


def local_metropolis(shard: Shard) -> csr_array:
    """Return this rank's rows [A, A+H] of `metropolis`, whose columns are the local agents, then the halo.

    Each row holds its entries in the order of the graph, not of the columns: products then add in the same order, hence
    with the same bits, for any number of ranks.
    """
    return _weights(shard.tail, shard.head, shard.degree, len(shard.agents))


def _weights(tail: Array, head: Array, degree: Array, rows: int) -> csr_array:
    weight = 1.0 / (1.0 + np.maximum(degree[tail], degree[head]))
    own = 1.0 - np.bincount(tail, weights=weight, minlength=rows)
    start = np.searchsorted(tail, np.arange(rows))  # each row begins with its own weight
    data, columns = np.insert(weight, start, own), np.insert(head, start, np.arange(rows))
    indptr = np.concatenate([start + np.arange(rows), [len(data)]])
    return csr_array((data, columns, indptr), shape=(rows, len(degree)))


def second_eigenvalue(matrix: csr_array) -> float:
    """Return the largest modulus of an eigenvalue of a symmetric doubly stochastic matrix [N,N] but for the first.

    Each round of consensus shrinks the disagreement at least by this factor. It is 0 for one agent and 1 for an
    unconnected graph.

    Raises:
        ValueError: if the matrix is not square.
    """
    size = matrix.shape[0]
    if matrix.shape != (size, size):
        raise ValueError(f"Eigenvalues need a square matrix; got shape {list(matrix.shape)}")
    if size < DENSE_BELOW:
        # Taking 1/N away from each entry turns the first eigenvalue 1 into 0 and leaves the others.
        return float(np.abs(eigvalsh(matrix.toarray() - 1.0 / size)).max())
    deflated = LinearOperator(matrix.shape, matvec=lambda x: matrix @ x - x.mean(), dtype=np.float64)
    start = generator(0, "second-eigenvalue").normal(size=size)
    if np.abs(deflated @ start).max() < 1e-12 * np.abs(start).max():
        return 0.0  # all agents average at once, as in a complete graph
    ends = eigsh(deflated, k=2, which="BE", v0=start, return_eigenvectors=False, tol=1e-8)
    return float(np.abs(ends).max())


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
