"""What the report of a run of tasks that nobody has seen says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from coolgp.fusion.prototypes.studies.tasks import SITUATIONS
from coolgp.scenarios.base.formatting import counted, number
from coolgp.scenarios.experiments.report import ExperimentFolder, Findings, ResultTable
from coolgp.scenarios.metrics.few_shot_columns import FEW_SHOT_WORDS
from coolgp.scenarios.plots.few_shot import accuracies, read_draws

__all__ = ["findings"]

NOTE = (
    "Means and standard deviations over draws; the difference to the first method on the same draws, with its standard "
    "error; the least accuracy of a draw."
)
MAML = "MAML trains on the experts' own labelled rows, which all others here do without: the price of not sharing."
Draws = Sequence[dict[str, Any]]


def findings(folder: ExperimentFolder) -> Findings:
    """A table for each situation and number of examples, and who is best in each."""
    settings, draws = folder.config.few_shot, read_draws(folder.path / "draws.csv")
    cells = [(situation, shots) for situation in settings.situations for shots in settings.shots]
    own = settings.methods[0]
    values = ", ".join(
        f"{number(float(accuracies(draws, own, *cell).mean()))} ({cell[0]}, {counted(cell[1], 'example')})"
        for cell in cells
    )
    return Findings(
        f"{counted(folder.config.run.repeats, 'draw')} of {settings.ways} classes of {settings.source}. "
        f"Accuracy of {FEW_SHOT_WORDS[own]}: {values}.",
        tuple(_table(draws, settings.methods, *cell) for cell in cells),
        (*(_best(draws, settings.methods, *cell) for cell in cells), *([MAML] if "maml" in settings.methods else [])),
    )


def _table(draws: Draws, methods: Sequence[str], situation: str, shots: int) -> ResultTable:
    first = accuracies(draws, methods[0], situation, shots)
    rows = []
    for method in methods:
        values = accuracies(draws, method, situation, shots)
        gains = values - first
        beside = "" if method == methods[0] else f"{gains.mean():+.3f} ± {gains.std() / np.sqrt(len(gains)):.3f}"
        cells = f"{values.mean():.3f} ± {values.std():.3f}", beside, f"{values.min():.3f}"
        rows.append([FEW_SHOT_WORDS[method], *cells])
    return ResultTable(
        f"{counted(shots, 'example')} of each class: {SITUATIONS[situation]}",
        ["", "accuracy", "difference", "least"],
        rows,
        NOTE,
    )


def _best(draws: Draws, methods: Sequence[str], situation: str, shots: int) -> str:
    means = {method: float(accuracies(draws, method, situation, shots).mean()) for method in methods}
    best = max(means, key=lambda method: means[method])
    return f"{situation}, {counted(shots, 'example')}: best is {FEW_SHOT_WORDS[best]} with {means[best]:.3f}."
