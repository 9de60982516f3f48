"""Experts that a newcomer knows by records alone: their answers about a common pool, handed on from owner to owner.

An owner asks its expert about the pool once. What it answered travels over the graph, known by the owner's id, so that
nothing is counted twice; after as many communication rounds as the graph is wide, everybody has all records. Owners
that are cut off from others have those of their part of the graph, and what they make of them is what a centre would
that had these experts alone, to the bit. Axes: ``A`` agents of a rank, ``U`` rows of the pool, ``K`` classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from coolgp.agents.base.arrays import Array, Booleans
from coolgp.agents.experts.expert import Classifier
from coolgp.agents.experts.queries.black_box import BlackBox
from coolgp.agents.experts.task import Task
from coolgp.fusion.prototypes.consulted import asked
from coolgp.fusion.sums.flood import Flood
from coolgp.network.transport import Transport

__all__ = ["told_experts"]

FLOOD = Flood(instead="TaskAgnosticFusion(graph=...), whose owners send sums in place of answers")


@dataclass(frozen=True)
class Record:
    """What an expert answered ``[U, K']`` of its own classes about a pool ``[U, D]``, and nothing else."""

    name: str
    pool: Array
    answers: Array

    def __call__(self, x: Array) -> Array:
        """The answers ``[Q, K']`` about rows of the pool. Raises ValueError for any other row."""
        places = {row.tobytes(): place for place, row in enumerate(self.pool)}
        try:
            rows = [places[row.tobytes()] for row in np.ascontiguousarray(x, dtype=float)]
        except KeyError:
            raise ValueError(f"{self.name} is known by its answers about the pool alone") from None
        return self.answers[rows]


def told_experts(
    boxes: Sequence[BlackBox], classes: npt.NDArray[Any], pool: Array, transport: Transport, rounds: int
) -> list[tuple[BlackBox, ...]]:
    """The experts that each agent of this rank knows by records after so many communication rounds, by owners' ids.

    boxes: of this rank's agents; one that fails tells nothing, and nobody knows it. classes ``[K]``: all that any
    expert of the graph has, sorted. pool ``[U, D]``: known to all. Collective.
    """
    given = asked(boxes, pool, Task(tuple(map(str, classes.tolist()))))
    known = np.stack([np.isin(classes, getattr(box.model, "classes", ())) for box in boxes])
    known &= np.array([box.failure is None for box in boxes])[:, None]
    rows = np.concatenate([known.astype(float), given.reshape(len(boxes), -1)], axis=1)
    state = FLOOD.rounds(FLOOD.begin(rows, transport), rows, transport, rounds)
    arrived = state.values[:, :, : len(classes)].any(axis=2)
    return [
        tuple(_told(owner, rows[owner], classes, pool) for owner in np.flatnonzero(there).tolist())
        for rows, there in zip(state.values, arrived, strict=True)
    ]


def _told(owner: int, row: Array, classes: npt.NDArray[Any], pool: Array) -> BlackBox:
    """The expert behind a record."""
    known: Booleans = row[: len(classes)] > 0
    answers = row[len(classes) :].reshape(len(pool), len(classes))[:, known]
    name = f"expert {owner}"
    return BlackBox(Classifier(name, Record(name, pool, answers), classes[known], pool.shape[1]), queries=None)
