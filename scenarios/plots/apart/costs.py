"""The figure of costs of models trained apart: score and disagreement against rounds, queries and bytes so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from coolgp.scenarios.base.arrays import Floats
from coolgp.scenarios.base.formatting import size_text
from coolgp.scenarios.plots.apart.folder import Folder, read_rows, score_of, score_words
from coolgp.scenarios.plots.style import AFTER, BEFORE, NEUTRAL

__all__ = ["costs_figure"]

BASELINES = ("average", "product", "median")
"""Drawn as lines, of those in ``baselines.csv``."""
STYLES = ("--", ":", "-.")
STEPS: dict[str, Any] = {"drawstyle": "steps-post", "marker": ".", "markersize": 6}
"""Predictions stay as they are until something new arrives."""
LEAST = 1e-12
"""Of a disagreement on a logarithmic axis, relative to the largest: below it agents agree to rounding."""


def costs_figure(folder: Folder) -> Figure | None:
    """Draw score and disagreement against what was spent; None of a single round, or where nobody is asked."""
    metrics = folder.metrics
    if len(metrics["round"]) < 2 or not metrics["bytes"].sum():
        return None
    score, costs = score_of(folder), _costs(metrics)
    rows = 2 if "disagreement" in metrics and np.nanmax(metrics["disagreement"], initial=0.0) > 0 else 1
    figure = Figure(figsize=(4.1 * len(costs) + 0.6, 3.1 * rows + 0.8), layout="constrained")
    grid = figure.subplots(rows, len(costs), squeeze=False, sharey="row", sharex="col")
    for place, (words, spent) in enumerate(costs.items()):
        _draw_score(grid[0][place], spent, folder, score)
        if rows > 1:
            _draw_disagreement(grid[1][place], spent, metrics["disagreement"])
        grid[-1][place].set_xlabel(words)
        grid[-1][place].xaxis.set_major_locator(MaxNLocator(5))
        grid[-1][place].set_xlim(left=0)
        if words == BYTES:
            grid[-1][place].xaxis.set_major_formatter(lambda value, _: size_text(max(value, 0.0)))
        else:
            grid[-1][place].xaxis.set_major_formatter("{x:,.0f}")
    grid[0][0].set_ylabel(score_words(folder, score))
    if rows > 1:
        grid[1][0].set_ylabel("disagreement of agents")
    figure.legend(*grid[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=6)
    return figure


BYTES = "data sent so far"


def _costs(metrics: Mapping[str, Floats]) -> dict[str, Floats]:
    """What was spent before each round was tested, by words for it: sums over the rounds."""
    densities = "density_queries" in metrics and metrics["density_queries"].sum() > 0
    queries, words = (
        ("density_queries", "densities asked for so far") if densities else ("queries", "rows asked so far")
    )
    columns = {"communication rounds so far": "communication_rounds", words: queries, BYTES: "bytes"}
    return {name: np.cumsum(np.nan_to_num(metrics[column])) for name, column in columns.items() if column in metrics}


def _draw_score(axes: Axes, spent: Floats, folder: Folder, score: str) -> None:
    metrics = folder.metrics
    axes.plot(spent, metrics[f"{score}_pre"], color=BEFORE, label="local models, mean")
    axes.plot(spent, metrics[f"{score}_post"], color=AFTER, **STEPS, label="fused, mean")
    axes.plot(spent, metrics[f"{score}_worst_post"], color=AFTER, linewidth=1, **STEPS, label="fused, worst agent")
    for style, (name, value) in zip(STYLES, _baselines(folder, score).items(), strict=False):
        axes.axhline(value, color=NEUTRAL, linestyle=style, linewidth=1.0, label=name)


def _draw_disagreement(axes: Axes, spent: Floats, disagreement: Floats) -> None:
    floor = float(np.nanmax(disagreement)) * LEAST
    axes.plot(spent, np.maximum(disagreement, floor), color=AFTER, **STEPS)
    axes.set_yscale("log")


def _baselines(folder: Folder, score: str) -> dict[str, float]:
    path = folder.path / "baselines.csv"
    rows: list[dict[str, Any]] = read_rows(path) if path.is_file() else []
    return {row["baseline"]: float(row[score]) for row in rows if row["baseline"] in BASELINES}
