"""Means over the runs of a line, round by round and at the end, and how far the runs lie apart.

Axes: `n` runs of a line, `R` rounds that all of them have finished.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np
from scipy.special import stdtrit

from coolgp.scenarios.base.arrays import Floats
from coolgp.scenarios.metrics.words import alike, is_summed
from coolgp.scenarios.studies.comparison import Line, Run

__all__ = ["BANDS", "X_AXES", "Curve", "curve", "final_values", "mean_and_std"]

X_AXES: Mapping[str, Callable[[Run], Floats]] = {
    "rounds": lambda run: run.columns["round"],
    "bytes": lambda run: np.cumsum(run.columns["bytes"]),
    "seconds": lambda run: np.cumsum(run.columns["seconds"]),
    "observations": lambda run: run.columns["observations"],
}
"""What a metric can be drawn against, by name: values ``[R]`` of a run, sums since its start."""
LEVEL = 0.95
"""Of the confidence interval."""


@dataclass(frozen=True)
class Curve:
    """A line of a figure, ``[R]`` each: x and y are means over the runs; the band lies between low and high."""

    x: Floats
    y: Floats
    low: Floats
    high: Floats


def curve(line: Line, metric: str, against: str, band: str) -> Curve:
    """A metric over the rounds that all runs of a line have finished.

    Runs meet round by round: where they are at different x after the same round, as bytes and seconds are, x is their
    mean, and nothing is interpolated.
    """
    rounds = reduce(np.intersect1d, [run.columns["round"] for run in line.runs])
    x, y = (
        np.array([_at(rounds, run.columns["round"], values(run)) for run in line.runs])
        for values in (X_AXES[against], lambda run: alike(run.columns, metric))
    )
    low, high = BANDS[band].between(y)
    return Curve(x.mean(axis=0), y.mean(axis=0), low, high)


def final_values(run: Run) -> dict[str, float]:
    """The last row of a run; of columns that count what happened since the row before, the sum."""
    return {name: float(np.nansum(column) if is_summed(name) else column[-1]) for name, column in run.columns.items()}


def mean_and_std(values: Floats) -> tuple[float, float]:
    """The mean and the standard deviation (n - 1) of ``[n]`` values, NaN of one."""
    return float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else float("nan")


@dataclass(frozen=True)
class Band:
    """How far runs lie apart. words: what the band is; between: its lower and upper end ``[R]`` of values ``[n,R]``."""

    words: str
    between: Callable[[Floats], tuple[Floats, Floats]]


def _std(y: Floats) -> tuple[Floats, Floats]:
    half = y.std(axis=0, ddof=1) if len(y) > 1 else np.zeros(y.shape[1])
    return y.mean(axis=0) - half, y.mean(axis=0) + half


def _confidence(y: Floats) -> tuple[Floats, Floats]:
    """The interval of the mean by Student's t: ``t(n - 1) · std / √n``."""
    low, high = _std(y)
    factor = stdtrit(len(y) - 1, 0.5 + 0.5 * LEVEL) / np.sqrt(len(y)) if len(y) > 1 else 0.0
    middle, half = 0.5 * (low + high), 0.5 * (high - low)
    return middle - factor * half, middle + factor * half


BANDS: Mapping[str, Band] = {
    "std": Band("± one standard deviation (n - 1)", _std),
    "minmax": Band("from the smallest to the largest", lambda y: (y.min(axis=0), y.max(axis=0))),
    "ci": Band(f"{LEVEL:.0%} confidence interval of the mean (Student's t)", _confidence),
}
"""What a band can be, by name."""


def _at(wanted: Floats, rounds: Floats, values: Floats) -> Floats:
    """Values ``[R]`` at the wanted rounds, all of which are there."""
    chosen: Floats = values[np.searchsorted(rounds, wanted)]
    return chosen
