"""Diagonal normal distributions by mean and log variance: draws, divergences, and the derivatives of both."""

from __future__ import annotations

import numpy as np

from coolgp.agents.base.arrays import Array

__all__ = ["divergence", "divergence_slopes", "drawn", "drawn_slopes", "halves"]

LOWEST, HIGHEST = -8.0, 4.0
"""Log variances that networks answer are held within these."""


def halves(outputs: Array) -> tuple[Array, Array, Array]:
    """Means and log variances, each ``[..., d]``, in outputs ``[..., 2 d]``; and where a log variance was not held."""
    mean, raw = np.split(outputs, 2, axis=-1)
    return mean, np.clip(raw, LOWEST, HIGHEST), ((raw > LOWEST) & (raw < HIGHEST)).astype(float)


def drawn(mean: Array, log_variance: Array, noise: Array) -> Array:
    """A draw for standard normal noise, all ``[..., d]``."""
    draw: Array = mean + noise * np.exp(0.5 * log_variance)
    return draw


def drawn_slopes(slope: Array, log_variance: Array, noise: Array) -> tuple[Array, Array]:
    """Derivatives by mean and log variance of what has this slope by the draw."""
    return slope, slope * 0.5 * noise * np.exp(0.5 * log_variance)


def divergence(mean: Array, log_variance: Array, other_mean: Array | float, other_log_variance: Array | float) -> Array:
    """Kullback-Leibler divergence ``[...]`` of the first distribution from the other, nats."""
    spread = np.exp(log_variance) + np.square(mean - other_mean)
    terms = other_log_variance - log_variance + spread * np.exp(-np.asarray(other_log_variance)) - 1.0
    total: Array = 0.5 * terms.sum(axis=-1)
    return total


def divergence_slopes(
    mean: Array, log_variance: Array, other_mean: Array | float, other_log_variance: Array | float
) -> tuple[Array, Array, Array, Array]:
    """Derivatives of the divergence by its four arguments, each ``[..., d]``."""
    precision = np.exp(-np.asarray(other_log_variance))
    by_mean = (mean - other_mean) * precision
    spread = (np.exp(log_variance) + np.square(mean - other_mean)) * precision
    by_log_variance = 0.5 * (np.exp(log_variance) * precision - 1.0)
    return by_mean, by_log_variance, -by_mean, 0.5 * (1.0 - spread)
