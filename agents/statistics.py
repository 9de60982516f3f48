"""Sums of an agent's data, and the evidence they become.

:class:`Statistics` are unscaled, so that signal and noise variance can move freely without touching data.
:class:`Evidence` is scaled, in common coordinates and without the prior: a commutative group, so fusing is ``+`` and
taking back what a neighbour sent is ``-``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from math import isqrt
from typing import Self

import numpy as np
import numpy.typing as npt

from coolgp.agents.base.arrays import Array

__all__ = ["Evidence", "Statistics", "carried", "packed_length", "repeated", "widened"]


@dataclass(frozen=True)
class Statistics:
    """Unscaled sums of the data of ``A`` agents, in whitened or common coordinates, by their encoding.

    rows ``[A, P]``, each symmetric pair stored once: the lower triangle of ``Σ φφᵀ`` row by row, ``Σ φy``, ``Σ y²``,
    and the number of observations. The importance encoding keeps a row for each sampled projection: ``[A, S, P]``.
    """

    rows: Array

    @property
    def inducing(self) -> int:
        """``M``."""
        return (isqrt(8 * self.rows.shape[-1] - 7) - 3) // 2

    @property
    def gram(self) -> Array:
        """``Σ φφᵀ [A, ..., M, M]``, unpacked."""
        return Evidence.unpack(self.rows, self.inducing).precision

    @property
    def cross(self) -> Array:
        """``Σ φy [A, ..., M]``."""
        return self.rows[..., -self.inducing - 2 : -2]

    @property
    def square(self) -> Array:
        """``Σ y² [A, ...]``."""
        return self.rows[..., -2]

    @property
    def count(self) -> Array:
        """Observations ``[A, ...]``."""
        return self.rows[..., -1]

    def __getitem__(self, agents: slice | npt.NDArray[np.intp]) -> Statistics:
        return Statistics(self.rows[agents])


@dataclass(frozen=True)
class Evidence:
    """Information that data give about the function, without the prior, in common coordinates.

    precision ``[..., M, M]``, shift ``[..., M]``: natural parameters; square ``[...]``: ``Σ y²/σ_η²``; count ``[...]``.
    COOL-GP (AAAI-19), equation 4, whitened.

    >>> one = Evidence(np.eye(2), np.ones(2), np.float64(3.0), np.float64(4.0))
    >>> float((one + one - one).count)
    4.0
    """

    precision: Array
    shift: Array
    square: Array
    count: Array

    def __add__(self, other: Evidence) -> Self:
        return self._zip(other, np.add)

    def __sub__(self, other: Evidence) -> Self:
        return self._zip(other, np.subtract)

    def __getitem__(self, agents: slice | npt.NDArray[np.intp]) -> Evidence:
        return Evidence(*(getattr(self, field.name)[agents] for field in fields(self)))

    def scaled(self, quadratic: Array, linear: Array, square: Array) -> Self:
        """The same in other units: precision, shift and square of each agent times its factor, each ``[A]``.

        Agents that share one row in memory, and the factors, go on sharing it.
        """
        if (
            len(self.shift) > 1
            and repeated(self.shift)
            and all((factor == factor[0]).all() for factor in (quadratic, linear, square))
        ):
            one = self[:1].scaled(quadratic[:1], linear[:1], square[:1])
            return type(self)(
                *(np.broadcast_to(getattr(one, f.name), getattr(self, f.name).shape) for f in fields(self))
            )
        by_precision, by_shift, by_square = (factor.astype(self.shift.dtype) for factor in (quadratic, linear, square))
        precision = self.precision * by_precision[:, None, None]
        return type(self)(precision, self.shift * by_shift[:, None], self.square * by_square, self.count)

    def carried(self, map_: Array) -> Self:
        """What it says of ``v = T v'`` as evidence about ``v'``; map ``T [..., M, L]``."""
        turned = map_.swapaxes(-1, -2)
        shift = (turned @ self.shift[..., None])[..., 0]
        return type(self)(turned @ self.precision @ map_, shift, self.square, self.count)

    def pack(self) -> Array:
        """One row an agent, ``[..., P]``, the symmetric precision stored once: ``P = M(M+1)/2 + M + 2``."""
        rows, columns = _lower(self.shift.shape[-1])
        scalars = (np.asarray(self.square)[..., None], np.asarray(self.count)[..., None])
        return np.concatenate([self.precision[..., rows, columns], self.shift, *scalars], axis=-1)

    @staticmethod
    def unpack(packed: Array, inducing: int) -> Evidence:
        """The inverse of :meth:`pack` for ``M = inducing``."""
        rows, size = packed[:1] if repeated(packed) else packed, inducing * (inducing + 1) // 2
        precision = np.take(rows, _square(inducing), axis=-1).reshape(*rows.shape[:-1], inducing, inducing)
        if repeated(packed):
            precision = np.broadcast_to(precision, (*packed.shape[:-1], inducing, inducing))
        return Evidence(precision, packed[..., size:-2], packed[..., -2], packed[..., -1])

    def clipped(self) -> Evidence:
        """The nearest evidence, in the Frobenius norm, that could come from data: no direction has negative precision.

        Precisions fused coordinate by coordinate, or with weights below 0, need not be positive semi-definite: negative
        directions lose their precision, and their shift. Agents without any, but for rounding, stay as they are to the
        bit.
        """
        below = _below(self.precision, -self._grain)
        if not below.size:
            return self
        precision, shift = self.precision.copy(), self.shift.copy()
        values, vectors = np.linalg.eigh(precision[below])
        informed, turned = values > 0, vectors.swapaxes(-1, -2)
        precision[below] = (vectors * (informed * values)[..., None, :]) @ turned
        shift[below] = (vectors @ (informed * (turned @ shift[below][..., None])[..., 0])[..., None])[..., 0]
        return Evidence(precision, shift, self.square, self.count)

    def possible(self) -> npt.NDArray[np.bool_]:
        """Which of ``A`` could come from data, ``[A]``: finite, no direction of negative precision but for rounding.

        >>> Evidence(np.array([np.eye(2), -np.eye(2)]), np.ones((2, 2)), np.ones(2), np.ones(2)).possible().tolist()
        [True, False]
        """
        finite: npt.NDArray[np.bool_] = np.logical_and.reduce(np.isfinite(self.pack()), axis=-1)
        candidates = self[np.flatnonzero(finite)]
        finite[np.flatnonzero(finite)[_below(candidates.precision, -candidates._grain)]] = False
        return finite

    @property
    def _grain(self) -> Array:
        """What of a direction's precision may be rounding, ``[...]``."""
        finest = max(1e-10, 100 * float(np.finfo(self.precision.dtype).eps))
        grain: Array = finest * np.trace(self.precision, axis1=-2, axis2=-1) + np.finfo(float).tiny
        return grain

    def _zip(self, other: Evidence, operation: np.ufunc) -> Self:
        return type(self)(*(operation(getattr(self, f.name), getattr(other, f.name)) for f in fields(self)))


def packed_length(inducing: int) -> int:
    """Length ``P`` of packed evidence about ``M`` inducing points.

    >>> packed_length(100)
    5152
    """
    return inducing * (inducing + 1) // 2 + inducing + 2


def widened(rows: Array, inducing: int, more: int) -> Array:
    """Rows ``[..., P + C]`` about ``M = inducing`` points as rows about so many more, without information about these.

    Columns after the packed ones, ``[..., C]``, stay. Rows that are one in memory stay one.

    >>> widened(np.array([[4.0, 2.0, 3.0, 1.0]]), inducing=1, more=1).tolist()
    [[4.0, 0.0, 0.0, 2.0, 0.0, 3.0, 1.0]]
    """
    if repeated(rows) and len(rows) > 1:
        one = widened(rows[:1], inducing, more)
        return np.broadcast_to(one, (len(rows), *one.shape[1:]))
    size, total = inducing * (inducing + 1) // 2, inducing + more
    triangle, cross, tail = np.split(rows, [size, size + inducing], axis=-1)
    room = np.zeros((*rows.shape[:-1], total * (total + 1) // 2 - size + more), dtype=rows.dtype)
    return np.concatenate([triangle, room[..., :-more], cross, room[..., -more:], tail], axis=-1)


def carried(rows: Array, map_: Array) -> Array:
    """Rows ``[..., P + C]`` about ``v = T v'`` as rows about ``v'``; map ``T [M, M]``.

    Columns after the packed ones stay. Rows that are one in memory stay one.
    """
    if repeated(rows) and len(rows) > 1:
        return np.broadcast_to(carried(rows[:1], map_), rows.shape)
    moved, length = np.array(rows), packed_length(len(map_))
    for row in moved.reshape(-1, rows.shape[-1]):  # one by one: all of them unpacked are twice the memory
        row[:length] = Evidence.unpack(row[None, :length], len(map_)).carried(map_).pack()[0]
    return moved


def repeated(rows: Array) -> bool:
    """Whether all of the rows ``[A, ...]`` are one and the same in memory, as :func:`numpy.broadcast_to` makes them.

    >>> repeated(np.broadcast_to(np.ones(3), (4, 3))), repeated(np.ones((4, 3)))
    (True, False)
    """
    return len(rows) > 0 and rows.strides[0] == 0


def _below(matrices: Array, least: Array) -> npt.NDArray[np.intp]:
    """Which of the matrices ``[A, M, M]`` have an eigenvalue that is not above ``least [A]``: decided by a factor."""
    lifted = matrices - least[:, None, None] * np.eye(matrices.shape[-1])
    if _positive(lifted):
        return np.zeros(0, dtype=np.intp)
    return np.flatnonzero([not _positive(one) for one in lifted])


def _positive(matrices: Array) -> bool:
    try:
        np.linalg.cholesky(matrices)
    except np.linalg.LinAlgError:
        return False
    return True


@cache
def _lower(size: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    return np.tril_indices(size)


@cache
def _square(size: int) -> npt.NDArray[np.intp]:
    """The place in the packed triangle of each entry of the matrix, ``[M²]``."""
    rows, columns = np.indices((size, size)).reshape(2, -1)
    low, high = np.minimum(rows, columns), np.maximum(rows, columns)
    places: npt.NDArray[np.intp] = high * (high + 1) // 2 + low
    return places
