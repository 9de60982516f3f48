"""Densities of answers: Gaussian, with the standard deviation that an expert states or that its residuals have.

Axes: ``Q`` queries, ``D`` inputs, ``K`` classes.
"""

from __future__ import annotations

import numpy as np

from coolgp.agents.base.arrays import Array

__all__ = ["FLOOR", "floored_log", "gaussian_log_density", "residual_std"]

FLOOR = 1e-15
"""The least probability of a class whose logarithm is taken: as log loss counts it."""


def gaussian_log_density(y: Array, mean: Array, std: Array) -> Array:
    """``log N(y | mean, std²)`` in nats; the arguments broadcast.

    >>> float(gaussian_log_density(np.zeros(1), np.zeros(1), np.ones(1))[0])
    -0.9189385332046727
    """
    deviation: Array = (y - mean) / std
    density: Array = -0.5 * np.square(deviation) - np.log(std) - 0.5 * np.log(2.0 * np.pi)
    return density


def floored_log(probabilities: Array, floor: float = FLOOR) -> Array:
    """Logarithms of probabilities, in nats, where those below the floor count as the floor; no row is scaled again."""
    return np.log(np.maximum(probabilities, floor))


def residual_std(mean: Array, y: Array) -> float:
    """Root mean square of residuals on rows that a model was not trained on: its bias counts as spread.

    Raises ValueError for no rows, or where all residuals are 0: such rows are those of training.
    """
    residuals = np.asarray(y, dtype=float) - mean
    spread = float(np.sqrt(np.mean(np.square(residuals)))) if residuals.size else 0.0
    if not (np.isfinite(spread) and spread > 0):
        raise ValueError(
            f"needed rows that the model was not trained on, with residuals other than 0; got {residuals.size} rows "
            f"with a root mean square of {spread:g}"
        )
    return spread
