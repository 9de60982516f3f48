"""The figure of tasks that nobody has seen: accuracy of each method on each draw, by situation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coolgp.scenarios.base.arrays import Floats
from coolgp.scenarios.base.formatting import counted
from coolgp.scenarios.metrics.few_shot_columns import FEW_SHOT_WORDS
from coolgp.scenarios.plots.apart.folder import read_lines
from coolgp.scenarios.plots.drawing import Drawing
from coolgp.scenarios.plots.style import LINES

__all__ = ["FIGURES", "accuracies", "read_draws"]

TEXTS, COUNTS = ("situation", "method"), ("shots", "draw")
BAND = (0.1, 0.9)
"""Quantiles over draws between which a band lies."""
WIDTH = 0.8
"""Of the place of a number of examples, in which methods stand side by side."""


def read_draws(path: Path) -> list[dict[str, Any]]:
    """The lines of ``draws.csv``, all numbers but two. Raises ValueError where it is not such a table."""
    return read_lines(path, TEXTS, COUNTS)


def accuracies(draws: Sequence[dict[str, Any]], method: str, situation: str, shots: int) -> Floats:
    """Of a method on all draws of one situation and number of examples."""
    wanted = (method, situation, shots)
    return np.array(
        [line["accuracy"] for line in draws if (line["method"], line["situation"], line["shots"]) == wanted]
    )


def accuracy_figure(folder: Any) -> Figure:
    """Draw each draw's accuracy, a band of most of them and their mean, a panel for each situation."""
    draws, settings = read_draws(folder.path / "draws.csv"), folder.config.few_shot
    figure = Figure(figsize=(1.6 + 4.6 * len(settings.situations), 5.0), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(settings.situations), sharey=True))
    for axes, situation in zip(panels, settings.situations, strict=True):
        _draw_situation(axes, draws, situation, settings)
    panels[0].set_ylabel("accuracy")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure


def _draw_situation(axes: Axes, draws: Sequence[dict[str, Any]], situation: str, settings: Any) -> None:
    places = np.arange(len(settings.shots))
    for turn, (method, (colour, mark)) in enumerate(zip(settings.methods, LINES, strict=False)):
        at = places + WIDTH * ((turn + 0.5) / len(settings.methods) - 0.5)
        values = [accuracies(draws, method, situation, shots) for shots in settings.shots]
        for x, own in zip(at, values, strict=True):
            axes.plot(np.full(len(own), x), own, mark, color=colour, markersize=3, alpha=0.35)
        width = 0.8 * WIDTH / len(settings.methods)
        low, high = np.array([np.quantile(own, BAND) for own in values]).T
        axes.bar(at, high - low, width, bottom=low, color=colour, alpha=0.2, linewidth=0)
        means = [own.mean() for own in values]
        axes.plot(at, means, mark, color=colour, markersize=8, markeredgecolor="0.15", label=FEW_SHOT_WORDS[method])
    axes.axhline(1.0 / settings.ways, color="0.4", linewidth=1.0, linestyle=":")
    axes.set(title=situation, xlabel="examples of each class")
    axes.set_xticks(places, [counted(shots, "example") for shots in settings.shots])
    axes.grid(visible=False, axis="x")


FIGURES: dict[str, Drawing[Any]] = {
    "accuracy": Drawing(
        accuracy_figure,
        "Accuracy of each method on the same draws (small), its mean (large) and a band that holds the middle 80 % of "
        "the draws, by what experts and the pool know of the task's classes. Dotted: guessing.",
    )
}
"""By the names of their files."""
