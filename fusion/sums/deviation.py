"""The deviation of the agents' sums from the true sum, and the least that precision allows."""

from __future__ import annotations

from functools import cache

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.network.base.arrays import Indices, RowSource
from coolgp.network.transport import Transport

__all__ = ["SAMPLED_COLUMNS", "SAMPLED_NUMBERS", "attainable", "deviation", "sampled", "sampled_columns", "spread"]

SAMPLED_COLUMNS, SAMPLED_NUMBERS = 64, 4_000_000
"""Columns of the contributions by which a run follows the error of the sums; fewer where that were more numbers."""


def spread(values: Array, transport: Transport) -> Array:
    """The root ``[P]`` of the sum over all agents of the squares of values ``[A, P]``. Collective."""
    return np.asarray(np.sqrt(transport.allsum(lambda some: np.square(values[some]))))


def deviation(sums: RowSource, target: Array, scale: Array, transport: Transport) -> float:
    """How far sums ``[A, P]`` are from the target ``[P]``, in the worst column. Collective.

    Root mean square over all agents, as a part of ``√N · scale``, where scale ``[P]`` is the root of the sum of squares
    of what agents contributed: by the Cauchy-Schwarz inequality the target is never larger than that. sums: the rows,
    or what returns those of some agents.
    """
    read = sums if callable(sums) else sums.__getitem__
    square = transport.allsum(lambda some: np.square(read(some) - target)) / transport.shard.size**2
    nonzero = scale > 0
    return float((np.sqrt(square[nonzero]) / scale[nonzero]).max(initial=0.0))


def attainable(tolerance: float, values: Array, roundings: float) -> float:
    """The tolerance, or so many relative rounding errors of the values' precision, whichever is more.

    >>> attainable(1e-12, np.zeros(1), 1000.0), round(attainable(1e-12, np.zeros(1, np.float32), 1000.0), 6)
    (1e-12, 0.000119)
    """
    return max(tolerance, roundings * float(np.finfo(values.dtype).eps))


def sampled(values: Array, transport: Transport) -> Array:
    """The sampled columns ``[A, C]`` of values ``[A, P]``."""
    return np.ascontiguousarray(values[:, sampled_columns(values.shape[1], transport)], dtype=np.float64)


def sampled_columns(length: int, transport: Transport) -> Indices:
    """The columns of rows of that length that are sampled."""
    return _spaced(length, max(1, min(SAMPLED_COLUMNS, SAMPLED_NUMBERS // transport.shard.size)))


@cache
def _spaced(length: int, count: int) -> Indices:
    return np.unique(np.linspace(0, length - 1, count).astype(np.intp))
