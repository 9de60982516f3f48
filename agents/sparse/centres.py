"""Centres of k-means clusters of rows that agents hold, by sums alone (Linde, Buzo, Gray, IEEE Trans. Comm. 1980).

From the mean of all rows on, the widest clusters are split in two, and centres move to the means of their clusters.
No row is told, and nothing is drawn: whoever knows the sums finds the same centres.
"""

from __future__ import annotations

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.sparse.held import Held

__all__ = ["centres_by_sums"]

STEPS, LAST_STEPS = 2, 8
"""Moves of the centres after each split, and after the last."""
GRID = 2.0**30
"""Centres are rounded to its inverse: rows between two centres then fall to the same one, however sums were rounded."""
DISTINCT = 1e-8
"""Variances up to which the rows of a cluster count as one."""
APART = 0.5
"""How far the halves of a cluster begin from its centre, in its standard deviations."""


def centres_by_sums(held: Held, count: int) -> Array:
    """Centres ``[M, D]`` of so many clusters. Each step is a sum of ``M(2D + 1)`` numbers. Collective.

    Raises ValueError where there are fewer distinct rows than clusters.
    """
    centres: Array = np.zeros((1, held.x.shape[-1]))
    while True:
        size = len(centres)
        for _ in range(STEPS if size < count else LAST_STEPS):
            rows, centres, spread = _moved(held, centres)
        if size == count:
            return centres
        wide = np.flatnonzero((rows > 1) & (spread.sum(1) > 0))
        if not len(wide):
            raise ValueError(
                f"{count} inducing inputs need as many distinct pilot rows; there are {(rows > 0).sum()}: set "
                "agents.inducing lower, or agents.pilot higher if there are more training rows"
            )
        scatter = rows[wide] * spread[wide].sum(1)
        split = wide[np.argsort(-scatter, kind="stable")[: count - size]]
        away = APART * np.sqrt(spread[split])
        centres = np.concatenate([centres, centres[split] + away])
        centres[split] -= away


def _moved(held: Held, centres: Array) -> tuple[Array, Array, Array]:
    """Rows of each cluster ``[M]``, their means ``[M, D]`` and variances ``[M, D]``; an empty cluster stays."""
    size, width = centres.shape

    def rows(who: Indices) -> Array:
        x = held.x[who]
        gaps = np.square(centres).sum(1) - 2.0 * x @ centres.T
        nearest = np.argmin(gaps, axis=2)
        member = (np.arange(size) == nearest[..., None]) * held.mask[who][..., None]  # [K, B, M]
        seen = np.concatenate([np.ones_like(x[..., :1]), x, np.square(x)], axis=2)
        sums: Array = (member.swapaxes(1, 2) @ seen).reshape(len(who), -1)
        return sums

    total = held.summed(rows).reshape(size, 2 * width + 1)
    count = total[:, 0]
    filled = np.maximum(count, 1.0)[:, None]
    means = np.where(count[:, None] > 0, np.round(total[:, 1 : width + 1] / filled * GRID) / GRID, centres)
    spread = total[:, width + 1 :] / filled - np.square(means)
    return count, means, np.where(spread > DISTINCT, spread, 0.0)
