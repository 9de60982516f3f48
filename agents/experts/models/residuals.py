"""A standard deviation for models that have none of their own: that of their errors on rows left out of training."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np
from sklearn.model_selection import KFold

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.expert import Expert, Regressor
from coolgp.agents.experts.models.base import LocalRows, Seeds, TrainedModel, labelled
from coolgp.agents.experts.task import Task

__all__ = ["CrossValidated", "residual_std", "with_constant_std", "with_std"]


@runtime_checkable
class CrossValidated(Protocol):
    """A kind of model whose standard deviation is found by cross-validation."""

    @property
    def folds(self) -> int:
        """Parts of the rows, each left out once; 0 for no standard deviation."""
        ...


def with_std(expert: Expert, kind: TrainedModel, rows: LocalRows, task: Task, seeds: Seeds) -> Expert:
    """The expert with the standard deviation of `residual_std`, the same at every input; as it is without one.

    Such a model does not know where it knows less.
    """
    return with_constant_std(expert, residual_std(kind, rows, task, seeds))


def with_constant_std(expert: Expert, std: float | None) -> Expert:
    """The expert, a regressor with this standard deviation at every input; as it is where there is none."""
    if std is None:
        return expert
    assert isinstance(expert, Regressor)
    moments = expert.moments

    def both(x: Array) -> tuple[Array, Array]:
        return moments(x)[0], np.full(len(x), std)

    return replace(expert, moments=both)


def residual_std(kind: TrainedModel, rows: LocalRows, task: Task, seeds: Seeds) -> float | None:
    """The root mean square of a model's errors on rows left out, where its kind is cross-validated; else None.

    One model is trained for each fold, on the owner's own rows; NaN of fewer than two rows.
    """
    if not isinstance(kind, CrossValidated) or not kind.folds or task.labels:
        return None
    if len(rows.y) < 2:
        return np.nan
    errors = np.empty(len(rows.y))
    for rest, out in KFold(min(kind.folds, len(rows.y)), shuffle=True, random_state=seeds.own).split(rows.x):
        model = labelled(kind.trained(LocalRows(rows.x[rest], rows.y[rest]), task, seeds), "a fold's model", task)
        assert isinstance(model, Regressor)
        errors[out] = model.predict(rows.x[out])[0] - rows.y[out]
    return float(np.sqrt(np.mean(np.square(errors))))
