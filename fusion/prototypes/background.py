"""A new task by prototypes of its classes in a pool without labels, with what experts know as the background.

Experts name classes that they are sure of; the means of these rows are prototypes that hold the background, so that EM
over the pool finds the new task's classes in what remains. Logistic regression then learns from the examples, and from
rows of the pool with their shares: these count the less the more examples there are. Its probabilities are averaged
with those of label spreading. Where the pool seems to lack the classes, both are left out, and the examples remain.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.experts.task import Task
from coolgp.fusion.prototypes.anchored import Anchors, Prototypes, anchors_of, balanced, settled
from coolgp.fusion.prototypes.checks import require_count, require_range
from coolgp.fusion.prototypes.consulted import SummedExperts, asked, known_anchors, summed_anchors
from coolgp.fusion.prototypes.few_shot import FewShot, few_shot
from coolgp.fusion.prototypes.method import Adapted, NewTask, Owners
from coolgp.fusion.prototypes.spreading import SpreadLabels, spread

__all__ = ["Background"]

ABSENT, PRESENT = 0.1, 0.4
"""Rows of a new class in the pool, as a share of those of a known class in the mean: below, above."""


@dataclass(frozen=True)
class Background:
    """Prototypes by EM on the pool, with the experts' classes as the background.

    confidence: probability from which an expert is taken to be sure. steps: of EM. temperature: by which its shares are
    softened. example_weight: of an example, in rows of the pool; known_weight: of an expert's prototype. penalty: of
    logistic regression, on squared weights. sharpness: of label spreading, over the median squared distance of a row to
    the nearest prototype; spreading: its share of the probabilities. balance: how far the task's classes are taken to
    be equally frequent in the pool, from 0, not at all, to 1. scale: "common" divides all inputs by one number, as
    pixels need; "each" standardises them one by one, for inputs of several units.
    """

    confidence: float = 0.9
    steps: int = 10
    temperature: float = 2.0
    example_weight: float = 3.0
    known_weight: float = 5.0
    penalty: float = 4.0
    sharpness: float = 12.0
    spreading: float = 0.5
    balance: float = 1.0
    scale: str = "common"

    def __post_init__(self) -> None:
        require_range("background", "confidence", self.confidence, 0.0, 1.0)
        for name in ("spreading", "balance"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"background needs {name} from 0 to 1; got {getattr(self, name)}")
        require_count("background", "steps", self.steps)
        for name in ("temperature", "example_weight", "known_weight", "penalty", "sharpness"):
            require_range("background", name, getattr(self, name), 0.0, np.inf)
        if self.scale not in ("common", "each"):
            raise ValueError(f"background needs scale common | each; got {self.scale!r}")

    def learner(self, owners: Owners) -> _Known:
        """See `Method`."""
        given = asked(owners.boxes, owners.pool, Task(tuple(map(str, owners.classes.tolist()))))
        each = [known_anchors(answers, owners.pool, self.confidence, self.known_weight) for answers in given]
        return _Known(self, owners, summed_anchors(each, owners.total))


@dataclass(frozen=True)
class _Known:
    """See `Learner`. anchors: of the experts' classes, from all owners."""

    settings: Background
    owners: Owners
    anchors: Anchors

    def adapt(self, task: NewTask) -> Adapted:
        """See `Learner`."""
        settings, classes = self.settings, len(task.classes)
        units = Units.of(self.owners.pool, settings.scale)
        anchors = self._anchors(task)
        rows, examples = units.scaled(self.owners.pool), units.scaled(task.x)
        prototypes = settled(units.scaled_anchors(anchors), rows, settings.steps, settings.temperature)
        presence = _presence(prototypes, classes)
        weight = float(presence.min() / np.bincount(task.places).min())
        shares = balanced(prototypes.rows, classes, settings.balance)[:, :classes]
        head = few_shot(examples, task.places, rows, weight * shares, settings.example_weight, settings.penalty)
        spreading = self._spreading(examples, task.places, rows, shares, prototypes.variance)
        experts = SummedExperts(self.owners.boxes, self.owners.classes, task.classes, self.owners.total)
        model = _Fitted(head, spreading, settings.spreading * float(presence.min()), units, experts)
        details = {
            "classes that experts know": task.classes[experts.known].tolist(),
            "classes of the background": len(anchors.weights) - classes,
            "presence in the pool": dict(zip(task.classes.tolist(), presence.round(3).tolist(), strict=True)),
            "weight of a row of the pool": weight,
            "rows of the pool that count": float(weight * shares.sum()),
        }
        return Adapted(model, details, notes=_missing(task.classes[presence == 0.0]))

    def _spreading(self, x: Array, places: Indices, rows: Array, shares: Array, variance: float) -> SpreadLabels:
        """Label spreading over rows that may be of the task, with labels in balance as the shares ``[U, C]`` are."""
        settings, classes = self.settings, shares.shape[1]
        order = np.argsort(-shares.sum(axis=1), kind="stable")  # a large pool: the first rows are spread over
        spreading = spread(x, places, rows[order], classes, settings.sharpness / (variance * rows.shape[1]))
        of_pool = shares[order].sum(axis=1)[: len(spreading.rows) - len(x)]
        weights = np.concatenate([np.ones(len(x)), of_pool])
        return replace(spreading, labels=balanced(spreading.labels, classes, settings.balance, weights))

    def _anchors(self, task: NewTask) -> Anchors:
        """Anchors of the task's classes, then of all others that experts know."""
        names = list(map(str, task.classes.tolist()))
        theirs = list(map(str, self.owners.classes.tolist()))
        every = names + [name for name in theirs if name not in names]
        at = [every.index(name) for name in theirs]
        sums, weights = np.zeros((len(every), task.x.shape[1])), np.zeros(len(every))
        sums[at], weights[at] = self.anchors.sums, self.anchors.weights
        total = anchors_of(task.x, task.places, len(every), self.settings.example_weight) + Anchors(sums, weights)
        return total[np.flatnonzero(total.weights > 0.0)]


@dataclass(frozen=True)
class _Fitted:
    """See `Model`: logistic regression and label spreading with its share, and the sum of experts that know classes."""

    head: FewShot
    spreading: SpreadLabels
    share: float
    units: Units
    experts: SummedExperts

    def predict_proba(self, x: Array) -> Array:
        """See `Model`."""
        rows = self.units.scaled(x)
        own = (1.0 - self.share) * self.head.predict_proba(rows) + self.share * self.spreading.predict_proba(rows)
        return self.experts.applied(own, x)


@dataclass(frozen=True)
class Units:
    """Means of the inputs, and what they are divided by, each ``[D]``."""

    center: Array
    unit: Array

    @classmethod
    def of(cls, pool: Array, scale: str) -> Units:
        """One unit for all inputs ("common"), or one for each."""
        variance = pool.var(axis=0)
        if scale == "common":
            variance = np.full(len(variance), variance.mean())
        return cls(pool.mean(axis=0), np.sqrt(np.where(variance > 0.0, variance, 1.0)))

    def scaled(self, x: Array) -> Array:
        """Rows ``[n, D]`` in these units."""
        rows: Array = (x - self.center) / self.unit
        return rows

    def scaled_anchors(self, anchors: Anchors) -> Anchors:
        """Anchors in these units: a sum of weighted rows has the center as often as the weights say."""
        return Anchors((anchors.sums - anchors.weights[:, None] * self.center) / self.unit, anchors.weights)


def _presence(prototypes: Prototypes, classes: int) -> Array:
    """How far the pool seems to have each of the task's classes ``[C]``, from 0 to 1: by its rows beside the others'.

    Without a background there is nothing to compare with, and they are taken to be there.
    """
    if len(prototypes.mass) == classes:
        return np.ones(classes)
    share = prototypes.mass[:classes] / prototypes.mass[classes:].mean()
    shown: Array = np.clip((share - ABSENT) / (PRESENT - ABSENT), 0.0, 1.0)
    return shown


def _missing(absent: npt.NDArray[Any]) -> tuple[str, ...]:
    """What a user should know of classes that the pool seems to lack."""
    names = ", ".join(map(str, absent.tolist()))
    return (f"the pool seems to lack {names}: the examples alone were used",) if names else ()
