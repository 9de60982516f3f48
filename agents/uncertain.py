"""Gradient of the bound by the moments of a factorised Gaussian ``q(W)``, for a latent basis."""

from __future__ import annotations

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.features.basis import LatentBasis
from coolgp.agents.kernels import project
from coolgp.agents.model import Batch, Model

__all__ = ["uncertain_gradient"]


def uncertain_gradient(
    model: Model, theta: Array, batch: Batch, alpha: Array, shrink: Array, count: Array
) -> tuple[Array, Array]:
    """By mean and standard deviation of ``q(W)``, each ``[A, P, D]``, per observation.

    ``Σ_n [σ_s y E[κ]ᵀα + ½σ_s² tr(E[κκᵀ](F - ααᵀ))]/(σ_η² n) - KL(q(W)‖p(W))/count``, differentiated through the
    closed forms (paper, eq. 3). alpha ``[A, M]``, shrink ``[A, M, M]``: see ``coolgp.agents.learning.Held``.
    """
    assert isinstance(model.basis, LatentBasis)
    layout, points = model.layout, model.basis.inducing
    mean, spread = layout.projection(theta), layout.spread(theta)
    signal, noise = layout.signal_variance(theta), layout.noise_variance(theta)
    first, second = model.basis.expected(model.geometry(theta), batch.x, mean, spread)
    share = batch.mask / (np.maximum(batch.count, 1.0) * noise)[:, None]
    linear = (np.sqrt(signal)[:, None] * batch.y * share)[..., None] * alpha[:, None, :] * first
    form = 0.5 * signal[:, None, None] * (shrink - alpha[..., :, None] * alpha[..., None, :])
    pairs = share[..., None, None] * form[:, None] * second
    centre, t = project(batch.x, mean), np.square(batch.x) @ np.square(spread).swapaxes(-1, -2)
    one = _moments(linear, centre, points)
    two = _pair_moments(pairs, centre, points)
    by_centre = -one[1] / (1 + t) - 2 * two[1] / (1 + 2 * t)
    by_t = -0.5 * one[0] / (1 + t) + 0.5 * one[2] / (1 + t) ** 2
    by_t += -two[0] / (1 + 2 * t) + 2 * two[2] / (1 + 2 * t) ** 2
    by_mean = by_centre.swapaxes(-1, -2) @ batch.x
    by_spread = 2 * spread * (by_t.swapaxes(-1, -2) @ np.square(batch.x))
    prior = np.maximum(count, 1.0)[:, None, None]
    return by_mean - mean / prior, by_spread - (spread - _reciprocal(spread)) / prior


def _moments(weight: Array, centre: Array, points: Array) -> tuple[Array, Array, Array]:
    """``Σ_j H_nj (c_ni - z_ji)^p`` for p = 0, 1, 2: weight ``[A,B,M]``, centre ``[A,B,P]`` -> three ``[A,B,P]``."""
    total = weight.sum(-1)[..., None]
    once, twice = weight @ points, weight @ np.square(points)
    return total, total * centre - once, total * np.square(centre) - 2 * centre * once + twice


def _pair_moments(weight: Array, centre: Array, points: Array) -> tuple[Array, Array, Array]:
    """The same about pair midpoints ``(z_ji + z_ki)/2``: symmetric weight ``[A,B,M,M]``."""
    total = weight.sum((-2, -1))[..., None]
    rows = weight.sum(-1)
    once = rows @ points
    crossed = np.einsum("abji,ji->abi", weight @ points, points)
    twice = 0.5 * (rows @ np.square(points) + crossed)
    return total, total * centre - once, total * np.square(centre) - 2 * centre * once + twice


def _reciprocal(spread: Array) -> Array:
    return np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)
