"""The figure of a study in which rules compete: a row of panels for each data set, a line for each rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from coolgp.scenarios.picture import AFTER, NEUTRAL
from coolgp.scenarios.study import Study
from coolgp.scenarios.study_folder import read_table

__all__ = ["league_figure"]

WILD = 6.0
"""Values further from the best than so many times the median distance are drawn at the edge, with their number."""
Rows = Sequence[Mapping[str, str]]


def league_figure(
    study: Study,
    folder: Path,
    *,
    panels: str,
    lines: str,
    metrics: Mapping[str, str],
    best: str,
    targets: Mapping[str, float],
    title: str = "",
) -> Figure:
    """Draw last values of some metrics, from the table of a study: dots are means over all other settings.

    panels, lines: the axes of the grid that set rows of panels, and rules in them, apart. metrics: columns with their
    words; best: the one by which rules are ordered, the lowest mean first; targets: where a metric should be.
    """
    rows = read_table(folder)
    shown = list(dict.fromkeys(row[panels] for row in rows))
    figure = Figure(figsize=(4.2 * len(metrics) + 1.6, 3.6 * len(shown) + 0.7), layout="constrained")
    grid = figure.subplots(len(shown), len(metrics), squeeze=False)
    for place, panel in enumerate(shown):
        mine = [row for row in rows if row[panels] == panel]
        order = _ordered(mine, lines, best)
        for axes, (metric, words) in zip(grid[place], metrics.items(), strict=True):
            _draw(axes, [_values(mine, lines, name, metric) for name in order], targets.get(metric))
            axes.set_xlabel(words)
            axes.set_yticks(range(len(order)), order if axes is grid[place][0] else [""] * len(order))
        grid[place][0].set_title(panel)
    figure.suptitle(title, x=0.02, ha="left", fontsize="large")
    repeats = len(rows) // max(len({(row[lines], row[panels]) for row in rows}), 1)
    spread = f"means over {repeats} seeds; bars: ± one standard deviation over them" if repeats > 1 else "one run each"
    caption = (
        f"After the last round. Dots: {spread}. "
        f"Ordered by {metrics[best]}, the best above. Values off the scale stand at its edge as numbers."
    )
    figure.supxlabel(caption, fontsize="small", color="0.35")
    return figure


def _ordered(rows: Rows, lines: str, best: str) -> list[str]:
    names = list(dict.fromkeys(row[lines] for row in rows))
    return sorted(names, key=lambda name: float(_values(rows, lines, name, best).mean()))


def _values(rows: Rows, lines: str, name: str, metric: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([float(row[metric]) for row in rows if row[lines] == name])


def _draw(axes: Axes, values: Sequence[np.ndarray[tuple[int], np.dtype[np.float64]]], target: float | None) -> None:
    means = np.array([found.mean() for found in values])
    low, high = _range(means, target)
    for place, found in enumerate(values):
        mean, spread = found.mean(), found.std(ddof=1) if len(found) > 1 else 0.0
        if low <= mean <= high:
            axes.errorbar(mean, place, xerr=spread, color=AFTER, fmt="o", markersize=4.5, capsize=3)
        else:
            edge, side = (low, "left") if mean < low else (high, "right")
            axes.text(edge, place, f"{mean:.3g}", ha=side, va="center", color=NEUTRAL, fontsize="small")
    if target is not None:
        axes.axvline(target, color="0.45", linestyle="--", linewidth=1.0)
    axes.set_ylim(len(values) - 0.5, -0.5)
    margin = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    axes.set_xlim(low - margin, high + margin)
    axes.xaxis.set_major_locator(MaxNLocator(5))


def _range(means: np.ndarray[tuple[int], np.dtype[np.float64]], target: float | None) -> tuple[float, float]:
    """What is drawn to scale: values that are not wildly far from the middle, and the target."""
    middle = float(np.median(means))
    reach = WILD * max(float(np.median(np.abs(means - middle))), 1e-3 * abs(middle), 1e-12)
    tame = means[np.abs(means - middle) <= reach]
    points = [*tame, *([] if target is None else [target])]
    return float(min(points)), float(max(points))
