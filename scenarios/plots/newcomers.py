"""The figure of scenarios with newcomers: error, NLPD and coverage against the rows that a newcomer has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coolgp.scenarios.base.arrays import Floats
from coolgp.scenarios.metrics.newcomer_columns import MEASURES, START_WORDS
from coolgp.scenarios.plots.apart.folder import Folder, read_lines
from coolgp.scenarios.plots.drawing import Drawing
from coolgp.scenarios.plots.style import LINES, band

__all__ = ["FIGURES", "Line", "of_units", "read_newcomers"]

Line = dict[str, Any]
"""A line of ``newcomers.csv``: one method on one newcomer with so many rows."""
TEXTS, WHOLE = ("relation", "newcomer", "method"), ("draw", "examples")
DECIDE = ("mixture", "scratch")
"""How high the panels of NLPD are: what is sure and wrong has thousands of nats."""
LESS = ("error", "nlpd")
"""Measures whose difference from scratch is drawn, where newcomers differ in themselves."""
STANDARD_ERRORS = 1.96
COLOURS = [colour for colour, _ in LINES]
WORDS = dict(zip(MEASURES, ("error", "NLPD (nats)", "coverage of the 95 % interval"), strict=True))


def read_newcomers(path: Path) -> list[Line]:
    """The lines of ``newcomers.csv``. Raises ValueError where it is not such a table."""
    return read_lines(path, TEXTS, WHOLE)


def of_units(lines: Sequence[Line], method: str, measure: str, unit: str) -> Floats:
    """A method's scores, the mean of each draw or newcomer, whichever the unit is, in one order for all methods."""
    own: dict[Any, list[float]] = {}
    for line in lines:
        if line["method"] == method:
            own.setdefault(line[unit], []).append(line[measure])
    return np.array([np.mean(own[name]) for name in sorted(own)])


def newcomers_figure(folder: Folder) -> Figure:
    """Draw the three scores against rows, a column of panels for each relation, a line for each method."""
    lines, source = read_newcomers(folder.path / "newcomers.csv"), folder.config.tasks.tasks
    groups = [name for name in source.groups if any(line["relation"] == name for line in lines)]
    figure = Figure(figsize=(2.4 + 2.7 * max(len(groups), 2), 8.6), layout="constrained")
    panels = figure.subplots(
        len(MEASURES), len(groups), squeeze=False, sharex=True, sharey="row" if groups[1:] else False
    )
    for column, group in enumerate(groups):
        own = [line for line in lines if line["relation"] == group]
        for axes, measure in zip(panels[:, column], MEASURES, strict=True):
            _draw(axes, own, measure, source)
        panels[0, column].set_title(group)
        panels[-1, column].set_xlabel("rows of a newcomer")
    for axes, measure in zip(panels[:, 0], MEASURES, strict=True):
        words = source.error_words if measure == MEASURES[0] else WORDS[measure]
        axes.set_ylabel(f"{words},\nless that of scratch" if _paired(source) and measure in LESS else words)
    if not _paired(source):
        shown = [line["nlpd"] for line in lines if line["method"] in DECIDE]
        height = max(shown) - min(shown)
        panels[MEASURES.index("nlpd"), 0].set_ylim(min(shown) - 0.1 * height, max(shown) + 0.3 * height)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles[::-1], labels[::-1], loc="outside lower center", ncols=4 if groups[3:] else 2)
    return figure


def _paired(source: Any) -> bool:
    """Whether newcomers differ in themselves: differences from scratch are drawn, not the scores."""
    return bool(source.paired_by == "newcomer")


def _draw(axes: Axes, lines: Sequence[Line], measure: str, source: Any) -> None:
    unit, less = source.paired_by, _paired(source) and measure in LESS
    counts = sorted({line["examples"] for line in lines})
    for method, words, colour in reversed(list(zip(START_WORDS, START_WORDS.values(), COLOURS, strict=False))):
        scores = []
        for count in counts:
            own = [line for line in lines if line["examples"] == count]
            plain = of_units(own, "scratch", measure, unit) if less else 0.0
            scores.append(of_units(own, method, measure, unit) - plain)
        mean, spread = (np.array([function(own) for own in scores]) for function in (np.mean, np.std))
        half = STANDARD_ERRORS * spread / np.sqrt([len(own) for own in scores])
        band(axes, np.array(counts, dtype=float), mean, half, colour, words)
    axes.set_xscale("log")
    axes.set_xticks(counts, [f"{count}" for count in counts])
    axes.minorticks_off()
    if measure == "coverage95":
        axes.axhline(0.95, color="0.3", linewidth=0.8, linestyle=":")
        axes.set_ylim(-0.03, 1.03)


FIGURES: dict[str, Drawing[Any]] = {
    "newcomers": Drawing(
        newcomers_figure,
        "Error, negative log predictive density and coverage against the rows that a newcomer has, for each relation "
        "of the tasks: means over draws, with bands of 95 %. Of airports, which differ, the mean of the "
        "differences from scratch is drawn. Densities beyond the axis are of methods that are sure and wrong.",
    )
}
"""By the names of their files."""
