"""Prototypes of classes in a pool without labels, by EM, each held by what is known of its class.

Axes: ``K`` classes, ``D`` inputs, ``U`` rows of the pool.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import softmax

from coolgp.agents.base.arrays import Array, Indices

__all__ = ["Anchors", "Prototypes", "anchors_of", "balanced", "expected", "settled"]

STEPS = 30
"""Of balancing."""


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


def balanced(shares: Array, classes: int, strength: float = 1.0, weights: Array | None = None) -> Array:
    """Shares ``[U, K]``, whose rows sum to one, with a factor for each of the first classes so that their sums agree.

    One example tells where a class is, and nothing of how far it reaches: the more central one takes rows of the other.
    Classes that are about equally frequent have equal sums. The other classes are the background, without factors.
    strength: exponent of the factors, 0 changes nothing. weights ``[U]``: of the rows in the sums.

    Source: class mass normalization of Zhu, Ghahramani & Lafferty, "Semi-Supervised Learning Using Gaussian Fields and
    Harmonic Functions", ICML 2003, repeated until rows sum to one too (Sinkhorn).

    >>> balanced(np.array([[0.9, 0.1], [0.6, 0.4]]), 2).sum(axis=0).round(3)
    array([1., 1.])
    """
    weights = np.ones(len(shares)) if weights is None else weights
    factors = np.ones(shares.shape[1])
    for _ in range(STEPS):
        sums = weights @ _scaled(shares, factors)[:, :classes]
        factors[:classes] *= np.sqrt(sums.mean() / sums)  # half of the way: no step too far
    return _scaled(shares, factors**strength)


def _scaled(shares: Array, factors: Array) -> Array:
    products = shares * factors
    rows: Array = products / products.sum(axis=1, keepdims=True)
    return rows
