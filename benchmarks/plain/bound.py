"""The collapsed bound and its gradient as one would write them from the formulas, with SciPy's triangular solves.

See :mod:`coolgp.agents.sparse.collapsed`, which takes the same derivatives.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.spatial.distance import cdist

from benchmarks.work import Array

__all__ = ["bound_and_gradient"]


def bound_and_gradient(
    x: Array, y: Array, z: Array, lengthscale: Array, signal: float, noise: float, jitter: float
) -> tuple[float, Array]:
    """The bound of rows x ``[n, D]``, y ``[n]`` through inducing inputs z ``[M, D]``, and all of its derivatives.

    Derivatives ``[MD + D + 2]``: by z, by log lengthscale ``[D]``, log signal and log noise variance.
    """
    count, size = len(y), len(z)
    scaled_x, scaled_z = x / lengthscale, z / lengthscale
    within = signal * np.exp(-0.5 * cdist(scaled_z, scaled_z, "sqeuclidean"))
    cross = signal * np.exp(-0.5 * cdist(scaled_z, scaled_x, "sqeuclidean"))
    factor = cholesky(within + jitter * signal * np.eye(size), lower=True)
    a = solve_triangular(factor, cross, lower=True) / np.sqrt(noise)
    inner = np.eye(size) + a @ a.T
    root = cholesky(inner, lower=True)
    solved = cho_solve((root, True), a @ y)
    value = -0.5 * (
        count * np.log(2.0 * np.pi * noise)
        + 2.0 * np.log(np.diag(root)).sum()
        + (y @ y - (a @ y) @ solved) / noise
        + count * signal / noise
        - np.trace(a @ a.T)
    )
    inverse = cho_solve((root, True), np.eye(size))
    alpha = solve_triangular(factor, solved, lower=True, trans="T") / np.sqrt(noise)
    residual = (y - a.T @ solved) / noise
    by_cross = solve_triangular(factor, (np.eye(size) - inverse) @ a, lower=True, trans="T") / np.sqrt(noise)
    by_cross += np.outer(alpha, residual)
    half = solve_triangular(factor, inner - 2.0 * np.eye(size) + inverse, lower=True, trans="T")
    by_within = -0.5 * (np.outer(alpha, alpha) + solve_triangular(factor, half.T, lower=True, trans="T"))
    by_z, by_scale = np.zeros_like(z), np.zeros_like(lengthscale)
    for weights, others, both in ((by_cross * cross, scaled_x, 1.0), (by_within * within, scaled_z, 2.0)):
        for place in range(len(lengthscale)):
            apart = others[None, :, place] - scaled_z[:, None, place]
            by_z[:, place] += both * (weights * apart).sum(1) / lengthscale[place]
            by_scale[place] += (weights * np.square(apart)).sum()
    slack = signal * count / noise
    by_signal = np.vdot(by_cross, cross) + np.vdot(by_within, within + jitter * signal * np.eye(size)) - 0.5 * slack
    by_noise = 0.5 * (noise * residual @ residual - (count - size + np.trace(inverse)) + slack - np.trace(a @ a.T))
    return float(value), np.concatenate([by_z.ravel(), by_scale, [by_signal, by_noise]])
