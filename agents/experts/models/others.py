"""Models without weights that are fused: sparse Gaussian processes, linear models and forests, by scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Gt
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import BayesianRidge, LogisticRegression

from coolgp.agents.experts.models.base import LocalRows, Seeds
from coolgp.agents.experts.models.fitting import constant_for_one_class, fitted
from coolgp.agents.experts.sparse_gp import SparseGPRegressor
from coolgp.agents.experts.task import Task

__all__ = ["Forest", "Logistic", "Ridge", "SparseGP"]


@dataclass(frozen=True)
class SparseGP:
    """A sparse Gaussian process, its hyper-parameters and inducing inputs fitted by L-BFGS.

    inducing: inducing inputs. kernel: "se", "matern32" or "matern52". iterations: of L-BFGS.
    """

    tasks: ClassVar[tuple[str, ...]] = ("regression",)
    ending: ClassVar[str] = ".skops"

    inducing: Annotated[int, Ge(1)] = 50
    kernel: str = "se"
    iterations: Annotated[int, Ge(0)] = 100

    def trained(self, rows: LocalRows, task: Task, seeds: Seeds) -> Any:
        """See `TrainedModel`."""
        model = SparseGPRegressor(
            n_inducing=self.inducing, kernel=self.kernel, max_iter=self.iterations, random_state=seeds.own
        )
        return fitted(model, rows.x, rows.y)


@dataclass(frozen=True)
class Ridge:
    """A linear model, its ridge strength and noise found by their evidence (Bayesian ridge regression)."""

    tasks: ClassVar[tuple[str, ...]] = ("regression",)
    ending: ClassVar[str] = ".skops"

    def trained(self, rows: LocalRows, task: Task, seeds: Seeds) -> Any:
        """See `TrainedModel`."""
        return fitted(BayesianRidge(), rows.x, rows.y)


@dataclass(frozen=True)
class Logistic:
    """Multinomial logistic regression on the classes that the owner has.

    strength: inverse of the penalty on the squares of the weights. iterations: at most.
    """

    tasks: ClassVar[tuple[str, ...]] = ("classification",)
    ending: ClassVar[str] = ".skops"

    strength: Annotated[float, Gt(0)] = 1.0
    iterations: Annotated[int, Ge(1)] = 200

    def trained(self, rows: LocalRows, task: Task, seeds: Seeds) -> Any:
        """See `TrainedModel`; who has one class alone predicts it always."""
        classes = rows.y.astype(np.intp)
        model = LogisticRegression(C=self.strength, max_iter=self.iterations)
        return fitted(constant_for_one_class(model, classes), rows.x, classes)


@dataclass(frozen=True)
class Forest:
    """A random forest. trees: how many; leaf: rows of a leaf at least."""

    tasks: ClassVar[tuple[str, ...]] = ("regression", "classification")
    ending: ClassVar[str] = ""  # skops trusts no trees: wrong ones read beyond their arrays

    trees: Annotated[int, Ge(1)] = 100
    leaf: Annotated[int, Ge(1)] = 1

    def trained(self, rows: LocalRows, task: Task, seeds: Seeds) -> Any:
        """See `TrainedModel`."""
        kind = RandomForestClassifier if task.labels else RandomForestRegressor
        target = rows.y.astype(np.intp) if task.labels else rows.y
        return fitted(kind(self.trees, min_samples_leaf=self.leaf, random_state=seeds.own), rows.x, target)
