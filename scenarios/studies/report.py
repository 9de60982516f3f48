"""The report of a study: what it is about, its figures, and how each setting ended, in one HTML file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from coolgp.scenarios.base.files import write_whole
from coolgp.scenarios.base.formatting import counted, number, plus_minus, size_text
from coolgp.scenarios.config.catalogue import about
from coolgp.scenarios.metrics.words import metric_words
from coolgp.scenarios.plots.html import embedded, rendered
from coolgp.scenarios.studies.bands import final_values, mean_and_std
from coolgp.scenarios.studies.comparison import SEED, read_runs
from coolgp.scenarios.studies.figures import draw_study
from coolgp.scenarios.studies.folder import finished_cells
from coolgp.scenarios.studies.study import Study, short

__all__ = ["report_study"]

SHOWN = {
    "rmse_pre": "RMSE before",
    "rmse_post": "RMSE after",
    "nlpd_post": "NLPD (nats)",
    "crps_post": "CRPS",
    "accuracy_pre": "accuracy before",
    "accuracy_post": "accuracy after",
    "log_loss_post": "log loss (nats)",
    "calibration_error_post": "calibration error",
    "coverage95_post": "inside 95 %",
    "bytes": "sent",
    "seconds": "seconds",
    "seconds_predicting": "asking",
}
"""Columns of a run, in words."""


def report_study(study: Study, folder: Path) -> list[str]:
    """Draw the figures of a study whose cells have all finished, and write ``report.html``; lines that say where."""
    figures = draw_study(study, folder) if study.figure else []
    axes = [axis for axis in study.axes if axis != SEED]
    ran = f"{counted(len(study.cells), 'run')} over {', '.join(map(short, study.axes))}"
    ends = _ends(study, folder, axes)
    columns = _shown(next(iter(ends.values()))[0])
    source = study.cells[0].scenario.data_source  # a file of the user's can bear the name of a scenario
    page = rendered(
        "study.html.j2",
        name=study.name,
        ran=ran,
        about=about(study.name, source),
        figures=[(path.stem, embedded(path)) for path in figures],
        header=[*map(short, axes), "n", *columns.values()],
        rows=[[*labels, str(len(runs)), *(_cell(name, runs) for name in columns)] for labels, runs in ends.items()],
    )
    write_whole(folder / "report.html", page)
    return [*(f"figure: {path}" for path in figures), f"report: {folder / 'report.html'}"]


def _ends(study: Study, folder: Path, axes: Sequence[str]) -> dict[tuple[str, ...], list[Mapping[str, float]]]:
    """How the runs of each setting but the seed ended, in the order of the grid."""
    groups: dict[tuple[str, ...], list[Mapping[str, float]]] = {}
    for cell, place in finished_cells(study, folder):
        (run,), _ = read_runs([place])
        groups.setdefault(tuple(str(cell.settings[axis]) for axis in axes), []).append(final_values(run))
    return groups


def _shown(columns: Iterable[str]) -> dict[str, str]:
    """The columns of the table with their headers: those of `SHOWN`, or all of runs that have no such ones."""
    names = [name for name in columns if name != "round"]
    shown = {name: words for name, words in SHOWN.items() if name in names}
    return shown or {name: metric_words(name) for name in names}


def _cell(name: str, ends: Sequence[Mapping[str, float]]) -> str:
    mean, std = mean_and_std(np.array([end.get(name, np.nan) for end in ends]))
    if name == "bytes":
        return size_text(mean)
    return number(mean) if name.startswith("seconds") else plus_minus(mean, std)
