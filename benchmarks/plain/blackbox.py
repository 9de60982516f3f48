"""CIGAR as one would write it from the formulas: a loop over iterations, agents, experts and draws.

Inputs are arrays, as nobody would write that loop in Python. Directions are those that coolgp draws, so that both end
at the same predictions.
"""

from __future__ import annotations

import numpy as np
from numpy.random import SeedSequence, default_rng

from benchmarks.work import Array

__all__ = ["climbed"]


def climbed(mean: Array, std: Array, iterations: int, draws: int, width: float, *, published: bool) -> Array:
    """Estimates ``[m, Q]`` of m agents whose experts say mean and std ``[m, Q]``.

    published: steps of ``sign(g) / √t`` by one-sided differences; else ``g / (Λ √t)`` by two-sided ones, with second
    differences for ``Λ``.
    """
    agents, queries = mean.shape
    estimates = mean.copy()
    for t in range(iterations):
        moved = estimates.copy()
        for k in range(agents):
            z = default_rng(SeedSequence([0, t, k])).standard_normal((draws, queries))
            y, gradient, precision = estimates[k], np.zeros(queries), np.zeros(queries)
            for i in range(agents):
                h = width * std[i]
                gradient += _gradient(mean[i], std[i], y, h, z, one_sided=published)
                if not published:
                    precision -= _curvature(mean[i], std[i], y, h)
            step = np.sign(gradient) if published else gradient / precision
            moved[k] += step / np.sqrt(t + 1.0)
        estimates = moved
    return estimates


def _log_density(mean: Array, std: Array, y: Array) -> Array:
    density: Array = -0.5 * ((y - mean) / std) ** 2 - np.log(std) - 0.5 * np.log(2.0 * np.pi)
    return density


def _gradient(mean: Array, std: Array, y: Array, h: Array, z: Array, *, one_sided: bool) -> Array:
    total = np.zeros(len(y))
    base = _log_density(mean, std, y) if one_sided else None
    for direction in z:
        above = _log_density(mean, std, y + h * direction)
        if base is None:
            total += direction / (2.0 * h) * (above - _log_density(mean, std, y - h * direction))
        else:
            total += direction / h * (above - base)
    return total / len(z)


def _curvature(mean: Array, std: Array, y: Array, h: Array) -> Array:
    ends = _log_density(mean, std, y + h) + _log_density(mean, std, y - h)
    return (ends - 2.0 * _log_density(mean, std, y)) / h**2
