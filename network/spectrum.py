"""Eigenvalues of mixing weights, and the number of communication rounds that they predict.

Axes: `N` agents in all.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.linalg import eigvalsh
from scipy.sparse import csc_array, csr_array, eye_array
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh, splu

from coolgp.network.base.arrays import Array
from coolgp.network.base.randomness import generator
from coolgp.network.graphs.topology import Topology
from coolgp.network.mixing import weighted

__all__ = ["interval", "laplacian_interval", "rounds_to", "second_eigenvalue"]

DENSE_BELOW = 200  # agents; dense eigenvalues take milliseconds there
RESTARTS = 20  # of the Lanczos iteration; a graph that needs more mixes slowly, hence has small separators
BASIS = 30  # vectors of the Lanczos iteration
MARGIN = 1e-3  # by which the lowest eigenvalue of a large matrix is rather put too low
WIDE = 1e-3  # a gap that the Lanczos iteration resolves to a permille
TINY = 1e-13  # makes a singular matrix invertible, far below any gap that matters


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
        eigenvalue = _lanczos(lambda x: matrix @ x - 3.0 * unit * (unit @ x), start, 1e-6)
        if eigenvalue < 1.0 - WIDE:
            return eigenvalue
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
    eigenvalues = eigsh(operator, k=1, which="LA", v0=start, ncv=BASIS, maxiter=RESTARTS, tol=tolerance)
    return float(eigenvalues[0][0])


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
