"""The contract of a kind of model: a frozen dataclass of its settings that trains on the rows of one owner.

A new kind is a class here or in a module beside this one, and an entry of ``registry.MODELS``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.adapters import expert_of
from coolgp.agents.experts.expert import Classifier, Expert
from coolgp.agents.experts.network import Network
from coolgp.agents.experts.task import Task

__all__ = [
    "LocalRows",
    "MixedKinds",
    "Seeds",
    "TrainedModel",
    "TrainsOn",
    "first_of",
    "kind_of",
    "kinds_of",
    "labelled",
]


@dataclass(frozen=True)
class LocalRows:
    """The rows of one owner: inputs x ``[n, D]`` and targets y ``[n]``, which may be numbers of classes from 0."""

    x: Array
    y: Array

    def counts(self, classes: int) -> Array:
        """Rows of each of so many classes ``[K]``."""
        return np.bincount(self.y.astype(np.intp), minlength=classes).astype(float)


@dataclass(frozen=True)
class Seeds:
    """Of one training: the owner's own, and the one that is common to all owners."""

    own: int
    common: int


class TrainedModel(Protocol):
    """A kind of model by its settings.

    tasks: what it can learn, by the names of :class:`Task`. ending: of the files in which its models are kept; empty
    where no format holds them without running code from the file.
    """

    tasks: ClassVar[tuple[str, ...]]
    ending: ClassVar[str]

    def trained(self, rows: LocalRows, task: Task, seeds: Seeds) -> Any:
        """A model that was trained on these rows, as :func:`labelled` takes it; the same for the same seeds."""


@runtime_checkable
class TrainsOn(Protocol):
    """A kind of model whose training can go on from given weights."""

    def trained_on(self, network: Network, rows: LocalRows, task: Task, epochs: int, seed: int) -> Network:
        """The network after so many more passes over the rows, from where it is."""


@runtime_checkable
class MixedKinds(Protocol):
    """A kind under which owners train models of different kinds."""

    @property
    def members(self) -> tuple[TrainedModel, ...]:
        """These kinds, dealt to the owners in turn."""
        ...


def kinds_of(kind: TrainedModel) -> tuple[TrainedModel, ...]:
    """The kinds that owners train: one, or several that are dealt to them in turn."""
    return kind.members if isinstance(kind, MixedKinds) else (kind,)


def kind_of(kind: TrainedModel, owner: int) -> TrainedModel:
    """The kind that an owner trains, by its number."""
    kinds = kinds_of(kind)
    return kinds[owner % len(kinds)]


def first_of(kind: TrainedModel, task: Task) -> TrainedModel:
    """The first of the kinds that learns the task: what is trained on all rows."""
    return next(each for each in kinds_of(kind) if task.name in each.tasks)


def labelled(model: Any, name: str, task: Task) -> Expert:
    """A trained model as an expert whose classes bear their labels.

    model: a network, or a scikit-learn model whose classes are numbers from 0.
    """
    if isinstance(model, Network):  # one order in memory, so that a network read from a file has the same bits
        model = replace(model, weights=tuple(np.ascontiguousarray(weight) for weight in model.weights))
    expert = expert_of(model, name)
    if not task.labels:
        return expert
    assert isinstance(expert, Classifier)
    return replace(expert, classes=np.array(task.labels)[expert.classes.astype(np.intp)])
