"""What a model is to predict, and what experts of either kind answer, as arrays of one shape.

Axes: ``Q`` queries, ``D`` inputs, ``C`` columns of an answer: the probabilities of all classes, or mean and variance.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.adapters import expert_of
from coolgp.agents.experts.expert import Classifier, Expert, Regressor
from coolgp.agents.experts.network import Network

__all__ = ["Task", "answers", "with_network"]


@dataclass(frozen=True)
class Task:
    """What is predicted: one of K classes, by number from 0, with their labels; or one number, where there are none."""

    labels: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """As scenarios name it."""
        return "classification" if self.labels else "regression"

    @property
    def columns(self) -> int:
        """Columns C of an answer.

        >>> Task().columns, Task(("cat", "dog", "owl")).columns
        (2, 3)
        """
        return len(self.labels) or 2


def answers(expert: Expert, x: Array, task: Task) -> Array:
    """Probabilities ``[Q, K]`` of all classes at x ``[Q, D]``, or mean and variance of an observation ``[Q, 2]``.

    A class that the expert has never seen has probability 0; the variance is NaN where the expert has none. Raises
    ValueError for an expert of the other task, or one with a class that the task does not have.
    """
    if not task.labels:
        if not isinstance(expert, Regressor):
            raise ValueError(f"{expert.name}: is a classifier; needed a regressor")
        mean, std = expert.predict(x)
        return np.stack([mean, np.square(std)], axis=1)
    if not isinstance(expert, Classifier):
        raise ValueError(f"{expert.name}: is a regressor; needed a classifier with probabilities")
    values = np.zeros((len(x), len(task.labels)))
    values[:, _places(expert, task)] = expert.predict_proba(x)
    return values


def with_network(expert: Expert, network: Network) -> Expert:
    """The expert with another network in place of its own, whose outputs mean the same."""
    if isinstance(expert, Classifier):
        return replace(expert, probability=network.predict_proba, parameters=network)
    other = expert_of(network, expert.name)
    assert isinstance(other, Regressor)
    return other


def _places(expert: Classifier, task: Task) -> list[int]:
    place = {label: number for number, label in enumerate(task.labels)}
    labels = [str(label) for label in expert.classes.tolist()]
    unknown = [label for label in labels if label not in place]
    if unknown:
        raise ValueError(
            f"{expert.name}: has a class {unknown[0]!r} that is not in the data; classes: {', '.join(task.labels)}"
        )
    return [place[label] for label in labels]
