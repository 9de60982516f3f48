"""The figure of scenarios that match sets of vectors: scores at each noise, of SPAHM and of baselines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from coolgp.scenarios.base.arrays import Floats
from coolgp.scenarios.metrics.matched_columns import METHOD_WORDS
from coolgp.scenarios.metrics.words import metric_words
from coolgp.scenarios.plots.apart.folder import read_lines
from coolgp.scenarios.plots.drawing import Drawing
from coolgp.scenarios.plots.style import LINES

__all__ = ["FIGURES", "read_draws", "scores"]

COUNTS = ("atoms", "states")
"""Measures that count atoms: the number of true ones is drawn beside them."""
GROWING = ("hausdorff",)
"""Measures that grow with the noise: they are drawn as multiples of it."""
WIDTH = 0.8
"""Of the place of a noise level, in which methods stand side by side."""


class Folder(Protocol):
    """The run folder of such a run, read."""

    @property
    def path(self) -> Path:
        """Of the folder."""

    @property
    def config(self) -> Any:
        """Its scenario."""


def read_draws(path: Path) -> list[dict[str, Any]]:
    """The lines of ``draws.csv``, all numbers but the method. Raises ValueError where it is not such a table."""
    return read_lines(path, ("method",), ("draw",))


def scores(draws: Sequence[dict[str, Any]], method: str, measure: str, noise: float) -> Floats:
    """The scores of a method on all draws at one noise."""
    return np.array([line[measure] for line in draws if line["method"] == method and line["noise"] == noise])


def scores_figure(folder: Folder) -> Figure:
    """Draw each measure of all methods at each noise, means and extremes over draws."""
    draws, study = read_draws(folder.path / "draws.csv"), folder.config.vectors.study
    figure = Figure(figsize=(1.6 + 5.0 * len(study.measures), 5.0), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(study.measures)))
    for axes, measure in zip(panels, study.measures, strict=True):
        _draw_measure(axes, draws, measure, study, sorted(set(folder.config.vectors.noise)))
    handles = {label: line for axes in panels for line, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4)
    return figure


def _draw_measure(
    axes: Axes, draws: Sequence[dict[str, Any]], measure: str, study: Any, noises: Sequence[float]
) -> None:
    divided, methods = measure in GROWING, study.methods
    places = np.arange(len(noises))
    if measure in COUNTS:
        used = [np.mean([line["used"] for line in draws if line["noise"] == noise]) for noise in noises]
        axes.hlines(used, places - 0.45, places + 0.45, color="0.2", linewidth=1.2, label="true number")
    for turn, (method, (colour, mark)) in enumerate(zip(methods, LINES, strict=False)):
        values = [scores(draws, method, measure, noise) / (noise if divided else 1.0) for noise in noises]
        mean = np.array([own.mean() for own in values])
        reach = np.abs(np.array([[own.min(), own.max()] for own in values]).T - mean)
        x = places + WIDTH * ((turn + 0.5) / len(methods) - 0.5)
        style: dict[str, Any] = {"fmt": mark, "markersize": 5.5, "capsize": 2.5, "elinewidth": 1.2}
        axes.errorbar(x, mean, reach, color=colour, label=METHOD_WORDS[method], **style)
    words = metric_words(f"{measure}_{methods[0]}").removesuffix(f", {METHOD_WORDS[methods[0]]}")
    axes.set(title=words, xlabel=f"noise: {study.level}", ylabel=f"{words}{' / noise' * divided}")
    axes.set_xticks(places, [f"{noise:g}" for noise in noises])
    axes.grid(visible=False, axis="x")
    _scale(axes, [line[measure] / (line["noise"] if divided else 1.0) for line in draws])


def _scale(axes: Axes, values: Sequence[float]) -> None:
    """A logarithmic axis for numbers of different sizes."""
    if min(values) > 0 and max(values) > 4 * min(values):
        axes.set_yscale("log")
        axes.set_ylabel(f"{axes.get_ylabel()} (log scale)")
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 1.5, 2.0, 3.0, 5.0, 7.0)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_locator(NullLocator())


FIGURES: dict[str, Drawing[Any]] = {
    "scores": Drawing(
        scores_figure,
        "The scores of SPAHM and of baselines, side by side at each noise: means over draws; bars reach from the least "
        "to the largest. Hausdorff distances are multiples of the noise.",
    )
}
"""By the names of their files."""
