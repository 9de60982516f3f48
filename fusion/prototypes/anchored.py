"""Prototypes of classes in a pool without labels, by EM, each held by what is known of its class.

Axes: ``K`` classes, ``D`` inputs, ``U`` rows of the pool.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import softmax

from coolgp.agents.base.arrays import Array, Indices

__all__ = ["Anchors", "Prototypes", "anchors_of", "expected", "settled"]


@dataclass(frozen=True)
class Anchors:
    """What holds prototypes: weighted sums of inputs ``[K, D]``, and the weights ``[K]``. They add up."""

    sums: Array
    weights: Array

    def __add__(self, other: Anchors) -> Anchors:
        return Anchors(self.sums + other.sums, self.weights + other.weights)

    def __getitem__(self, classes: Indices) -> Anchors:
        return Anchors(self.sums[classes], self.weights[classes])


@dataclass(frozen=True)
class Prototypes:
    """Prototypes ``centres [K, D]``, the variance of an input about its own, and what rows of the pool ``[U, K]`` are.

    rows: shares, which sum to one.
    """

    centres: Array
    variance: float
    rows: Array

    @property
    def mass(self) -> Array:
        """Rows of the pool of each class ``[K]``."""
        total: Array = self.rows.sum(axis=0)
        return total


def anchors_of(x: Array, places: Indices, classes: int, weight: float) -> Anchors:
    """Anchors of examples ``[n, D]`` of the classes at these places ``[n]``, each with a weight."""
    one = np.zeros((classes, len(x)))
    one[places, np.arange(len(x))] = weight
    return Anchors(one @ x, one.sum(axis=1))


def expected(centres: Array, pool: Array, temperature: float) -> Prototypes:
    """The E step: shares at prototypes ``[K, D]``, and the variance by the median squared distance to the nearest."""
    squares = cdist(pool, centres, "sqeuclidean")
    variance = max(float(np.median(squares.min(axis=1))) / pool.shape[1], np.finfo(float).tiny)
    return Prototypes(centres, variance, np.asarray(softmax(-squares / (2.0 * temperature * variance), axis=1)))


def settled(anchors: Anchors, pool: Array, steps: int, temperature: float) -> Prototypes:
    """Prototypes after so many steps of EM from the anchors' means.

    A prototype is the mean of its anchors, with their weights, and of the pool's rows, with their shares. Every class
    needs an anchor.
    """
    prototypes = expected(anchors.sums / anchors.weights[:, None], pool, temperature)
    for _ in range(steps):
        sums, weights = anchors.sums + prototypes.rows.T @ pool, anchors.weights + prototypes.mass
        prototypes = expected(sums / weights[:, None], pool, temperature)
    return prototypes
