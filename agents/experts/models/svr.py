"""Support vector regression, by scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Gt
from sklearn.svm import SVR

from coolgp.agents.experts.models.base import LocalRows, Seeds
from coolgp.agents.experts.models.fitting import fitted
from coolgp.agents.experts.task import Task

__all__ = ["SupportVectors"]


@dataclass(frozen=True)
class SupportVectors:
    """Support vector regression with a squared exponential kernel.

    strength: inverse of the penalty. tube: errors below it cost nothing, in units of the scaled target. folds: of the
    cross-validation that tells its standard deviation, 0 for none.
    """

    tasks: ClassVar[tuple[str, ...]] = ("regression",)
    ending: ClassVar[str] = ".skops"

    strength: Annotated[float, Gt(0)] = 1.0
    tube: Annotated[float, Ge(0)] = 0.1
    folds: Annotated[int, Ge(0)] = 5

    def trained(self, rows: LocalRows, task: Task, seeds: Seeds) -> Any:
        """See `TrainedModel`."""
        return fitted(SVR(C=self.strength, epsilon=self.tube), rows.x, rows.y)
