"""Who speaks for which class: each network's share of all training rows of a class."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from coolgp.agents.base.arrays import Array

__all__ = ["class_shares", "powered"]


def class_shares(class_counts: npt.ArrayLike | None, networks: int, classes: int) -> Array:
    """Shares ``[J, K]``, each class adding up to 1, of counts ``[J, K]``; equal ones for a class that nobody has.

    Without counts all shares are equal. Raises ValueError for another shape, or counts below 0 or not finite.

    >>> class_shares([[3, 0], [1, 0]], networks=2, classes=2).tolist()
    [[0.75, 0.5], [0.25, 0.5]]
    """
    if class_counts is None:
        return np.full((networks, classes), 1.0 / networks)
    counts = np.asarray(class_counts, dtype=float)
    if counts.shape != (networks, classes):
        raise ValueError(f"Class counts need one row a network, [{networks}, {classes}]; got {counts.shape}")
    if not (np.isfinite(counts).all() and (counts >= 0).all()):
        raise ValueError("Class counts need finite numbers from 0")
    totals = counts.sum(axis=0)
    return np.where(totals > 0, counts / np.where(totals > 0, totals, 1.0), 1.0 / networks)


def powered(shares: Array, power: float) -> Array:
    """Shares ``[J, K]`` to a power, each class adding up to 1 again.

    >>> powered(np.array([[0.9], [0.1]]), 0.5).round(3).tolist()
    [[0.75], [0.25]]
    """
    raised: Array = shares**power
    total: Array = raised.sum(axis=0)
    return raised / total
