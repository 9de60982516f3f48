"""An ensemble: the models' predictions at each query, averaged. Models stay where they are; their answers travel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.task import Task
from coolgp.fusion.apart.members import Fused, Members
from coolgp.fusion.apart.summed import SummedRule, of_all_models
from coolgp.network.transport import Transport

__all__ = ["Ensemble"]

ABSENT = 1e-12
"""Rows of each class that every owner counts as well: of a class that nobody has, all say the same."""


@dataclass(frozen=True)
class Ensemble(SummedRule):
    """The mean of all predictions: of class probabilities, or of means and second moments.

    weights: "uniform"; by each owner's "rows"; or, for "classes", the probability of each by the owner's rows of it.
    """

    leaves_out: ClassVar[bool] = True

    weights: Literal["uniform", "rows", "classes"] = "uniform"

    def check(self, task: Task) -> None:
        """Weights by class need classes."""
        if self.weights == "classes" and not task.labels:
            raise ValueError('fusion.weights: "classes" needs classes to predict; needed "uniform" | "rows"')

    def rows(self, members: Members, transport: Transport) -> Array:
        """Weighted terms ``[A, Q C]``, then the weights, ``[A, K]`` for classes and else ``[A, 2]``."""
        weights = self._weights(members)
        if members.task.labels:
            terms = members.answers * weights[:, None, :]
            return np.concatenate([terms.reshape(len(terms), -1), weights], axis=1)
        mean, variance = members.answers[:, :, 0], members.answers[:, :, 1]
        has_variance = np.asarray(np.isfinite(variance).all(axis=1))
        second = np.square(mean) + np.where(has_variance[:, None], variance, 0.0)
        each = weights[:, :1]
        return np.concatenate([each * mean, each * second, each, each * has_variance[:, None]], axis=1)

    def read(self, sums: Array, members: Members, transport: Transport) -> Fused:
        """Sums divided by the sums of weights; an agent that has none of them yet predicts by itself."""
        with np.errstate(all="ignore"):
            combined = self._combined(sums, members.task, len(members.queries))
        return of_all_models(combined, members, transport)

    def _combined(self, sums: Array, task: Task, queries: int) -> Array:
        if task.labels:
            columns = task.columns
            shares = sums[:, :-columns].reshape(len(sums), queries, columns) / sums[:, None, -columns:]
            shares = np.maximum(shares, 0.0)  # what a sum on its way holds need not be positive
            normalised: Array = shares / shares.sum(axis=2, keepdims=True)
            return normalised
        total, with_variance = sums[:, -2], sums[:, -1]
        mean, second = sums[:, :queries] / total[:, None], sums[:, queries : 2 * queries] / total[:, None]
        spread = np.maximum(second - np.square(mean), 0.0)
        complete = np.isclose(with_variance, total, rtol=1e-6)
        return np.stack([mean, np.where(complete[:, None], spread, np.nan)], axis=2)

    def _weights(self, members: Members) -> Array:
        """Weights ``[A, K]``, or ``[A, 1]`` for regression."""
        columns = len(members.task.labels) or 1
        if self.weights == "classes":
            return np.stack([rows.counts(columns) + ABSENT for rows in members.rows])
        numbers = [1.0 if self.weights == "uniform" else float(len(rows.y)) for rows in members.rows]
        return np.broadcast_to(np.array(numbers)[:, None], (len(numbers), columns))
