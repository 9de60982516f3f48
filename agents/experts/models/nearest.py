"""Nearest neighbours, by scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from coolgp.agents.experts.models.base import LocalRows, Seeds
from coolgp.agents.experts.models.fitting import fitted
from coolgp.agents.experts.task import Task

__all__ = ["Nearest"]


@dataclass(frozen=True)
class Nearest:
    """The mean of the nearest rows, or their shares of classes.

    neighbours: how many, or all rows where there are fewer. weights: all alike ("uniform") or by inverse "distance".
    folds: of the cross-validation that tells the standard deviation of a regression, 0 for none.
    """

    tasks: ClassVar[tuple[str, ...]] = ("regression", "classification")
    ending: ClassVar[str] = ".skops"

    neighbours: Annotated[int, Ge(1)] = 5
    weights: Literal["uniform", "distance"] = "uniform"
    folds: Annotated[int, Ge(0)] = 5

    def trained(self, rows: LocalRows, task: Task, seeds: Seeds) -> Any:
        """See `TrainedModel`."""
        kind = KNeighborsClassifier if task.labels else KNeighborsRegressor
        target = rows.y.astype(np.intp) if task.labels else rows.y
        most = min(self.neighbours, len(target))
        model = kind(most, weights=self.weights, algorithm="brute")  # skops trusts no search trees
        return fitted(model, rows.x, target)
