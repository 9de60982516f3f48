"""The figure of a study as curves over what was spent: a score and the agents' disagreement, a line a setting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from coolgp.scenarios.base.arrays import Floats
from coolgp.scenarios.base.formatting import size_text
from coolgp.scenarios.plots.style import LINES, NEUTRAL
from coolgp.scenarios.records.run_folder import read_metrics
from coolgp.scenarios.records.tables import Columns
from coolgp.scenarios.studies.folder import finished_cells
from coolgp.scenarios.studies.study import Study

__all__ = ["costs_study_figure"]

DISAGREEMENT = "disagreement"
LEAST = 1e-9
"""Of a disagreement on its logarithmic axis, relative to the largest: below it agents agree to rounding."""
SETTLED = 1e-9
"""Relative change of a score that counts as none."""


def costs_study_figure(
    study: Study, folder: Path, *, lines: str, costs: Mapping[str, str], metric: str, ylabel: str, title: str = ""
) -> Figure:
    """Draw means over all other settings of a metric, and of the disagreement, against costs so far.

    Lines end where nothing changes any more. lines: the axis of the grid that sets lines apart. costs: summed columns
    of ``metrics.csv``, a panel each, with their words. In the style in force.
    """
    runs: dict[str, list[Columns]] = {}
    for cell, place in finished_cells(study, folder):
        runs.setdefault(str(cell.settings[lines]), []).append(read_metrics(place))
    figure = Figure(figsize=(4.3 * len(costs) + 0.4, 6.9), layout="constrained")
    grid = figure.subplots(2, len(costs), squeeze=False, sharey="row", sharex="col")
    largest = max(float(columns[DISAGREEMENT].max()) for several in runs.values() for columns in several) or 1.0
    for (cost, words), above, below in zip(costs.items(), *grid, strict=True):
        for number, several in enumerate(runs.values()):
            spent = _mean([np.cumsum(columns[cost]) for columns in several])
            score = _mean([columns[f"{metric}_post"] for columns in several])
            apart = np.maximum(_mean([columns[DISAGREEMENT] for columns in several]), LEAST * largest)
            until = _settled(score)
            _draw(above, spent[:until], score[:until], number)
            _draw(below, spent[:until], apart[:until], number)
        local = _mean([columns[f"{metric}_pre"] for several in runs.values() for columns in several])
        above.axhline(float(local.mean()), color=NEUTRAL, linestyle="--", linewidth=1.0)
        _scaled(below, words, in_bytes=cost == "bytes")
    grid[0][0].set_ylabel(ylabel)
    grid[1][0].set_ylabel("disagreement of agents")
    for line, name in zip(grid[0][0].lines, [*runs, "local models, mean"], strict=True):
        line.set_label(name)
    figure.legend(*grid[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    repeats = max(map(len, runs.values()))
    figure.suptitle(
        f"{title}{f': means over {repeats} seeds' if repeats > 1 else ''}", x=0.02, ha="left", fontsize="large"
    )
    return figure


def _mean(curves: Sequence[Floats]) -> Floats:
    """Of curves of as many rounds."""
    mean: Floats = np.mean([curve[: min(map(len, curves))] for curve in curves], axis=0)
    return mean


def _settled(curve: Floats) -> int:
    """Up to where a curve is drawn: what is sent after its last change changes nothing.

    >>> _settled(np.array([3.0, 2.0, 1.0, 1.0])), _settled(np.ones(4))
    (3, 1)
    """
    moving = np.flatnonzero(np.abs(curve - curve[-1]) > SETTLED * np.abs(curve[-1]))
    return int(moving[-1]) + 2 if len(moving) else 1


def _draw(axes: Axes, spent: Floats, heights: Floats, number: int) -> None:
    colour, mark = LINES[number % len(LINES)]
    axes.plot(
        spent,
        heights,
        color=colour,
        marker=mark,
        markersize=4,
        markevery=[0, -1],
        linewidth=1.6,
        drawstyle="steps-post",
    )


def _scaled(axes: Axes, words: str, *, in_bytes: bool) -> None:
    """Costs on a logarithmic axis, for rules differ in them by orders of magnitude; so does the disagreement."""
    axes.set(xlabel=f"{words} so far", xscale="log", yscale="log")
    if in_bytes:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: size_text(value)))
