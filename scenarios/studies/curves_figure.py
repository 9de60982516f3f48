"""The figure of a study as curves over the rounds: errors before and after fusion, a panel for each value of a key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from coolgp.scenarios.base.arrays import Floats
from coolgp.scenarios.metrics.words import alike
from coolgp.scenarios.plots.style import LINES, NEUTRAL
from coolgp.scenarios.records.run_folder import read_metrics
from coolgp.scenarios.records.tables import Columns
from coolgp.scenarios.studies.folder import finished_cells
from coolgp.scenarios.studies.study import Cell, Study

__all__ = ["curves_figure"]

Stage = tuple[str, Literal["-", "--"]]
STAGES: Mapping[str, Stage] = {"pre": ("before fusion", "--"), "post": ("after fusion", "-")}
"""What is drawn of each run, and how: the columns `<metric>_pre` and `<metric>_post`."""
Curve = tuple[Floats, Columns]
"""Of one run: its place along the x axis `[R]`, and its metrics."""


def curves_figure(
    study: Study,
    folder: Path,
    *,
    panels: str,
    lines: str,
    x: str = "batches",
    metric: str = "rmse",
    title: str = "",
    ylabel: str = "",
    caption: str = "",
    log: bool = False,
    stages: Sequence[str] = tuple(STAGES),
) -> Figure:
    """Draw a metric against x, from the run folders of a study's finished cells. In the style in force.

    panels, lines: the axes of the grid that set panels and colours apart; means and extremes over all others. x:
    "batches" of all agents together, or a column of metrics.csv. log: the metric on a logarithmic axis. stages: "pre"
    and "post" fusion, or one of them.
    """
    groups = _grouped(study, folder, panels, lines, x)
    shown, values = _distinct(panel for panel, _ in groups), _distinct(value for _, value in groups)
    figure = Figure(figsize=(max(7.0, 4.9 * len(shown)), 5.0), layout="constrained")
    row = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    for axes, panel in zip(row, shown, strict=True):
        for number, value in enumerate(values):
            for stage in stages:
                curves = groups.get((panel, value), [])
                _draw(axes, curves, f"{metric}_{stage}", LINES[number % len(LINES)][0], STAGES[stage][1])
        axes.set(title=f"{panels.rpartition('.')[2]} = {panel}", xlabel=f"{x} of all agents" if x == "batches" else x)
        axes.xaxis.set_major_formatter("{x:,.0f}")
    row[0].set_ylabel(ylabel or metric.upper())
    row[0].set_yscale("log" if log else "linear")
    _legend(figure, values, [STAGES[stage] for stage in stages] if len(stages) > 1 else [])
    figure.suptitle(title, x=0.02, ha="left", fontsize="large")
    repeats = max(map(len, groups.values()))
    spread = f" Lines: means over {repeats} runs; bands: their extremes." if repeats > 1 else ""
    figure.supxlabel(caption + spread, fontsize="small", color="0.35")
    return figure


def _grouped(study: Study, folder: Path, panels: str, lines: str, x: str) -> dict[tuple[object, object], list[Curve]]:
    """The curves of the finished cells by panel and line, in the order of the grid."""
    groups: dict[tuple[object, object], list[Curve]] = {}
    for cell, place in finished_cells(study, folder):
        columns = read_metrics(place)
        group = groups.setdefault((cell.settings[panels], cell.settings[lines]), [])
        group.append((_along(cell, columns, x), columns))
    return groups


def _along(cell: Cell, columns: Columns, x: str) -> Floats:
    return columns["observations"] / cell.scenario.agents.batch_size if x == "batches" else columns[x]


def _distinct(values: Iterable[object]) -> list[object]:
    return list(dict.fromkeys(values))


def _draw(axes: Axes, curves: Sequence[Curve], column: str, colour: str, style: Literal["-", "--"]) -> None:
    """Mean and extremes of runs of as many rounds."""
    if not curves:
        return
    at = np.mean([along for along, _ in curves], axis=0)
    heights = np.array([alike(columns, column) for _, columns in curves])
    axes.fill_between(at, heights.min(axis=0), heights.max(axis=0), color=colour, alpha=0.15, linewidth=0)
    axes.plot(at, heights.mean(axis=0), color=colour, linestyle=style, linewidth=1.6)


def _legend(figure: Figure, values: Sequence[object], stages: Sequence[Stage]) -> None:
    """Colours say which line, dashes which stage."""
    colours = [Line2D([], [], color=LINES[i % len(LINES)][0], label=str(value)) for i, value in enumerate(values)]
    styles = [Line2D([], [], color=NEUTRAL, linestyle=style, label=words) for words, style in stages]
    figure.legend(handles=colours + styles, loc="outside right upper")
