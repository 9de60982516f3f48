"""The figure of scenarios with newcomers' networks: shares right and NLPD against the images that a newcomer has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coolgp.scenarios.base.arrays import Floats
from coolgp.scenarios.metrics.head_columns import HEAD_WORDS
from coolgp.scenarios.plots.apart.folder import Folder, read_lines
from coolgp.scenarios.plots.drawing import Drawing
from coolgp.scenarios.plots.style import LINES, band

__all__ = ["FIGURES", "Line", "head_scores", "read_heads"]

Line = dict[str, Any]
"""A line of ``heads.csv``: one method on one draw of a situation, with so many images."""
TEXTS, WHOLE = ("situation", "method"), ("draw", "examples")
STANDARD_ERRORS = 1.96
AXES = {"right": "share right", "nlp": "negative log probability (nats)"}


def read_heads(path: Path) -> list[Line]:
    """The lines of ``heads.csv``. Raises ValueError where it is not such a table."""
    return read_lines(path, TEXTS, WHOLE)


def head_scores(lines: Sequence[Line], method: str, situation: str, examples: int, measure: str) -> Floats:
    """Of a method on all draws of a situation with so many images, in their order."""
    wanted = (method, situation, examples)
    return np.array(
        [line[measure] for line in lines if (line["method"], line["situation"], line["examples"]) == wanted]
    )


def heads_figure(folder: Folder) -> Figure:
    """Draw both scores against images, a column of panels for each situation, a line for each method."""
    lines, settings = read_heads(folder.path / "heads.csv"), folder.config.heads
    situations = settings.situations
    figure = Figure(figsize=(1.6 + 3.2 * max(len(situations), 2), 7.0), layout="constrained")
    panels = figure.subplots(2, len(situations), squeeze=False, sharex=True, sharey="row")
    for column, situation in enumerate(situations):
        for axes, measure in zip(panels[:, column], AXES, strict=True):
            _draw(axes, lines, situation, measure, settings.examples)
        panels[0, column].set_title(situation)
        panels[-1, column].set_xlabel("images of a newcomer")
    for axes, words in zip(panels[:, 0], AXES.values(), strict=True):
        axes.set_ylabel(words)
        axes.set_ylim(bottom=0.0)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles[::-1], labels[::-1], loc="outside lower center", ncols=3 if situations[2:] else 2)
    return figure


def _draw(axes: Axes, lines: Sequence[Line], situation: str, measure: str, examples: Sequence[int]) -> None:
    for (method, words), (colour, _) in reversed(list(zip(HEAD_WORDS.items(), LINES, strict=False))):
        scores = [head_scores(lines, method, situation, count, measure) for count in examples]
        mean, spread = (np.array([function(own) for own in scores]) for function in (np.mean, np.std))
        half = STANDARD_ERRORS * spread / np.sqrt([len(own) for own in scores])
        band(axes, np.array(examples, dtype=float), mean, half, colour, words)
    axes.set_xscale("log")
    axes.set_xticks(list(examples), [f"{count}" for count in examples])
    axes.minorticks_off()


FIGURES: dict[str, Drawing[Any]] = {
    "heads": Drawing(
        heads_figure,
        "Share of test images with the right class and mean negative log probability of it, against the images that a "
        "newcomer has, by how its task is related to the owners': means over draws, with bands of 95 %.",
    )
}
"""By the names of their files."""
