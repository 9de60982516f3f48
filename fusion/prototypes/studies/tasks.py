"""A newcomer's task drawn from labelled rows, with experts for other tasks.

Axes: ``R`` rows, ``D`` inputs, ``N`` experts.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from coolgp.agents.base.arrays import Array, Indices
from coolgp.network.base.randomness import generator

__all__ = ["SITUATIONS", "DrawnTask", "Sizes", "drawn_task"]

SITUATIONS = {
    "unseen": "no expert knows the classes; the pool has rows of them",
    "seen": "each class is known to one expert",
    "poor pool": "no expert knows the classes, and the pool has no row of them",
}
"""Where a newcomer may find itself."""
HIDDEN, EPOCHS = (50,), 60


@dataclass(frozen=True)
class Sizes:
    """How many. ways: classes of the task; pool: rows without labels; private: rows of all experts together."""

    experts: int = 2
    ways: int = 2
    pool: int = 500
    private: int = 700


@dataclass(frozen=True)
class DrawnTask:
    """One task. own: rows of each expert with labels, which nobody else sees; x, y: examples; test_x, test_y: of the
    task. pool_share: of the pool's rows that are of its classes.
    """

    experts: tuple[Any, ...]
    own: tuple[tuple[Array, Indices], ...]
    pool: Array
    x: Array
    y: Indices
    test_x: Array
    test_y: Indices
    seed: int
    pool_share: float

    @property
    def classes(self) -> npt.NDArray[np.intp]:
        """Of the task, sorted."""
        return np.unique(self.y)


def drawn_task(x: Array, labels: Indices, situation: str, shots: int, sizes: Sizes, seed: int, draw: int) -> DrawnTask:
    """A task of rows x ``[R, D]`` with labels ``[R]``; the same draw has the same classes in every situation.

    Raises ValueError where there are too few classes or rows.
    """
    random = generator(seed, "tasks", round=draw)
    classes, rows = random.permutation(np.unique(labels)), random.permutation(len(labels))
    if len(classes) < sizes.ways + 2 * sizes.experts:
        needed = f"two classes for each of {sizes.experts} experts beside the task's {sizes.ways}"
        raise ValueError(f"needed {needed}; got {len(classes)} classes")
    task, others = classes[: sizes.ways], classes[sizes.ways :]
    groups = np.array_split(others, sizes.experts)
    if situation == "seen":
        groups = [np.concatenate([group, task[at :: sizes.experts]]) for at, group in enumerate(groups)]
    pool, private, rest = np.split(rows, [sizes.pool, sizes.pool + sizes.private])
    if situation == "poor pool":
        pool = pool[~np.isin(labels[pool], task)]
    rest = rest[np.isin(labels[rest], task)]
    chosen = np.concatenate([rest[labels[rest] == name][:shots] for name in task])
    test = np.setdiff1d(rest, chosen)
    if len(chosen) < shots * sizes.ways or not len(test):
        raise ValueError(f"needed more than {shots} rows of each class beside {sizes.pool} and {sizes.private}")
    own = tuple(_rows(x, labels, private[np.isin(labels[private], group)]) for group in groups)
    experts = tuple(_trained(*rows_of_one, draw) for rows_of_one in own)
    share = float(np.isin(labels[pool], task).mean())
    seed_of_draw = seed * 1000 + draw
    return DrawnTask(
        experts, own, x[pool], x[chosen], labels[chosen], x[test], labels[test], seed_of_draw, pool_share=share
    )


def _rows(x: Array, labels: Indices, chosen: Indices) -> tuple[Array, Indices]:
    return x[chosen], labels[chosen]


def _trained(x: Array, labels: Indices, seed: int) -> MLPClassifier:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # stopped early on purpose
        return MLPClassifier(HIDDEN, max_iter=EPOCHS, random_state=seed).fit(x, labels)
