"""Gradient of the bound by the moments of a factorised Gaussian ``q(W)``, for a latent basis."""

from __future__ import annotations

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.batches import Batch
from coolgp.agents.features.basis import LatentBasis
from coolgp.agents.kernels.base import expectations_of
from coolgp.agents.model import Model

__all__ = ["uncertain_gradient"]


def uncertain_gradient(
    model: Model, theta: Array, batch: Batch, alpha: Array, shrink: Array, count: Array
) -> tuple[Array, Array]:
    """By mean and standard deviation of ``q(W)``, each ``[A, P, D]``, per observation.

    ``Σ_n [σ_s y E[κ]ᵀα + ½σ_s² tr(E[κκᵀ](F - ααᵀ))]/(σ_η² n) - KL(q(W)‖p(W))/count``, differentiated through the
    kernel's closed forms (paper, eq. 3). alpha ``[A, M]``, shrink ``[A, M, M]``: as in
    :class:`coolgp.agents.learning.FixedPosterior`.
    """
    assert isinstance(model.basis, LatentBasis)
    layout = model.layout
    mean, spread = layout.projection(theta), layout.spread(theta)
    signal, noise = layout.signal_variance(theta), layout.noise_variance(theta)
    share = batch.mask / (np.maximum(batch.count, 1.0) * noise)[:, None]
    linear = (np.sqrt(signal)[:, None] * batch.y * share)[..., None] * alpha[:, None, :]
    form = 0.5 * signal[:, None, None] * (shrink - alpha[..., :, None] * alpha[..., None, :])
    by_mean, by_spread = expectations_of(model.basis.kernel).expected_slopes(
        batch.x, model.basis.inducing, mean, spread, linear, share[..., None, None] * form[:, None]
    )
    prior = np.maximum(count, 1.0)[:, None, None]
    return by_mean - mean / prior, by_spread - (spread - _reciprocal(spread)) / prior


def _reciprocal(spread: Array) -> Array:
    return np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)
