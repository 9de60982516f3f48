"""Fusing surrogates: what each owner adds to a sum over the graph, and the predictions that follow from the sum.

Once experts are imitated nobody asks them again. The logarithm of a product of Gaussian densities adds up input by
input; that of a product of softmaxes has the sum of the weights, for every input there is. Axes: ``A`` owners, ``Q``
queries, ``P`` features, ``K`` classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.surrogates.features import InducingFeatures
from coolgp.agents.experts.surrogates.linear import FusedLinearSurrogates, LinearSurrogate
from coolgp.agents.experts.surrogates.softmax import SoftmaxSurrogate
from coolgp.agents.experts.task import Task
from coolgp.fusion.blackbox.imitation.slopes import Predicts
from coolgp.fusion.blackbox.uncertainty import VARIANCES, Pooled, Uncertainty

__all__ = ["POWERS", "FusedAnswers", "FusedWeights", "Fusing", "fused_model", "fusing", "owner_rows"]

WEIGHTS = ("mean_weights", "log_std_weights")
POWERS: Mapping[str, Callable[[Array], Array]] = {"gpoe": lambda owners: 1.0 / owners, "product": np.ones_like}
"""To which power a density of so many owners is taken, by the kind of uncertainty; a mixture is no product."""


def fusing(task: Task, features: InducingFeatures, x: Array, uncertainty: Uncertainty) -> Fusing:
    """How surrogates of a task are fused at x ``[Q, D]``."""
    if not task.labels:
        return FusedAnswers(uncertainty, x)
    blank = SoftmaxSurrogate(features, np.zeros((features.count, task.columns)), np.array(task.labels))
    return FusedWeights(uncertainty, x, blank)


def owner_rows(surrogates: Sequence[Any], form: Fusing) -> Array:
    """What each owner adds, and a one ``[A, length + 1]``; zeros where there is no surrogate (None)."""
    empty = np.zeros(form.length + 1)
    return np.stack([empty if each is None else np.append(form.row(each), 1.0) for each in surrogates])


def fused_model(surrogates: Sequence[Any], uncertainty: Uncertainty) -> FusedLinearSurrogates | SoftmaxSurrogate:
    """All surrogates as one model. Raises ValueError for those that have no such product."""
    first = surrogates[0]
    if uncertainty not in POWERS or not isinstance(first, LinearSurrogate | SoftmaxSurrogate):
        raise ValueError(
            f'one model of surrogates is a product of linear ones: take family "linear", and uncertainty '
            f'{" | ".join(POWERS)}; got "{uncertainty}" of {type(first).__name__}'
        )
    power = float(POWERS[uncertainty](np.array(float(len(surrogates)))))
    if isinstance(first, SoftmaxSurrogate):
        return replace(first, weights=power * np.sum([each.weights for each in surrogates], axis=0))
    mean, log_std = (np.stack([getattr(each, name) for each in surrogates]) for name in WEIGHTS)
    return FusedLinearSurrogates(LinearSurrogate(first.features, mean, log_std), power)


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


Fusing = FusedAnswers | FusedWeights
