"""How good class probabilities are: of every agent, on rows whose classes are known.

Axes: `N` agents, `Q` rows, `K` classes.
"""

from __future__ import annotations

import numpy as np

from coolgp.agents.base.arrays import Array, Indices

__all__ = ["BINS", "accuracy", "brier", "calibration_error", "log_loss", "reliability"]

SMALLEST = 1e-15
"""Probabilities below count as this: the logarithm of 0 is not finite."""
BINS = 15
"""Of equal width, by the probability of the class that is predicted."""


def accuracy(probabilities: Array, y: Indices) -> Array:
    """Share of rows ``[N]`` whose class has the largest of the probabilities ``[N, Q, K]``; y ``[Q]``: the classes."""
    right: Array = (probabilities.argmax(axis=2) == y).mean(axis=1)
    return right


def log_loss(probabilities: Array, y: Indices) -> Array:
    """Mean negative log probability ``[N]`` of the class, in nats; probabilities below 1e-15 count as that."""
    of_class = probabilities[:, np.arange(len(y)), y]
    loss: Array = -np.log(np.maximum(of_class, SMALLEST)).mean(axis=1)
    return loss


def brier(probabilities: Array, y: Indices) -> Array:
    """Mean square difference ``[N]`` of the last class's probability from 1 where a row is of it, else 0; two classes.

    Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 1950, halved.
    """
    score: Array = np.square(probabilities[:, :, -1] - y).mean(axis=1)
    return score


def calibration_error(probabilities: Array, y: Indices) -> Array:
    """Expected calibration error ``[N]``: mean distance of confidence from accuracy over bins, weighted by their rows.

    Confidence is the largest probability of a row. Naeini, Cooper & Hauskrecht, "Obtaining well calibrated
    probabilities using Bayesian binning", AAAI 2015.
    """
    share, confidence, right = reliability(probabilities, y)
    error: Array = (share * np.abs(confidence - right)).sum(axis=1)
    return error


def reliability(probabilities: Array, y: Indices) -> tuple[Array, Array, Array]:
    """Of each bin of confidence ``[N, BINS]``: the share of rows, their mean confidence and accuracy; 0 where empty."""
    confidence, right = probabilities.max(axis=2), probabilities.argmax(axis=2) == y
    bins = np.minimum((confidence * BINS).astype(np.intp), BINS - 1)
    place = bins + BINS * np.arange(len(bins))[:, None]
    size = BINS * len(bins)

    def summed(weights: Array) -> Array:
        sums = np.bincount(place.ravel(), weights.ravel(), minlength=size)
        return np.asarray(sums, dtype=float).reshape(-1, BINS)

    counts = summed(np.ones_like(confidence))
    rows = np.maximum(counts, 1.0)
    return counts / max(len(y), 1), summed(confidence) / rows, summed(right.astype(float)) / rows
