"""Fully connected networks, trained by Adam (scikit-learn's multilayer perceptrons)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt
from sklearn.neural_network import MLPClassifier, MLPRegressor

from coolgp.agents.experts.models.base import LocalRows, Seeds
from coolgp.agents.experts.network import Network, mlp_of, network_of
from coolgp.agents.experts.task import Task

__all__ = ["MLP"]

Units = Annotated[int, Ge(1)]


@dataclass(frozen=True)
class MLP:
    """A fully connected network, trained by Adam.

    hidden: units of each hidden layer. activation: of these units. epochs: passes over the rows. learning_rate, batch:
    of Adam. penalty: on the squares of all weights. start: whether owners draw starting weights of their "own", or one
    draw is "common" to all. folds: of the cross-validation that tells the standard deviation of a regression, 0 for
    none.
    """

    tasks: ClassVar[tuple[str, ...]] = ("regression", "classification")
    ending: ClassVar[str] = ".npz"

    hidden: tuple[Units, ...] = (50,)
    activation: Literal["relu", "tanh", "logistic", "identity"] = "relu"
    epochs: Annotated[int, Ge(1)] = 20
    learning_rate: Annotated[float, Gt(0)] = 0.01
    batch: Annotated[int, Ge(1)] = 32
    penalty: Annotated[float, Ge(0)] = 1e-4
    start: Literal["own", "common"] = "own"
    folds: Annotated[int, Ge(0)] = 5

    def trained(self, rows: LocalRows, task: Task, seeds: Seeds) -> Network:
        """See `TrainedModel`."""
        model = self._estimator(rows, task, seeds.common if self.start == "common" else seeds.own)
        for _ in range(self.epochs):
            _pass(model, rows, task)
        return network_of(model)

    def trained_on(self, network: Network, rows: LocalRows, task: Task, epochs: int, seed: int) -> Network:
        """See `TrainsOn`; Adam starts afresh."""
        model = mlp_of(network)
        model.set_params(random_state=seed, **self._settings(rows))
        for _ in range(epochs):
            _pass(model, rows, task)
        return network_of(model)

    def _estimator(self, rows: LocalRows, task: Task, seed: int) -> Any:
        kind = MLPClassifier if task.labels else MLPRegressor
        hidden = tuple(self.hidden)
        return kind(hidden_layer_sizes=hidden, activation=self.activation, random_state=seed, **self._settings(rows))

    def _settings(self, rows: LocalRows) -> dict[str, Any]:
        batch = min(self.batch, len(rows.y))
        return {"alpha": self.penalty, "batch_size": batch, "learning_rate_init": self.learning_rate}


def _pass(model: Any, rows: LocalRows, task: Task) -> None:
    """One pass over the rows; all classes are outputs, also those that no row has."""
    if task.labels:
        model.partial_fit(rows.x, rows.y.astype(np.intp), classes=np.arange(len(task.labels)))
    else:
        model.partial_fit(rows.x, rows.y)
