"""Shares of classes, rescaled so that each class of a task has as many rows: what examples alone do not say.

One example tells where a class is, and nothing of how far it reaches: the class with the more central example takes
rows of the other. Where classes are about equally frequent, equal sums of shares correct this. Source: class mass
normalization of Zhu, Ghahramani & Lafferty, "Semi-Supervised Learning Using Gaussian Fields and Harmonic Functions",
ICML 2003, repeated until rows sum to one too (Sinkhorn).
"""

from __future__ import annotations

import numpy as np

from coolgp.agents.base.arrays import Array

__all__ = ["balanced"]

STEPS = 30


def balanced(shares: Array, classes: int, strength: float = 1.0, weights: Array | None = None) -> Array:
    """Shares ``[U, K]``, whose rows sum to one, with a factor for each of the first classes so that their sums agree.

    The other classes are the background; they have no factor. strength: exponent of the factors, 0 changes nothing.
    weights ``[U]``: of the rows in the sums.

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
