"""Differences of a study seed by seed: from one setting of the grid, and from the local models of the same runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy.special import stdtrit

from coolgp.scenarios.base.arrays import Floats

__all__ = ["Column", "Ends", "differences", "interval", "paired_columns", "with_interval"]

Ends = Mapping[tuple[str, ...], Sequence[Mapping[str, float]]]
"""How the runs of each setting ended, in the order of their seeds."""
Column = tuple[str, Callable[[tuple[str, ...]], str]]
"""Of a table: its words, and the text for a setting."""
LEVEL = 0.95


def paired_columns(ends: Ends, axis: int, reference: str, main: str, better: str) -> list[Column]:
    """Two columns: the difference of the main score from the reference's, and how often it beats local models.

    axis: the place among labels where the reference stands; better: whether "lower" or "higher" scores are.
    """
    before = main.replace("_post", "_pre")

    def difference(labels: tuple[str, ...]) -> str:
        beside = (*labels[:axis], reference, *labels[axis + 1 :])
        if labels == beside or len(ends.get(beside, ())) != len(ends[labels]):
            return ""
        return with_interval(differences(ends[labels], ends[beside], main))

    def beaten(labels: tuple[str, ...]) -> str:
        ahead = [(end[main] < end[before]) == (better == "lower") and end[main] != end[before] for end in ends[labels]]
        return f"{sum(ahead)} of {len(ahead)}"

    return [(f"minus {reference}, with its 95 % interval", difference), ("better than local models", beaten)]


def differences(runs: Sequence[Mapping[str, float]], others: Sequence[Mapping[str, float]], name: str) -> Floats:
    """One value less the other, seed by seed."""
    return np.array([one[name] - other[name] for one, other in zip(runs, others, strict=True)])


def interval(values: Floats) -> tuple[float, float]:
    """The 95 % interval of the mean of two paired differences or more, by Student's t."""
    mean, count = float(values.mean()), len(values)
    half = float(stdtrit(count - 1, 0.5 + LEVEL / 2) * values.std(ddof=1) / np.sqrt(count))
    return mean - half, mean + half


def with_interval(values: Floats) -> str:
    """The mean of paired differences, and its interval by Student's t.

    >>> with_interval(np.array([1.0, 2.0, 3.0]))
    '+2 [-0.484, +4.48]'
    >>> with_interval(np.array([0.5]))
    '+0.5'
    """
    mean = float(values.mean())
    if len(values) < 2:
        return f"{mean:+.3g}"
    low, high = interval(values)
    return f"{mean:+.3g} [{low:+.3g}, {high:+.3g}]"
