"""Rows of several kinds as one, and the many rows of one place as blocks of them: what is a sum adds up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.blocks import map_tasks
from coolgp.agents.kernels.base import Kernel
from coolgp.agents.sparse.parameters import Parameters
from coolgp.agents.sparse.rows import Explained, Pooled, Rows, RowSlopes

__all__ = ["Together", "in_blocks"]

Part = TypeVar("Part")
Result = TypeVar("Result")
BLOCK = 2**19
"""Rows of a block times inducing inputs: smaller blocks cost more sums, larger ones leave cores idle."""


@dataclass(frozen=True, eq=False)
class Together:
    """Rows of several kinds as one: what is a sum adds up.

    side_by_side: whether the cores of this rank work on the parts, which then are of this rank alone. The bits are the
    same on any number of them.
    """

    parts: tuple[Rows, ...]
    side_by_side: bool = False

    @property
    def count(self) -> int:
        """How many rows there are."""
        return sum(part.count for part in self.parts)

    @property
    def weight(self) -> float:
        """The sum of their weights."""
        return sum(part.weight for part in self.parts)

    @property
    def square(self) -> float:
        """``y·y``."""
        return sum(part.square for part in self.parts)

    def explained(self, at: Parameters, inverse: Array, kernel: Kernel) -> Explained:
        """See :class:`coolgp.agents.sparse.rows.Rows`."""
        parts = _each(lambda part: part.explained(at, inverse, kernel), self.parts, self.side_by_side)
        return _ExplainedTogether(parts, self.side_by_side)


class _ExplainedTogether:
    def __init__(self, parts: list[Explained], side_by_side: bool) -> None:
        self.parts, self.side_by_side = parts, side_by_side
        self.gram: Array = sum((part.gram for part in parts[1:]), parts[0].gram)
        self.moment: Array = sum((part.moment for part in parts[1:]), parts[0].moment)

    def pulled_back(self, outer: Array, alpha: Array, solved: Array) -> RowSlopes:
        """See :class:`coolgp.agents.sparse.rows.Explained`."""
        slopes = _each(lambda part: part.pulled_back(outer, alpha, solved), self.parts, self.side_by_side)
        return RowSlopes(
            inducing_inputs=np.sum([slope.inducing_inputs for slope in slopes], axis=0),
            log_lengthscale=np.sum([slope.log_lengthscale for slope in slopes], axis=0),
            by_log_signal=sum(slope.by_log_signal for slope in slopes),
            residual=sum(slope.residual for slope in slopes),
        )


def in_blocks(x: Array, y: Array, inducing: int) -> Rows:
    """Rows x ``[n, D]``, y ``[n]`` that are seen through so many inducing inputs: in blocks, if they are many."""
    count = max(1, round(len(y) * inducing / BLOCK))
    blocks = [Pooled(*block) for block in zip(np.array_split(x, count), np.array_split(y, count), strict=True)]
    return Together(tuple(blocks), side_by_side=True) if count > 1 else blocks[0]


def _each(work: Callable[[Part], Result], parts: Sequence[Part], side_by_side: bool) -> list[Result]:
    """Apply ``work`` to each part; results in order."""
    return map_tasks(work, parts) if side_by_side else [work(part) for part in parts]
