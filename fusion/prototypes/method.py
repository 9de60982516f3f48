"""The contract of a method by which a newcomer gets a classifier for a task of its own, and the table of methods.

Axes: ``N`` experts, ``U`` rows of the pool, ``D`` inputs, ``C`` classes of the task, ``Q`` queries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy.typing as npt

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.experts.queries.black_box import BlackBox
from coolgp.fusion.prototypes.certificate import Certificate
from coolgp.fusion.prototypes.consulted import Total
from coolgp.network.base.lazy_table import LazyTable

__all__ = ["METHODS", "Adapted", "Learner", "Method", "NewTask", "Owners", "method_named"]


@dataclass(frozen=True)
class Owners:
    """Experts and what is known of them before there is a task.

    classes ``[K]``: all that any expert has, sorted. pool ``[U, D]``: rows without labels that everybody has. total:
    sums over owners. descriptors ``[N, T]``: of the experts' tasks, None where they follow from their classes. seed: of
    all draws.
    """

    boxes: tuple[BlackBox, ...]
    classes: npt.NDArray[Any]
    pool: Array
    total: Total
    descriptors: Array | None
    seed: int


@dataclass(frozen=True)
class NewTask:
    """A few examples ``x [M, D]``; places ``[M]`` of their classes among these ``[C]``; descriptor ``[T]`` or None."""

    x: Array
    places: Indices
    classes: npt.NDArray[Any]
    descriptor: Array | None = None


@dataclass(frozen=True)
class Adapted:
    """What became of a task. details: what was used and what came of it, by name.

    certificate: of the expected loss, None where the method has none.
    """

    model: Model
    details: Mapping[str, Any]
    certificate: Certificate | None = None
    notes: tuple[str, ...] = field(default=())


class Model(Protocol):
    """A classifier of one task."""

    def predict_proba(self, x: Array) -> Array:
        """Probabilities ``[Q, C]`` at x ``[Q, D]``."""
        ...


class Learner(Protocol):
    """What a method has after it has asked the experts about the pool."""

    def adapt(self, task: NewTask) -> Adapted:
        """A classifier of the task. Raises ValueError for a task that does not fit."""
        ...


class Method(Protocol):
    """A frozen dataclass of the method's settings."""

    def learner(self, owners: Owners) -> Learner:
        """Ask the experts about the pool. Raises ValueError where settings or pool do not fit."""
        ...


METHODS: LazyTable[type[Method]] = LazyTable(
    {
        "background": "coolgp.fusion.prototypes.background:Background",
        "embedding": "coolgp.fusion.prototypes.embedding.embedder:Embedding",
    }
)
"""All methods by name: each a dataclass in a module of its own, and a line here."""


def method_named(name: str, settings: Mapping[str, Any]) -> Method:
    """A method with its settings. Raises ValueError for one that there is not, or a setting that it does not have."""
    if name not in METHODS:
        raise ValueError(f"TaskAgnosticFusion needs method {' | '.join(METHODS)}; got {name!r}")
    kind = METHODS[name]
    fields = getattr(kind, "__dataclass_fields__", {})
    unknown = [setting for setting in settings if setting not in fields]
    if unknown:
        raise ValueError(f"{name} has no setting {unknown[0]!r}; needed {', '.join(fields)}")
    return kind(**settings)
