"""What owners of experts say to a newcomer: sums over owners alone.

An owner asks its expert about a common pool. Of each class that the expert is sure of for some rows, it computes the
mean of these rows by itself: these prototypes are anchors, which add up, and so are probabilities at queries. So any
rule that sums carries them over a graph. Axes: ``N`` experts, ``K`` classes, ``U`` rows of the pool, ``D`` inputs.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from coolgp.agents.base.arrays import Array, Booleans
from coolgp.agents.experts.queries.black_box import BlackBox
from coolgp.agents.experts.queries.failure import ExpertFailed
from coolgp.agents.experts.task import Task, answers
from coolgp.fusion.prototypes.anchored import Anchors

__all__ = ["SummedExperts", "Total", "asked", "known_anchors", "summed_anchors"]

FEWEST = 3
"""Rows that an expert must be sure of, for a prototype of the class."""

FLOOR = 1e-3
"""Least sum of probabilities by which experts may speak against a class that they know."""

Total = Callable[[Array], Array]
"""The sum ``[P]`` over owners of rows ``[N, P]``, over their graph or in one place."""


def asked(boxes: Sequence[BlackBox], x: Array, task: Task) -> Array:
    """Probabilities ``[N, Q, K]`` of all classes at x ``[Q, D]``; 0 of a class that an expert does not know.

    An expert that fails says nothing, all zero, and a warning says so; its `failure` has the reason.
    """
    given = np.zeros((len(boxes), len(x), task.columns))
    for owner, box in enumerate(boxes):
        if box.failure is None:
            try:
                given[owner] = answers(box.expert, x, task)
            except ExpertFailed as failed:
                warnings.warn(f"left out: {failed}", stacklevel=2)
    return given


def known_anchors(given: Array, pool: Array, confidence: float, weight: float) -> Anchors:
    """One owner's anchors of all classes, by its expert's answers ``[U, K]`` about the pool ``[U, D]``."""
    sure = (given > confidence).astype(float)
    count = sure.sum(axis=0)
    enough = count >= FEWEST
    means = sure.T @ pool / np.maximum(count, 1.0)[:, None]
    return Anchors(weight * enough[:, None] * means, weight * enough)


def summed_anchors(each: Sequence[Anchors], total: Total) -> Anchors:
    """The anchors of all owners, added up by messages of ``K (D + 1)`` numbers."""
    rows = [np.hstack([owner.sums, owner.weights[:, None]]) for owner in each]
    added = total(np.stack([row.ravel() for row in rows])).reshape(rows[0].shape)
    return Anchors(added[:, :-1], added[:, -1])


@dataclass(frozen=True)
class SummedExperts:
    """What experts say of the classes of a task that they know, added up (B+ in the literature).

    theirs ``[K]``: classes of all experts; classes ``[C]``: of the task.
    """

    boxes: Sequence[BlackBox]
    theirs: npt.NDArray[Any]
    classes: npt.NDArray[Any]
    total: Total

    @cached_property
    def known(self) -> Booleans:
        """Which classes of the task any expert has ``[C]``."""
        return np.isin(self.classes.astype(str), self.theirs.astype(str))

    def sums(self, x: Array) -> Array:
        """Of the probabilities of all owners at x ``[Q, D]``, ``[Q, C]``; 0 of a class that nobody knows."""
        labels = tuple(map(str, self.theirs.tolist()))
        given = asked(self.boxes, x, Task(labels))
        added = self.total(given.reshape(len(given), -1)).reshape(len(x), -1)
        sums = np.zeros((len(x), len(self.classes)))
        sums[:, self.known] = added[:, [labels.index(str(name)) for name in self.classes[self.known].tolist()]]
        return sums

    def applied(self, probabilities: Array, x: Array) -> Array:
        """Probabilities ``[Q, C]``, times the sums among classes that are known; their mass together stays.

        Nobody is asked where fewer than two classes are known.
        """
        columns = np.flatnonzero(self.known)
        if len(columns) < 2:
            return probabilities
        weighted = probabilities[:, columns] * (self.sums(x)[:, columns] + FLOOR)
        mass = probabilities[:, columns].sum(axis=1, keepdims=True)
        result = probabilities.copy()
        result[:, columns] = weighted / weighted.sum(axis=1, keepdims=True) * mass
        return result
