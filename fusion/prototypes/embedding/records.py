"""What black boxes answer about rows without labels: all that an embedding is trained on.

Axes: ``N`` experts, ``U`` rows, ``R`` records, ``K`` classes, ``T`` numbers of a descriptor, ``D`` inputs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coolgp.agents.base.arrays import Array, Indices

__all__ = ["Records", "described", "records_of"]


@dataclass(frozen=True)
class Records:
    """A record is an input ``x [R, D]``, the descriptor of an expert's task ``tau [R, T]``, and what this answered.

    eta ``[R, K]``: probabilities of all classes that any expert knows, and of the new task's.
    """

    x: Array
    tau: Array
    eta: Array

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, rows: Indices) -> Records:
        return Records(self.x[rows], self.tau[rows], self.eta[rows])


def records_of(pool: Array, answers: Array, descriptors: Array) -> Records:
    """All records, expert by expert, of a pool ``[U, D]``, answers ``[N, U, K]`` and descriptors ``[N, T]``."""
    experts, rows, classes = answers.shape
    return Records(np.tile(pool, (experts, 1)), descriptors.repeat(rows, axis=0), answers.reshape(-1, classes))


def described(classes: Array, of: Array) -> Array:
    """The descriptor ``[T]`` of a task where none is given: 1 for each of all classes ``[T]`` that it has.

    >>> described(np.array([3, 5, 8]), np.array([8, 3]))
    array([1., 0., 1.])
    """
    return np.isin(classes, of).astype(float)
