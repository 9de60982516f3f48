"""Rows of data that a rule keeps besides what becomes of them in sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from coolgp.agents.base.arrays import Array
from coolgp.agents.batches import Batch
from coolgp.agents.population import Population
from coolgp.network.row_axes import PerAgent

__all__ = ["RowMemory", "newest"]


@dataclass(frozen=True)
class RowMemory:
    """Rows x ``[A, n, D]``, y, mask ``[A, n]`` in the order in which they were observed; mask: one where real."""

    x: PerAgent
    y: PerAgent
    mask: PerAgent

    @classmethod
    def of(cls, population: Population, rows: int = 0) -> Self:
        """So many rows for every agent, none of them real."""
        shape = (population.size, rows)
        x = np.zeros((*shape, population.model.layout.inputs), population.dtype)
        return cls(x, np.zeros(shape, population.dtype), np.zeros(shape))

    @property
    def batch(self) -> Batch:
        """All of them as one batch."""
        return Batch(self.x, self.y, self.mask)

    def grown(self, batch: Batch) -> Self:
        """These and a batch ``[A, B]``."""
        pairs = ((self.x, batch.x), (self.y, batch.y), (self.mask, batch.mask))
        return type(self)(*(np.concatenate(pair, axis=1) for pair in pairs))

    def __getitem__(self, rows: npt.NDArray[np.intp]) -> Self:
        """Of each agent the rows ``[A, R]``."""
        x = np.take_along_axis(self.x, rows[..., None], axis=1)
        return type(self)(x, *(np.take_along_axis(column, rows, axis=1) for column in (self.y, self.mask)))


def newest(mask: Array, count: int) -> npt.NDArray[np.intp]:
    """Where of each agent's rows ``[A, n]`` the newest so many real ones stand, in order, ``[A, count]``.

    >>> newest(np.array([[1.0, 1.0, 0.0, 1.0, 0.0]]), 2).tolist()
    [[1, 3]]
    """
    order: npt.NDArray[np.intp] = np.argsort(mask > 0, axis=1, kind="stable")[:, mask.shape[1] - count :]
    return order
