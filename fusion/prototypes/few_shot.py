"""Logistic regression on a few examples, and on rows of a pool that may be of their classes."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression

from coolgp.agents.base.arrays import Array, Indices

__all__ = ["FewShot", "few_shot"]

LEAST = 0.05
"""Rows of the pool that are of the task's classes with less are left out."""


class FewShot:
    """Logistic regression over the classes of a task, by place: one class alone is certain."""

    def __init__(self, classes: int, penalty: float) -> None:
        self.classes = classes
        self.model = LogisticRegression(C=1.0 / penalty, max_iter=1000)

    def fit(self, x: Array, places: Indices, weights: Array) -> FewShot:
        """x ``[n, D]``, places ``[n]`` of their classes, of which there are examples of each."""
        if self.classes > 1:
            self.model.fit(x, places, sample_weight=weights)
        return self

    def predict_proba(self, x: Array) -> Array:
        """Probabilities ``[Q, C]``."""
        return np.asarray(self.model.predict_proba(x)) if self.classes > 1 else np.ones((len(x), 1))


def few_shot(
    x: Array, places: Indices, pool: Array, shares: Array, example_weight: float = 3.0, penalty: float = 1.0
) -> FewShot:
    """Fitted to examples x ``[n, D]`` at places ``[n]``, and to rows of a pool ``[U, D]`` with shares ``[U, C]``."""
    classes = shares.shape[1]
    chosen = np.flatnonzero(shares.sum(axis=1) > LEAST)
    rows = np.vstack([x, pool[chosen.repeat(classes)]])
    labels = np.concatenate([places, np.tile(np.arange(classes), len(chosen))])
    weights = np.concatenate([np.full(len(x), example_weight), shares[chosen].ravel()])
    used = weights > 0.0
    return FewShot(classes, penalty).fit(rows[used], labels[used], weights[used])
