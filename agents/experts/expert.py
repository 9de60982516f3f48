"""What every fitted model is seen as: a regressor with mean and standard deviation, or a classifier with probabilities.

Axes: ``Q`` queries, ``D`` inputs, ``K`` classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from coolgp.agents.base.arrays import Array

__all__ = ["Classifier", "Expert", "Regressor"]

ROUNDING = 1e-3
"""By how much the probabilities of a row may differ from one in their sum: single precision, and rounded outputs."""


@dataclass(frozen=True)
class Regressor:
    """A fitted regression model.

    name: how messages call it. moments: from x ``[Q, D]`` to mean ``[Q]`` and standard deviation ``[Q]`` of an
    observation, NaN where the model has none. inputs: how many it takes, None where it does not say. parameters: what
    fusion by parameters works on (:class:`coolgp.agents.experts.network.Network`, say), None of a black box.
    closed: why there are none, of a model that might have had them. limit: seconds after which a call fails by itself,
    of what answers outside of this process; None of what is within. features: what the model calls its inputs, in their
    order; empty where it does not say.
    """

    name: str
    moments: Callable[[Array], tuple[Array, Array]]
    inputs: int | None = None
    parameters: Any = None
    closed: str = ""
    limit: float | None = None
    features: tuple[str, ...] = ()

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Mean and standard deviation, each ``[Q]``. Raises ValueError where the model answers anything else."""
        _check_inputs(self, x)
        mean, std = (np.asarray(values, dtype=float) for values in self.moments(x))
        for values, what in ((mean, "mean"), (std, "standard deviation")):
            if values.shape != (len(x),):
                raise ValueError(f"{self.name}: needed a {what} for each of {len(x)} rows; got shape {values.shape}")
        if not np.isfinite(mean).all():
            raise ValueError(f"{self.name}: predicts what is not finite for {np.sum(~np.isfinite(mean))} rows")
        lacking = ~np.isfinite(std)
        if lacking.any() and not np.isnan(std).all():  # of a model that tells none, all are NaN
            raise ValueError(f"{self.name}: predicts a standard deviation that is not finite for {lacking.sum()} rows")
        if (std < 0).any():
            raise ValueError(f"{self.name}: needed standard deviations of at least 0; got {std.min():.3g}")
        return mean, std


@dataclass(frozen=True)
class Classifier:
    """A fitted classification model; classes ``[K]``: labels in the order of its probabilities; else as `Regressor`.

    probability: from x ``[Q, D]`` to probabilities ``[Q, K]``.
    """

    name: str
    probability: Callable[[Array], Array]
    classes: Array
    inputs: int | None = None
    parameters: Any = None
    limit: float | None = None
    features: tuple[str, ...] = ()

    def predict_proba(self, x: Array) -> Array:
        """Probabilities ``[Q, K]``. Raises ValueError where the model answers anything else."""
        _check_inputs(self, x)
        shares = np.asarray(self.probability(x), dtype=float)
        if shares.shape != (len(x), len(self.classes)):
            needed = f"{len(x)} rows of {len(self.classes)} probabilities"
            raise ValueError(f"{self.name}: needed {needed}; got shape {shares.shape}")
        if not np.isfinite(shares).all() or (shares < 0).any():
            raise ValueError(f"{self.name}: needed probabilities of at least 0; got {shares.min():.3g}")
        if (np.abs(shares.sum(1) - 1.0) > ROUNDING).any():
            worst = shares.sum(1)[np.argmax(np.abs(shares.sum(1) - 1.0))]
            raise ValueError(f"{self.name}: needed probabilities that sum to one; got a sum of {worst:.3g}")
        return shares


Expert = Regressor | Classifier


def _check_inputs(expert: Expert, x: Array) -> None:
    if x.ndim != 2 or expert.inputs not in (None, x.shape[1]):
        columns = "columns" if expert.inputs is None else f"{expert.inputs} columns"
        raise ValueError(f"{expert.name}: needed a table of {columns}; got shape {x.shape}")
