"""Numbers of agents in a sum that honest agents cannot make: a false message has been taken in."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from coolgp.agents.base.arrays import Array

__all__ = ["forged"]

ROUNDING = 1e-4
"""Of the number of agents, by which sums in single precision can be off."""


def forged(counts: Array, size: int, *, whole: bool) -> npt.NDArray[np.bool_]:
    """Which sums ``[A']`` are of no honest agents, by the ones in them, one for each of so many agents.

    Every agent adds a one. So a sum has between one and all of them, and a whole number, but for rules that scale sums
    (not ``whole``). That a sum passes proves nothing: a liar can send a one.

    >>> forged(np.array([1.0, 3.0, 2.4, -5.0, np.nan]), 3, whole=True).tolist()
    [False, False, True, True, True]
    """
    tolerance = 1e-3 + ROUNDING * size
    within = (counts > 1.0 - tolerance) & (counts < size + tolerance)
    with np.errstate(invalid="ignore"):
        fits = np.abs(counts - np.round(counts)) < tolerance
    return ~(within & (fits | (not whole)))
