"""Rows that nobody holds any more, as far as sums tell of them."""

from __future__ import annotations

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.sparse.rows import Pooled

__all__ = ["rows_of_sums"]

TOLD = 1e-10
"""Share of the largest eigenvalue of a sum of squares below which a direction is rounding."""


def rows_of_sums(gram: Array, cross: Array, inputs: Array, inverse: Array, told: float = TOLD) -> Pooled:
    """Observations that say of ``f`` at inducing inputs ``[M, D]`` what sums say: gram ``[M, M]``, cross ``[M]``.

    The sums are of features of ``v`` with ``f(inputs) = R v``; inverse: ``R⁻¹``. With ``gram = V Λ Vᵀ`` an observation
    ``Vᵢᵀ cross / √λᵢ`` of ``√λᵢ Vᵢᵀ v`` for each direction that is above rounding, and at most M of them.
    """
    values, directions = np.linalg.eigh(gram)
    kept = values > told * max(values[-1], np.finfo(float).tiny)
    root = np.sqrt(values[kept])
    return Pooled(inputs, directions[:, kept].T @ cross / root, inverse.T @ (directions[:, kept] * root))
