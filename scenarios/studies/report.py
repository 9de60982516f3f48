"""The report of a study: what it is about, its figures, and how each setting ended, in one HTML file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from coolgp.scenarios.base.arrays import Floats
from coolgp.scenarios.base.files import write_whole
from coolgp.scenarios.base.formatting import counted, number, plus_minus, size_text
from coolgp.scenarios.config.catalogue import about
from coolgp.scenarios.metrics.words import metric_words
from coolgp.scenarios.plots.html import embedded, rendered
from coolgp.scenarios.studies.bands import final_values, mean_and_std
from coolgp.scenarios.studies.comparison import SEED, read_runs
from coolgp.scenarios.studies.figures import draw_study
from coolgp.scenarios.studies.folder import finished_cells
from coolgp.scenarios.studies.paired import Column, Ends, paired_columns
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
    "parameters": "numbers of the model",
    "bytes": "sent",
    "seconds": "seconds",
    "seconds_predicting": "asking",
}
"""Columns of a run, in words."""
MAIN = {"rmse_post": "lower", "accuracy_post": "higher"}
"""Scores of which the worst seed is shown as well, and which of their values are better."""
Cell = Callable[[Sequence[Mapping[str, float]]], str]
"""Of the table: the runs of a setting as a text."""


def report_study(study: Study, folder: Path) -> list[str]:
    """Draw the figures of a study whose cells have all finished, and write ``report.html``; lines that say where."""
    figures = draw_study(study, folder) if study.figure else []
    axes = [axis for axis in study.axes if axis != SEED]
    ran = f"{counted(len(study.cells), 'run')} over {', '.join(map(short, study.axes))}"
    ends = _ends(study, folder, axes)
    columns, paired = _shown(ends), _paired(study, ends, axes)
    source = study.cells[0].scenario.data_source  # a file of the user's can bear the name of a scenario
    page = rendered(
        "study.html.j2",
        name=study.name,
        ran=ran,
        about=about(study.name, source),
        figures=[(path.stem, embedded(path)) for path in figures],
        header=[*map(short, axes), "n", *(words for words, _ in (*columns, *paired))],
        rows=[
            [*labels, str(len(runs)), *(cell(runs) for _, cell in columns), *(cell(labels) for _, cell in paired)]
            for labels, runs in ends.items()
        ],
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


def _shown(ends: Ends) -> list[tuple[str, Cell]]:
    """The columns of the table: those of `SHOWN`, or all of runs that have no such ones, and the worst seed."""
    first = next(iter(ends.values()))
    names = [name for name in first[0] if name != "round"]
    shown = {name: words for name, words in SHOWN.items() if name in names}
    columns: list[tuple[str, Cell]] = [
        (words, partial(_cell, name)) for name, words in (shown or {n: metric_words(n) for n in names}).items()
    ]
    main = next((name for name in MAIN if name in names), None)
    if main and len(first) > 1:
        columns.insert(list(shown).index(main) + 1, ("of the worst seed", partial(_worst, main)))
    return columns


def _paired(study: Study, ends: Ends, axes: Sequence[str]) -> list[Column]:
    """Differences from the setting that the study's figure names as its reference; none where it names none."""
    spec = study.figure or {}
    main = next((name for name in MAIN if name in next(iter(ends.values()))[0]), None)
    if "reference" not in spec or main is None:
        return []
    return paired_columns(ends, axes.index(spec["lines"]), spec["reference"], main, MAIN[main])


def _values(name: str, ends: Sequence[Mapping[str, float]]) -> Floats:
    return np.array([end.get(name, np.nan) for end in ends])


def _cell(name: str, ends: Sequence[Mapping[str, float]]) -> str:
    mean, std = mean_and_std(_values(name, ends))
    if name == "bytes":
        return size_text(mean)
    return number(mean) if name.startswith("seconds") else plus_minus(mean, std)


def _worst(name: str, ends: Sequence[Mapping[str, float]]) -> str:
    values = _values(name, ends)
    return number(float(values.min() if MAIN[name] == "higher" else values.max()))
