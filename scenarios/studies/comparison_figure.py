"""Many runs in one figure: a metric against rounds, bytes, seconds or observations."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator

from coolgp.scenarios.metrics.words import described, metric_words
from coolgp.scenarios.plots.style import LINES, house_style, save_picture
from coolgp.scenarios.studies.bands import BANDS, Curve, curve
from coolgp.scenarios.studies.comparison import Comparison

__all__ = ["compare_figure", "draw_comparison", "figure_caption"]

X_WORDS = {
    "rounds": "round of learning",
    "bytes": "bytes sent by all agents since the start",
    "seconds": "seconds of learning and fusion since the start",
    "observations": "observations seen by all agents",
}
FEW_LINES = 6
"""As many fit into a legend inside of the axes."""
WIDE = 30.0
"""A ratio of values from which an axis is logarithmic."""
CAPTION = 118
"""Characters of a line of the caption."""


def draw_comparison(path: Path, comparison: Comparison, metric: str, against: str, band: str) -> None:
    """Draw the figure into a PNG file; arguments as in :func:`compare_figure`."""
    with house_style():
        save_picture(compare_figure(comparison, metric, against, band), path)


def compare_figure(comparison: Comparison, metric: str, against: str = "rounds", band: str = "std") -> Figure:
    """Draw a metric, a line for runs that differ in their seed alone; in the style in force.

    metric: a column of ``metrics.csv``; against: one of ``X_AXES``; band: one of ``BANDS``.
    """
    figure = Figure(figsize=(8.6, 5.2), layout="constrained")
    axes = figure.subplots()
    curves = [curve(line, metric, against, band) for line in comparison.lines]
    for number, (line, shape) in enumerate(zip(comparison.lines, curves, strict=True)):
        _draw(axes, shape, number, line.name)
    _nominal(axes, metric)
    _scale(axes, curves, against)
    axes.set(xlabel=X_WORDS[against], ylabel=metric_words(metric, comparison.unit))
    if comparison.keys:
        outside = len(comparison.lines) > FEW_LINES
        place = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)} if outside else {"loc": "best"}
        axes.legend(title=", ".join(comparison.keys), **place)
    caption = textwrap.fill(figure_caption(comparison, against, band), CAPTION)
    figure.supxlabel(caption, fontsize="small", color="0.35")
    return figure


def figure_caption(comparison: Comparison, against: str, band: str) -> str:
    """What lines and bands are, and of how many runs."""
    counts = sorted({len(line.runs) for line in comparison.lines})
    over = f" (over {', '.join(comparison.averaged)})" if comparison.averaged else ""
    if counts[-1] == 1:
        text = "Lines: one run each."
    else:
        n = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        single = " of lines with n > 1" if counts[0] == 1 else ""
        text = f"Lines: mean of n = {n} runs{over}; bands{single}: {BANDS[band].words}."
        if against in ("bytes", "seconds"):
            text += f" Runs are averaged round by round, in {against} as well."
    if any(line.unfinished for line in comparison.lines):
        text += " Unfinished: up to the last round that all runs of the line have finished."
    return text


def _draw(axes: Axes, shape: Curve, number: int, name: str) -> None:
    colour, mark = LINES[number % len(LINES)]
    style = ("-", "--", ":", "-.")[number // len(LINES) % 4]
    axes.fill_between(shape.x, shape.low, shape.high, color=colour, alpha=0.14, linewidth=0)
    every = max(1, len(shape.x) // 12)
    axes.plot(
        shape.x, shape.y, style, color=colour, marker=mark, markevery=every, markersize=4.5, linewidth=1.6, label=name
    )


def _nominal(axes: Axes, metric: str) -> None:
    """The value that a calibrated model has, where the metric has one."""
    column = described(metric)
    if column and column.nominal is not None:
        axes.axhline(column.nominal, color="0.35", linewidth=1, linestyle=(0, (4, 3)), zorder=1)


def _scale(axes: Axes, curves: Iterable[Curve], against: str) -> None:
    x = np.concatenate([shape.x for shape in curves])
    if against == "rounds":
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        return
    ends = [shape.x[-1] for shape in curves if shape.x.size]
    if x.min() > 0 and max(ends) > WIDE * min(ends):
        axes.set_xscale("log")
    axes.xaxis.set_major_formatter(EngFormatter(unit={"bytes": "B", "seconds": "s"}.get(against, "")))
