"""Where agents stand that climb the product of experts.

Axes: ``A`` agents on this rank, ``S`` points of a query, ``Q`` queries, ``P`` numbers of a row.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.fusion.blackbox.starts import Agreed, Own

__all__ = ["Climb"]


@dataclass(frozen=True)
class Climb:
    """Where the agents of a rank stand.

    own: what their experts said first. rows ``[A, P]``, inner, spent: of the sum that is on its way: what agents add,
    what its carrier keeps, communication rounds so far. agreed: None before the first sum came. points ``[A, S, Q]``:
    of all agents as each of these knows them. precision ``[A, Q]``: of the product at an agent's own point, NaN where
    it is not known. iteration: moves made. calm: how many of the last ones were small, one after the other. done: why
    there is nothing more to do; empty before. out: experts that failed, by their agent's place on this rank, with the
    reason.
    """

    own: Own
    rows: Array
    inner: Any
    spent: int = 0
    agreed: Agreed | None = None
    points: Array = field(default_factory=lambda: np.empty((0, 0, 0)))
    precision: Array = field(default_factory=lambda: np.empty((0, 0)))
    count: Array = field(default_factory=lambda: np.empty(0))
    iteration: int = 0
    calm: int = 0
    done: str = ""
    out: dict[int, str] = field(default_factory=dict)
