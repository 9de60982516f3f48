"""Surrogates of classifiers, ``q(k|x) ∝ exp(φᵀw_k)``: a product of them has the sum of their weights.

Axes: ``J`` owners, ``Q`` queries, ``D`` inputs, ``P`` features, ``K`` classes.
"""

from __future__ import annotations

from dataclasses import dataclass

from scipy.special import log_softmax, softmax

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.surrogates.features import InducingFeatures

__all__ = ["SoftmaxSurrogate"]


@dataclass(frozen=True)
class SoftmaxSurrogate:
    """weights ``[P, K]``; classes ``[K]``: their labels.

    The product of J surrogates, each to a power, is the surrogate whose weights are the power times their sum.
    """

    features: InducingFeatures
    weights: Array
    classes: Array

    @property
    def inputs(self) -> int:
        """Number of inputs D."""
        return len(self.features.lengthscale)

    @property
    def size(self) -> int:
        """Numbers that predictions need."""
        return self.features.size + int(self.weights.size)

    def log_probabilities(self, x: Array) -> Array:
        """Logarithms of probabilities ``[Q, K]`` at x ``[Q, D]``."""
        values: Array = log_softmax(self.features(x) @ self.weights, axis=1)
        return values

    def predict_proba(self, x: Array) -> Array:
        """Probabilities ``[Q, K]`` at x ``[Q, D]``."""
        shares: Array = softmax(self.features(x) @ self.weights, axis=1)
        return shares
