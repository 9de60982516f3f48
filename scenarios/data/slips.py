"""What may be a slip in a table: said before a run, and nothing else done about it."""

from __future__ import annotations

import numpy as np

from coolgp.scenarios.base.arrays import Floats, Ints
from coolgp.scenarios.data.table import Table

__all__ = ["probable_slips"]

FEW_ROWS = 2
"""So many rows or fewer tell an agent next to nothing."""
SAME = 1e-9
"""Share of the target's variance that a feature leaves unexplained by a line, below which it is the target itself."""


def probable_slips(table: Table, train: Ints, owner: Ints, agents: int) -> tuple[str, ...]:
    """What to look at, in sentences. train ``[n]``: rows for training, owner ``[n]``: the agent of each.

    >>> table = Table(np.arange(6.0)[:, None], np.ones(6), ("x",), "y")
    >>> probable_slips(table, np.arange(6), np.zeros(6, dtype=int), 1)
    ('the target y is 1 in all training rows: there is nothing to learn',)
    """
    x, y = table.x[train], table.y[train]
    slips = []
    if _constant(y):
        slips.append(f"the target {table.target} is {y[0]:g} in all training rows: there is nothing to learn")
    for name, column in zip(table.features, x.T, strict=True):
        if _constant(column):
            slips.append(f"the feature {name} is {column[0]:g} in all training rows: it tells nothing")
        elif _is_target(column, y):
            slips.append(
                f"the feature {name} is the target {table.target} in another unit: leave it out of data.features"
            )
    few = int((np.bincount(owner, minlength=agents) <= FEW_ROWS).sum())
    if few and table.labels is not None:
        which = f"{few:,} of {agents:,} agents have at most {FEW_ROWS} training rows"
        slips.append(f"{which}: is data.agent the column that you meant?")
    return tuple(slips)


def _constant(values: Floats) -> bool:
    return bool(np.ptp(values) == 0)


def _is_target(column: Floats, y: Floats) -> bool:
    """Whether a line through the column is the target."""
    if _constant(y):
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        a, b = (values / np.abs(values).max() for values in (column, y))
        a, b = a - a.mean(), b - b.mean()
        unexplained = 1 - (a @ b) ** 2 / ((a @ a) * (b @ b))
    return bool(unexplained < SAME)
