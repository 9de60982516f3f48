"""Surrogates of regressors, ``q(y|x) = N(μ(x), s(x)²)`` with ``μ = φᵀβ`` and ``ln s = φᵀγ``, and their product.

Axes: ``J`` owners, ``Q`` queries, ``D`` inputs, ``P`` features.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.surrogates.features import InducingFeatures

__all__ = ["FusedLinearSurrogates", "LinearSurrogate", "product"]


@dataclass(frozen=True)
class LinearSurrogate:
    """One surrogate, or several of the same features. mean_weights ``β [..., P]``, log_std_weights ``γ [..., P]``."""

    features: InducingFeatures
    mean_weights: Array
    log_std_weights: Array

    @property
    def size(self) -> int:
        """Numbers that predictions need beside the features."""
        return 2 * int(self.mean_weights.size)

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of an observation at x ``[Q, D]``, each ``[..., Q]``."""
        columns = self.features(x).T
        return self.mean_weights @ columns, np.exp(self.log_std_weights @ columns)

    def slopes(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Derivatives of ``log q(y|x)`` of one surrogate by ``μ(x)`` and by ``ln s(x)``, each of the shape of y.

        By weights they are these times ``φ(x)``, and by y minus the first.
        """
        mean, std = self.predict(x)
        error = (y - mean) / std
        return error / std, np.square(error) - 1.0

    def moved(self, mean: Array, log_std: Array) -> Self:
        """The surrogate with weights that differ by so much, each ``[..., P]``."""
        return type(self)(self.features, self.mean_weights + mean, self.log_std_weights + log_std)


@dataclass(frozen=True)
class FusedLinearSurrogates:
    """The product of the densities of J surrogates, each to a power: a model that asks nobody.

    surrogates: weights ``[J, P]``. power: ``1/J`` for the generalised product, whose powers sum to one; 1 for the
    product of experts, which takes experts for independent.
    """

    surrogates: LinearSurrogate
    power: float

    @property
    def inputs(self) -> int:
        """Number of inputs D."""
        return len(self.surrogates.features.lengthscale)

    @property
    def size(self) -> int:
        """Numbers that predictions need."""
        return self.surrogates.features.size + self.surrogates.size

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of an observation at x ``[Q, D]``, each ``[Q]``."""
        mean, variance = product(*self.surrogates.predict(x), self.power)
        return mean, np.sqrt(variance)


def product(means: Array, stds: Array, power: float) -> tuple[Array, Array]:
    """Mean and variance ``[Q]`` of the product of Gaussian densities ``[J, Q]``, each to a power.

    >>> mean, variance = product(np.array([[0.0], [2.0]]), np.ones((2, 1)), 0.5)
    >>> mean.tolist(), variance.tolist()
    ([1.0], [1.0])
    """
    precisions = np.square(1.0 / stds)
    total = precisions.sum(axis=0)
    mean: Array = (precisions * means).sum(axis=0) / total
    variance: Array = 1.0 / (power * total)
    return mean, variance
