"""Errors before and after fusion as they come about, in a panel of an animation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from coolgp.scenarios.base.arrays import Floats
from coolgp.scenarios.plots.style import AFTER, BEFORE, round_ticks, with_unit
from coolgp.scenarios.records.run_folder import RunFolder

__all__ = ["Show", "growing_errors", "growing_line", "limits_of", "together"]

Show = Callable[[int], None]
"""Draws up to a place of the rounds."""


def growing_errors(axes: Axes, folder: RunFolder, *, single: bool) -> Show:
    """Mean RMSE of the probes up to a round; single: with a thin line for each of them."""
    rounds = folder.probes.rounds.astype(float)
    lines: list[Show] = []
    for errors, label, colour in (
        (folder.probes.curve_pre, "before fusion", BEFORE),
        (folder.probes.curve_post, "after fusion", AFTER),
    ):
        for column in errors.T if single else ():
            lines.append(growing_line(axes, rounds, column, color=colour, linewidth=0.7, alpha=0.35))
        look = {"color": colour, "linewidth": 1.8, "marker": "o", "markersize": 3.5, "label": label}
        lines.append(growing_line(axes, rounds, _mean(errors), **look))
    axes.set_ylim(*limits_of(np.concatenate([folder.probes.curve_pre, folder.probes.curve_post], axis=None)))
    axes.set(xlabel="round of learning", ylabel=with_unit(f"RMSE of {folder.target}", folder.unit))
    axes.legend(loc="upper right")
    return together(lines)


def together(shown: Sequence[Show]) -> Show:
    """Several as one."""

    def show(place: int) -> None:
        for each in shown:
            each(place)

    return show


def growing_line(axes: Axes, x: Floats, y: Floats, **look: Any) -> Show:
    """A line through points `[R]` up to a place, with these properties; there is room for all from the start."""
    (line,) = axes.plot(x, y, **look)
    span = float(np.ptp(x)) or 1.0
    axes.set_xlim(x[0] - 0.04 * span, x[-1] + 0.04 * span)
    axes.xaxis.set_major_locator(round_ticks(x, 6))
    return lambda place: line.set_data(x[: place + 1], y[: place + 1])


def limits_of(values: Floats) -> tuple[float, float]:
    """Limits from zero to a little above all values that are numbers."""
    finite = values[np.isfinite(values)]
    return 0.0, 1.08 * float(finite.max(initial=0.0)) or 1.0


def _mean(errors: Floats) -> Floats:
    """The mean over probes `[R]`, NaN in a round in which none has an error."""
    count = np.isfinite(errors).sum(axis=1)
    mean: Floats = np.nansum(errors, axis=1) / np.where(count > 0, count, np.nan)
    return mean
