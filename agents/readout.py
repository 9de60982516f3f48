"""How one agent's posterior is read at a query: from kernel values ``κ`` there to the mean and variance of ``f / σ_s``.

An agent with fewer rows of data than inducing inputs has learned along as many directions as it has rows. With
evidence ``E = BᵀB``, ``B [R, M]``, and the prior covariance ``Q`` of common coordinates, the posterior covariance is

    (Q⁻¹ + BᵀB)⁻¹ = Q - QBᵀ S⁻¹ BQ        S = I + BQBᵀ

(Woodbury), so that the variance is that of the prior less a sum of ``R`` squares, in place of two sums of ``M``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from coolgp.agents.base.arrays import Array
from coolgp.agents.base.triangular import inverse_of_lower
from coolgp.agents.features.geometry import Geometry

__all__ = ["FEW", "Readout", "readout_of_few"]

FEW = 0.75
"""Rows, as a share of the inducing inputs, below which the short form pays."""


@dataclass(frozen=True)
class Readout:
    """The mean is ``αᵀκ``; the variance is ``1 - ‖Vκ‖²``, or ``1 - ‖L⁻¹κ‖² + ‖Yκ‖²``.

    weights ``α [M]``; root ``[R, M]``: ``V`` where it lowers the prior variance, else ``Y``, what data leave
    of the part that the inducing inputs explain.
    """

    weights: Array
    root: Array
    lowers: bool

    def at(self, kappa: Array, unexplained: Array | None) -> tuple[Array, Array]:
        """Mean and variance ``[Q]`` for a unit signal at kernel values ``[M, Q]``; unexplained: ``1 - ‖L⁻¹κ‖² [Q]``."""
        squares = column_squares(self.root @ kappa)
        if self.lowers:
            return self.weights @ kappa, 1.0 - squares
        assert unexplained is not None
        return self.weights @ kappa, unexplained + squares


def column_squares(matrix: Array) -> Array:
    """Sums of squares ``[Q]`` of the columns of a matrix ``[M, Q]``."""
    squares: Array = np.einsum("mq,mq->q", matrix, matrix)
    return squares


def needs_explained(readouts: Iterable[Readout]) -> bool:
    """Whether one of them is of the longer form."""
    return not all(readout.lowers for readout in readouts)


def readout_of_few(geometry: Geometry, amplitude: float, precision: Array, shift: Array) -> Readout | None:
    """The readout of evidence ``[M, M]``, ``[M]`` that comes from few rows; None where these are not few.

    geometry: of the agent, leading axis 1. amplitude: see `Basis.amplitude`.
    """
    root = _root(precision)
    if len(root) > FEW * len(shift):
        return None
    spread = amplitude * (root if geometry.frame is None else root @ geometry.common_covariance[0])
    inverse = inverse_of_lower(np.linalg.cholesky(np.eye(len(root)) + amplitude * (spread @ root.T)))
    lowered = amplitude * (inverse @ root)
    to_values = geometry.inverse[0] if geometry.frame is None else geometry.frame.inverse
    mean = shift - lowered.T @ (inverse @ (spread @ shift))
    return Readout(amplitude * (mean @ to_values), lowered @ to_values, lowers=True)


def _root(precision: Array) -> Array:
    """``B [R, M]`` of ``E = BᵀB`` with as many rows as ``E`` has directions above its rounding.

    A Cholesky factor whose pivots are the largest (LAPACK's ``pstrf``).
    """
    finest = len(precision) * float(np.finfo(precision.dtype).eps) * np.diagonal(precision).max(initial=0.0)
    columns = precision.astype(np.float64).T  # LAPACK's own order, so that it works in this copy: E is symmetric
    factor, pivots, rank, _ = lapack.dpstrf(columns, tol=finest, overwrite_a=1)
    root = np.empty((rank, len(precision)))
    root[:, pivots - 1] = np.triu(factor[:rank])
    return root
