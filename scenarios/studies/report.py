"""The report of a study: what it is about, its figures, and how each setting ended, in one HTML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from coolgp.scenarios.base.files import write_whole
from coolgp.scenarios.base.formatting import counted, number, plus_minus, size_text
from coolgp.scenarios.config.catalogue import about
from coolgp.scenarios.plots.html import embedded, rendered
from coolgp.scenarios.studies.bands import final_values, mean_and_std
from coolgp.scenarios.studies.comparison import SEED, read_runs
from coolgp.scenarios.studies.figures import draw_study
from coolgp.scenarios.studies.folder import finished_cells
from coolgp.scenarios.studies.study import Study, short

__all__ = ["report_study", "write_page"]

SHOWN = {
    "rmse_pre": "RMSE before",
    "rmse_post": "RMSE after",
    "nlpd_post": "NLPD (nats)",
    "crps_post": "CRPS",
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
    table = [[*map(short, axes), "n", *SHOWN.values()], *_rows(study, folder, axes)]
    source = study.cells[0].scenario.data.source  # a file of the user's can bear the name of a scenario
    report = write_page(folder, study.name, ran, about(study.name, source), figures, table)
    return [*(f"figure: {path}" for path in figures), f"report: {report}"]


def write_page(
    folder: Path,
    name: str,
    ran: str,
    paragraphs: Sequence[str],
    figures: Sequence[Path],
    table: Sequence[Sequence[str]] = (),
) -> Path:
    """Write ``report.html`` on a scenario of many runs: what it is about, its figures, and a table with its header."""
    page = rendered(
        "study.html.j2",
        name=name,
        ran=ran,
        about=paragraphs,
        figures=[(path.stem, embedded(path)) for path in figures],
        header=table[0] if table else [],
        rows=table[1:],
    )
    write_whole(folder / "report.html", page)
    return folder / "report.html"


def _rows(study: Study, folder: Path, axes: Sequence[str]) -> list[list[str]]:
    """A row for each setting but the seed, in the order of the grid."""
    groups: dict[tuple[str, ...], list[Mapping[str, float]]] = {}
    for cell, place in finished_cells(study, folder):
        (run,), _ = read_runs([place])
        groups.setdefault(tuple(str(cell.settings[axis]) for axis in axes), []).append(final_values(run))
    return [[*labels, str(len(ends)), *(_cell(name, ends) for name in SHOWN)] for labels, ends in groups.items()]


def _cell(name: str, ends: Sequence[Mapping[str, float]]) -> str:
    mean, std = mean_and_std(np.array([end.get(name, np.nan) for end in ends]))
    if name == "bytes":
        return size_text(mean)
    return number(mean) if name.startswith("seconds") else plus_minus(mean, std)
