"""The figure of a study: an error against one setting, a line for each value of another; or, elsewhere, curves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase

from coolgp.scenarios.metrics.words import metric_words
from coolgp.scenarios.plots.league import league_figure
from coolgp.scenarios.plots.reliability import reliability_figure_of
from coolgp.scenarios.plots.style import LINES, house_style, save_picture
from coolgp.scenarios.records.run_folder import PREDICTIONS, RunFolder, read_run
from coolgp.scenarios.studies.costs_figure import costs_study_figure
from coolgp.scenarios.studies.curves_figure import curves_figure
from coolgp.scenarios.studies.folder import finished_cells, read_table
from coolgp.scenarios.studies.study import Study

__all__ = ["draw_ends", "draw_study", "study_figure"]

Rows = Sequence[Mapping[str, str]]
Figures = Mapping[str, Figure]
"""By the names of their files."""


def draw_study(study: Study, folder: Path) -> list[Path]:
    """Draw the figures of a study into its folder, as its scenario's ``FIGURE`` says: "kind", and arguments of that.

    "ends" (the default): :func:`study_figure` of ``study.csv``; "league": :func:`league_figure` of it, and how reliable
    the rules are, where runs keep their forecasts; "curves": :func:`curves_figure` of the run folders, and
    "costs": :func:`costs_study_figure` of them.
    """
    spec = dict(study.figure or {})
    with house_style():
        figures = KINDS[spec.pop("kind", "ends")](study, folder, **spec)
        for name, figure in figures.items():
            save_picture(figure, folder / name)
    return [folder / name for name in figures]


def _ends(study: Study, folder: Path, **spec: str) -> Figures:
    return {"study.png": study_figure(read_table(folder), **spec)}


def _curves(study: Study, folder: Path, **spec: Any) -> Figures:
    return {"study.png": curves_figure(study, folder, **spec)}


def _costs(study: Study, folder: Path, **spec: Any) -> Figures:
    return {"study.png": costs_study_figure(study, folder, **spec)}


def _league(study: Study, folder: Path, **spec: Any) -> Figures:
    league = league_figure(read_table(folder), **spec)
    runs: dict[str, dict[str, list[RunFolder]]] = {}
    for cell, place in finished_cells(study, folder):
        panel, rule = (str(cell.settings[spec[axis]]) for axis in ("panels", "lines"))
        if (place / PREDICTIONS).is_file():
            runs.setdefault(panel, {}).setdefault(rule, []).append(read_run(place))
    return {"study.png": league} | ({"reliability.png": reliability_figure_of(runs)} if runs else {})


KINDS: Mapping[str, Callable[..., Figures]] = {"ends": _ends, "curves": _curves, "costs": _costs, "league": _league}


def study_figure(
    rows: Rows, x: str, lines: str, y: str = "rmse_post", *, title: str = "", xlabel: str = "", caption: str = ""
) -> Figure:
    """Draw y against x, a line for each value of `lines`: means and extremes over all other settings.

    rows: the table of a study. Rows whose x is no number stand at equal distances. In the style in force.
    """
    figure = Figure(figsize=(8.6, 5.2), layout="constrained")
    draw_ends(figure, rows, x, lines, y, title=title, xlabel=xlabel, caption=caption)
    return figure


def draw_ends(
    figure: FigureBase,
    rows: Rows,
    x: str,
    lines: str,
    y: str = "rmse_post",
    *,
    title: str = "",
    xlabel: str = "",
    caption: str = "",
) -> None:
    """:func:`study_figure` in a figure or a subfigure."""
    axes = figure.subplots()
    places = _places(rows, x)
    values = list(dict.fromkeys(row[lines] for row in rows))
    for number, value in enumerate(values):
        mine = [row for row in rows if row[lines] == value]
        # Lines that coincide are all seen: later ones lie on top, and are thinner.
        thicker = min(0.9, 2.4 / len(values)) * (len(values) - number - 1)
        _draw_line(axes, places, mine, x, y, LINES[number % len(LINES)], 1.4 + thicker)
        axes.lines[-1].set_label(value)
    if not all(_is_number(name) for name in places) or all(name.isdecimal() for name in places):
        axes.set_xticks(list(places.values()), list(places))
    axes.set(title=title, xlabel=xlabel or x, ylabel=f"{metric_words(y)}, last round")
    axes.legend(loc="best", title=lines)
    repeats = len(rows) // max(len({(row[lines], row[x]) for row in rows}), 1)
    spread = f" Lines: means over {repeats} runs; bands: their extremes." if repeats > 1 else ""
    figure.supxlabel(caption + spread, fontsize="small", color="0.35")


def _draw_line(
    axes: Axes, places: Mapping[str, float], rows: Rows, x: str, y: str, look: tuple[str, str], wide: float
) -> None:
    colour, mark = look
    groups = {name: [float(row[y]) for row in rows if row[x] == name] for name in places}
    names = [name for name in places if groups[name]]
    at = np.array([places[name] for name in names])
    low, mean, high = (np.array([of(groups[name]) for name in names]) for of in (np.min, np.mean, np.max))
    axes.fill_between(at, low, high, color=colour, alpha=0.12, linewidth=0)
    axes.plot(at, mean, color=colour, marker=mark, markersize=3.5 + 1.2 * wide, linewidth=wide)


def _places(rows: Rows, x: str) -> dict[str, float]:
    """Where each value of x stands, in ascending order where they are numbers."""
    names = list(dict.fromkeys(row[x] for row in rows))
    if all(_is_number(name) for name in names):
        return {name: float(name) for name in sorted(names, key=float)}
    return {name: float(place) for place, name in enumerate(names)}


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False
