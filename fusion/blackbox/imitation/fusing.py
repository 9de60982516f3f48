"""Fusing surrogates: what each owner adds to a sum over the graph, and the predictions that follow from the sum.

Once experts are imitated nobody asks them again. The logarithm of a product of Gaussian densities adds up input by
input; that of a product of softmaxes has the sum of the weights, for every input there is. Axes: ``A`` owners, ``Q``
queries, ``P`` features, ``K`` classes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.surrogates.softmax import SoftmaxSurrogate
from coolgp.fusion.blackbox.imitation.slopes import Predicts
from coolgp.fusion.blackbox.uncertainty import VARIANCES, Pooled, Uncertainty

__all__ = ["POWERS", "FusedAnswers", "FusedWeights"]

POWERS = {"gpoe": lambda owners: 1.0 / owners, "product": lambda owners: np.ones_like(owners)}
"""To which power a density of so many owners is taken, by the kind of uncertainty; a mixture is no product."""


@dataclass(frozen=True)
class FusedAnswers:
    """Sums of surrogates' answers at x ``[Q, D]``. uncertainty: of the fused prediction."""

    uncertainty: Uncertainty
    x: Array

    @property
    def length(self) -> int:
        """Numbers that an owner adds."""
        return 4 * len(self.x)

    def row(self, surrogate: Predicts) -> Array:
        """Precisions, means weighted by them, means, and second moments ``[4 Q]``."""
        mean, std = surrogate.predict(self.x)
        precision = np.square(1.0 / std)
        return np.concatenate([precision, precision * mean, mean, np.square(std) + np.square(mean)])

    def answers(self, sums: Array, count: Array) -> Array:
        """Mean and variance ``[A, Q, 2]`` from sums ``[A, 4 Q]`` of count ``[A]`` owners."""
        precision, weighted, mean, second = np.split(sums, 4, axis=1)
        centre, each = weighted / precision, count[:, None]
        around = second / each - 2.0 * centre * mean / each + np.square(centre)
        variance = VARIANCES[self.uncertainty](Pooled(precision, around, count))
        return np.stack([centre, np.where(variance > 0, variance, np.nan)], axis=2)


@dataclass(frozen=True)
class FusedWeights:
    """Sums of the weights of softmax surrogates, read at x ``[Q, D]``. like: any of them."""

    uncertainty: Uncertainty
    x: Array
    like: SoftmaxSurrogate

    @property
    def length(self) -> int:
        """Numbers that an owner adds."""
        return int(self.like.weights.size)

    def row(self, surrogate: SoftmaxSurrogate) -> Array:
        """The weights ``[P K]``."""
        return surrogate.weights.ravel()

    def answers(self, sums: Array, count: Array) -> Array:
        """Probabilities ``[A, Q, K]`` from sums ``[A, P K]`` of count ``[A]`` owners."""
        weights = (POWERS[self.uncertainty](count)[:, None] * sums).reshape(len(sums), *self.like.weights.shape)
        return np.stack([replace(self.like, weights=own).predict_proba(self.x) for own in weights])
