"""Stacking: models weigh by how well they answer, together, on a few rows with targets that were set aside.

Wolpert, "Stacked generalization", Neural Networks 1992; Breiman, "Stacked regressions", Machine Learning 1996.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np
from annotated_types import Ge
from scipy.optimize import nnls

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.models.base import LocalRows
from coolgp.agents.experts.task import Task
from coolgp.fusion.apart.members import Fused, Members, asked_at, require_perfect
from coolgp.fusion.apart.summed import SummedRule, of_all_models
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.transport import Transport

__all__ = ["Stacking", "class_weights", "number_weights"]

SUM_TO_ONE = 1e4
"""How much more an error of the weights' sum counts than that of all answers."""
STEPS = 500
"""Of the search for weights of classifiers."""


@dataclass(frozen=True)
class Stacking(SummedRule):
    """The weighted mean of all predictions, by weights that do best on rows set aside (`data.labelled_count`).

    Weights are not negative and sum to one: of least squared error of means, or of greatest likelihood of classes.
    First the answers to the rows set aside go to everybody, then weighted answers are summed. pull: towards equal
    weights, by as much as so many rows set aside would.
    """

    pull: Annotated[float, Ge(0)] = 30.0

    def fit(self, topology: Topology, faults: Faults) -> Self:
        """See `ApartRule`. Raises ValueError on a network that fails: weights need the answers of all."""
        require_perfect("stacking", faults)
        return super().fit(topology, faults)

    def rows(self, members: Members, transport: Transport) -> Array:
        """Weighted terms ``[A, Q C]`` and weights ``[A, 1]``. Raises ValueError where no rows were set aside."""
        held = members.labelled
        if held is None:
            raise ValueError(
                'fusion.rule: "stacking" finds its weights on rows with targets that nobody trains on: '
                "set data.labelled_count, to 20 for example"
            )
        own = asked_at(members.experts, held.x, members.task)
        weights = _own_weights(self._of_all(own, transport), held, members.task, self.pull, transport)
        terms = members.answers
        if not members.task.labels:
            second = np.square(terms[:, :, 0]) + terms[:, :, 1]
            terms = np.stack([terms[:, :, 0], second], axis=2)
        return np.concatenate([weights[:, None] * terms.reshape(len(terms), -1), weights[:, None]], axis=1)

    def read(self, sums: Array, members: Members, transport: Transport) -> Fused:
        """Sums divided by the sum of weights."""
        with np.errstate(all="ignore"):
            combined = (sums[:, :-1] / sums[:, -1:]).reshape(members.answers.shape)
            if not members.task.labels:
                mean = combined[:, :, 0]
                combined = np.stack([mean, np.maximum(combined[:, :, 1] - np.square(mean), 0.0)], axis=2)
        assert members.labelled is not None
        return of_all_models(combined, members, transport, besides=len(members.labelled.y))

    def _of_all(self, own: Array, transport: Transport) -> Array:
        """The answers of all agents to the rows set aside ``[A, N, H, C]``, as each agent has them; sent."""
        each = np.zeros((len(own), transport.shard.size, *own.shape[1:]))
        each[np.arange(len(own)), transport.shard.agents] = own
        rows = each.reshape(len(own), -1)
        summed: Array = self.carrier.sums(self.carrier.settle(self.carrier.begin(rows, transport), rows, transport))
        return summed.reshape(each.shape)


def number_weights(means: Array, y: Array, pull: float) -> Array:
    """Weights ``[N]``, not negative and of sum one, whose mean of ``[N, H]`` has the least squared error to y ``[H]``.

    pull: so often the models' variance at a row, mean over the rows, times the squared distance of the weights from
    equal ones is added to the squared errors.

    >>> number_weights(np.array([[1.0, 2.0], [3.0, 6.0]]), np.array([2.0, 4.0]), 0.0).round(6)
    array([0.5, 0.5])
    """
    models = len(means)
    centre = means.mean(axis=0)
    scale = float(np.sqrt(np.square(means - centre).mean())) or 1.0
    towards, one = np.sqrt(pull) * scale, SUM_TO_ONE * scale
    rows = [(means - centre).T, towards * np.eye(models), np.full((1, models), one)]
    target = [y - centre, np.full(models, towards / models), [one]]
    weights, _ = nnls(np.concatenate(rows), np.concatenate(target))
    normalised: Array = weights / weights.sum()
    return normalised


def class_weights(probability: Array, pull: float) -> Array:
    """Weights ``[N]`` under which rows whose true class has these probabilities ``[N, H]`` are most likely, by EM.

    >>> class_weights(np.array([[0.9, 0.8], [0.1, 0.2]]), 0.0).round(3)
    array([1., 0.])
    """
    models, rows = probability.shape
    weights = np.full(models, 1.0 / models)
    likelihood = np.maximum(probability, np.finfo(float).tiny)
    for _ in range(STEPS):
        share = weights[:, None] * likelihood
        weights = ((share / share.sum(axis=0)).sum(axis=1) + pull / models) / (rows + pull)
    return weights


def _own_weights(asked: Array, held: LocalRows, task: Task, pull: float, transport: Transport) -> Array:
    """The weight of each agent ``[A]``, from the answers of all ``[A, N, H, C]`` as it has them."""
    if task.labels:
        place = held.y.astype(np.intp)
        each = [class_weights(one[:, np.arange(len(place)), place], pull) for one in asked]
    else:
        each = [number_weights(one[:, :, 0], held.y, pull) for one in asked]
    own: Array = np.array(each).reshape(asked.shape[:2])[np.arange(len(each)), transport.shard.agents]
    return own
