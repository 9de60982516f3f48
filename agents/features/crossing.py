"""From the function at some inducing inputs to that at others: by the prior mean of one given the other."""

from __future__ import annotations

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.features.basis import FunctionBasis
from coolgp.agents.features.geometry import Geometry
from coolgp.agents.kernels.base import project

__all__ = ["crossing"]

SAME = 1e-9
"""Difference in an input, relative to the spread of the common ones, below which two inducing inputs are one."""


def crossing(own: FunctionBasis, common: FunctionBasis, projection: Array, geometry: Geometry) -> Array:
    """``T [A, M, L]`` with ``v_own = T v``: coordinates of ``f`` at own inducing inputs from those at common ones.

    ``f(Z_own) ≈ K(Z_own, Z) K(Z, Z)⁻¹ f(Z)`` under projections ``[A, P, D]``, of which geometry is that of the common
    inputs. The variance that is left over is ignored, as DTC does. Inputs that both have share their jitter too, so
    that nothing is lost there.
    """
    across = common.kernel.values(project(own.inducing, projection), geometry.points)
    across += common.jitter * _same(own.inducing, common.inducing)
    carried: Array = own.frame.inverse @ (across @ geometry.carrier)
    return carried


def _same(inputs: Array, common: Array) -> Array:
    """Which of the inducing inputs ``[..., M, D]`` are which common ones ``[L, D]``, ``[..., M, L]`` bool."""
    same = np.ones((*inputs.shape[:-1], len(common)), dtype=bool)
    for column, scale in enumerate(np.maximum(common.std(axis=0), np.finfo(float).tiny)):
        same &= np.abs(inputs[..., None, column] - common[:, column]) <= SAME * scale
    return same
