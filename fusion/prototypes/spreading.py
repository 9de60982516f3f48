"""Label spreading: labels of a few examples, spread over a pool by similarity of rows.

With ``W_ij = exp(-γ ‖x_i - x_j‖²)``, no row similar to itself, and degrees ``d``, labels are ``(I - α S)⁻¹ Y`` with
``S = d^-½ W d^-½``; a query takes the mean of the rows' labels, weighed by similarity. Source: Zhou, Bousquet, Lal,
Weston & Schölkopf, "Learning with Local and Global Consistency", NIPS 2003. Axes: ``n`` rows, ``C`` classes, ``D``
inputs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve
from scipy.spatial.distance import cdist

from coolgp.agents.base.arrays import Array, Indices

__all__ = ["SpreadLabels", "spread"]

ALPHA = 0.2
"""How much of its label a row takes from others."""
MOST = 2_000
"""Rows at most, for the cost grows with their cube."""


@dataclass(frozen=True)
class SpreadLabels:
    """Rows ``[n, D]``, what they are ``[n, C]``, and how fast similarity falls with squared distance."""

    rows: Array
    labels: Array
    sharpness: float

    def predict_proba(self, x: Array) -> Array:
        """Probabilities ``[Q, C]`` at x ``[Q, D]``."""
        squares = cdist(x, self.rows, "sqeuclidean")
        near = np.exp(-self.sharpness * (squares - squares.min(axis=1, keepdims=True)))  # never all 0
        shares = near @ self.labels
        probabilities: Array = shares / shares.sum(axis=1, keepdims=True)
        return probabilities


def spread(x: Array, places: Indices, pool: Array, classes: int, sharpness: float) -> SpreadLabels:
    """Labels of examples x ``[M, D]`` at places ``[M]``, spread over the pool ``[U, D]``: its first 2,000 rows."""
    rows = np.vstack([x, pool[:MOST]])
    given = np.zeros((len(rows), classes))
    given[np.arange(len(x)), places] = 1.0
    near = np.exp(-sharpness * cdist(rows, rows, "sqeuclidean"))
    np.fill_diagonal(near, 0.0)
    root = np.sqrt(np.maximum(near.sum(axis=1), np.finfo(float).tiny))
    labels = solve(np.eye(len(rows)) - ALPHA * near / root[:, None] / root, given, assume_a="pos")
    labels = np.maximum(labels, 0.0) + np.finfo(float).tiny  # rows that no label reaches are anything
    return SpreadLabels(rows, labels / labels.sum(axis=1, keepdims=True), sharpness)
