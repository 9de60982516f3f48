"""Predictive scores of agents on rows of their own: what evidence and models are judged by."""

from __future__ import annotations

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.base.triangular import product_with_lower
from coolgp.agents.features.basis import LatentBasis
from coolgp.agents.model import Model, agreed
from coolgp.agents.prediction import Posterior, Prediction, posterior, shared
from coolgp.agents.statistics import Evidence

__all__ = ["log_loss", "predict_rows", "predict_rows_at", "square_loss"]


def predict_rows(model: Model, theta: Array, evidence: Evidence, x: Array) -> Prediction:
    """Predictions ``[A, B]`` of agents with ``θ [A, K]`` and evidence ``[A]``, each at its own rows ``x [A, B, D]``."""
    return predict_rows_at(model, theta, posterior(model, *shared(theta, evidence)), x)


def predict_rows_at(model: Model, theta: Array, belief: Posterior, x: Array) -> Prediction:
    """:func:`predict_rows` for posteriors that were formed before: ``A``, or one where all agents agree."""
    mean, variance = (_expected if model.expects else _certain)(model, theta, belief, x)
    signal = model.layout.signal_variance(theta)[:, None]
    noise = model.layout.noise_variance(theta)
    return Prediction(np.sqrt(signal) * mean, signal * np.maximum(variance, 0.0), noise)


def log_loss(prediction: Prediction, y: Array) -> Array:
    """Negative log predictive density of observations y ``[A, B]``, in nats."""
    variance = prediction.variance + prediction.noise_variance[:, None]
    loss: Array = 0.5 * (np.log(2.0 * np.pi * variance) + np.square(y - prediction.mean) / variance)
    return loss


def square_loss(prediction: Prediction, y: Array) -> Array:
    """Squared error of observations y ``[A, B]``."""
    loss: Array = np.square(y - prediction.mean)
    return loss


def _certain(model: Model, theta: Array, belief: Posterior, x: Array) -> tuple[Array, Array]:
    """Mean and variance ``[A, B]`` for a unit signal, as :func:`coolgp.agents.prediction.predict` has them."""
    geometry = belief.geometry
    kappa = model.basis.values(geometry.points, model.layout.projection(agreed(theta)), x)  # [A, M, B]
    unknown = 1.0 - np.square(product_with_lower(geometry.inverse, kappa)).sum(-2)
    return (belief.weights[:, None, :] @ kappa)[:, 0], unknown + np.square(belief.reach @ kappa).sum(-2)


def _expected(model: Model, theta: Array, belief: Posterior, x: Array) -> tuple[Array, Array]:
    """The same under an uncertain projection, by the law of total variance."""
    assert isinstance(model.basis, LatentBasis)
    projection, spread = model.layout.projection(theta), model.layout.spread(theta)
    first, second = model.basis.expected(belief.geometry, x, projection, spread)
    alpha = belief.weights
    form = alpha[:, :, None] * alpha[:, None, :] - belief.shrink
    mean = (first @ alpha[..., None])[..., 0]
    return mean, 1.0 + (second * form[:, None]).sum((-2, -1)) - np.square(mean)
