"""Rows that nobody holds any more, as far as sums tell of them; and rows of several kinds together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.kernels.base import Kernel
from coolgp.agents.sparse.parameters import Parameters
from coolgp.agents.sparse.rows import Explained, Pooled, Rows, RowSlopes

__all__ = ["Together", "rows_of_sums"]

TOLD = 1e-10
"""Share of the largest eigenvalue of a sum of squares below which a direction is rounding."""


def rows_of_sums(gram: Array, cross: Array, inputs: Array, inverse: Array, told: float = TOLD) -> Pooled:
    """Observations that say of ``f`` at inducing inputs ``[M, D]`` what sums say: gram ``[M, M]``, cross ``[M]``.

    The sums are of features of ``v`` with ``f(inputs) = R v``; inverse: ``R⁻¹``. With ``gram = V Λ Vᵀ`` an observation
    ``Vᵢᵀ cross / √λᵢ`` of ``√λᵢ Vᵢᵀ v`` for each direction that is above rounding, and at most M of them.
    """
    values, directions = np.linalg.eigh(gram)
    kept = values > told * max(values[-1], np.finfo(float).tiny)
    root = np.sqrt(values[kept])
    return Pooled(inputs, directions[:, kept].T @ cross / root, inverse.T @ (directions[:, kept] * root))


@dataclass(frozen=True, eq=False)
class Together:
    """Rows of several kinds as one: what is a sum adds up."""

    parts: tuple[Rows, ...]

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

    def explained(self, at: Parameters, factor: Array, kernel: Kernel) -> Explained:
        """See :class:`coolgp.agents.sparse.rows.Rows`."""
        return _ExplainedTogether([part.explained(at, factor, kernel) for part in self.parts])


class _ExplainedTogether:
    def __init__(self, parts: list[Explained]) -> None:
        self.parts = parts
        self.gram: Array = sum((part.gram for part in parts[1:]), parts[0].gram)
        self.moment: Array = sum((part.moment for part in parts[1:]), parts[0].moment)

    def pulled_back(self, outer: Array, alpha: Array, solved: Array) -> RowSlopes:
        """See :class:`coolgp.agents.sparse.rows.Explained`."""
        slopes = [part.pulled_back(outer, alpha, solved) for part in self.parts]
        return RowSlopes(
            inducing_inputs=np.sum([slope.inducing_inputs for slope in slopes], axis=0),
            log_lengthscale=np.sum([slope.log_lengthscale for slope in slopes], axis=0),
            by_log_signal=sum(slope.by_log_signal for slope in slopes),
            residual=sum(slope.residual for slope in slopes),
        )
