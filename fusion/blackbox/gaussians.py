"""Closed forms of what Gaussian experts say together, from means and standard deviations ``[m, Q]`` of m experts.

They need all means and variances in one place; over a graph :mod:`coolgp.fusion.blackbox.cigar` finds the same.
Sources: Hoang, Hoang, Low & Kingsford, "Collective Model Fusion for Multiple Black-Box Experts", ICML 2019; Cao &
Fleet, "Generalized Product of Experts", 2014.
"""

from __future__ import annotations

import numpy as np

from coolgp.agents.base.arrays import Array

__all__ = ["generalised_product", "identified", "mixture", "product"]

Moments = tuple[Array, Array]


def product(mean: Array, std: Array) -> Moments:
    """Mean and standard deviation ``[Q]`` of the product ``∏ N(μ_i, σ_i²)``.

    It takes the experts for independent; where they learned the same, its standard deviation is far too small.

    >>> [values.tolist() for values in product(np.array([[0.0], [4.0]]), np.array([[1.0], [1.0]]))]
    [[2.0], [0.7071067811865476]]
    """
    return generalised_product(mean, std, np.ones(len(mean)))


def generalised_product(mean: Array, std: Array, powers: Array | None = None) -> Moments:
    """Mean and standard deviation ``[Q]`` of ``∏ N(μ_i, σ_i²)^β_i``.

    powers: β ``[m]``; default 1/m each, so that they sum to one and experts that agree are no surer than one of them.
    """
    beta = np.full(len(mean), 1.0 / len(mean)) if powers is None else powers
    precision = beta[:, None] / np.square(std)
    total = precision.sum(axis=0)
    return (precision * mean).sum(axis=0) / total, np.sqrt(1.0 / total)


def mixture(mean: Array, std: Array) -> Moments:
    """Mean and standard deviation ``[Q]`` of an expert that is drawn at random."""
    centre = mean.mean(axis=0)
    return centre, np.sqrt((np.square(std) + np.square(mean - centre)).mean(axis=0))


def identified(below: Array, at: Array, above: Array, y: Array, width: Array) -> Moments:
    """Mean and standard deviation of a Gaussian from its log density at ``y - h``, ``y`` and ``y + h``, for h = width.

    ``σ² = -1/d₂`` and ``μ = y - d₁/d₂`` for first and second differences: three answers give a Gaussian expert away.
    """
    slope, curvature = (above - below) / (2.0 * width), (above - 2.0 * at + below) / np.square(width)
    return y - slope / curvature, np.sqrt(-1.0 / curvature)
