"""The report that all experiments share, and the run folder that it is made from.

Axes: `R` rows of ``metrics.csv``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coolgp.scenarios.base.files import write_whole
from coolgp.scenarios.config.catalogue import about
from coolgp.scenarios.config.loading import read_scenario
from coolgp.scenarios.plots.drawing import Drawing, draw_figures
from coolgp.scenarios.plots.html import embedded, rendered
from coolgp.scenarios.records.run_folder import read_metrics
from coolgp.scenarios.records.tables import Columns

__all__ = ["ExperimentFolder", "Findings", "ResultTable", "draw_experiment", "read_experiment"]


@dataclass(frozen=True)
class ExperimentFolder:
    """What an experiment left. config: its scenario; env: contents of ``env.json``; metrics: columns `[R]`."""

    path: Path
    config: Any
    env: Mapping[str, Any]
    metrics: Columns


@dataclass(frozen=True)
class ResultTable:
    """A table of the report. note: what its numbers are."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(frozen=True)
class Findings:
    """What the report says. headline: the result in a sentence or two; remarks: what else there is to know."""

    headline: str
    tables: tuple[ResultTable, ...] = ()
    remarks: tuple[str, ...] = ()


def read_experiment(path: str | Path) -> ExperimentFolder:
    """Read the folder of an experiment. Raises ValueError where it is not one, or has not written a row."""
    path = Path(path)
    try:
        config = read_scenario(path / "config.toml")
        env = json.loads((path / "env.json").read_text(encoding="utf-8"))
        return ExperimentFolder(path, config, env, read_metrics(path))
    except (OSError, ValueError) as problem:
        raise ValueError(f"{path} is not a run folder: {problem}") from problem


def draw_experiment(
    path: Path,
    figures: Mapping[str, Drawing[ExperimentFolder]],
    findings: Callable[[ExperimentFolder], Findings],
    *,
    one_process: bool = False,
) -> list[Path]:
    """Draw all figures and write the report, from the run folder alone; their paths. one_process: on one rank."""
    folder = read_experiment(path)
    captions = {file: figures[name].caption for name, file in draw_figures(folder, figures).items()}
    return [*captions, _write_report(folder, findings(folder), captions, one_process=one_process)]


def _write_report(
    folder: ExperimentFolder, findings: Findings, figures: Mapping[Path, str], *, one_process: bool
) -> Path:
    """Write ``report.html``, replaced whole; figures: their captions by the files."""
    page = rendered(
        "experiment_report.html.j2",
        config=folder.config,
        env=folder.env,
        findings=findings,
        figures=[(path.stem, embedded(path), caption) for path, caption in figures.items()],
        about=about(folder.config.name, folder.config.data_source),
        one_process=one_process,
        command=folder.env.get("command", ""),
        toml=folder.config.to_toml(),
    )
    write_whole(folder.path / "report.html", page)
    return folder.path / "report.html"
