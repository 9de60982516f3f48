"""The folder of a study: what was asked for, how far cells are, the table of those that ended, why others failed.

A study that was stopped goes on when it is started into the same folder: finished cells are not run again, and one
that was begun goes on from its last checkpoint. A grid with more values than before keeps the cells that it has.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from coolgp.network.launcher import launched_size
from coolgp.scenarios.base.files import write_table, write_whole
from coolgp.scenarios.base.formatting import named
from coolgp.scenarios.base.lock import contents
from coolgp.scenarios.base.mpiexec import check_world
from coolgp.scenarios.records.run_folder import is_finished, read_metrics
from coolgp.scenarios.runs.folder import check_folder
from coolgp.scenarios.studies.study import Cell, Study

__all__ = [
    "FAILED",
    "STORED",
    "Progress",
    "Results",
    "cell_places",
    "cell_progress",
    "check_study_folder",
    "finished_cells",
    "open_study",
    "read_stored",
    "read_table",
]

STORED = "study.json"
"""What tells the study of a folder from others."""
FAILED = "failed.txt"
"""In the folder of a cell that failed: why, and the end of what it said."""
Progress = Literal["new", "begun", "finished"]


@dataclass
class Results:
    """How the cells of a study ended, by their numbers; on the root alone.

    rows: settings and last row of metrics of those that finished; failures: why others did not.
    """

    study: Study
    folder: Path
    rows: dict[int, dict[str, Any]] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)

    def finished(self, number: int) -> dict[str, float]:
        """Take up a cell that finished; its last row of metrics."""
        cell = self.study.cells[number]
        columns = read_metrics(self.folder / "cells" / cell.folder)
        last = {name: float(column[-1]) for name, column in columns.items()}
        self.rows[number] = {**cell.settings, **last}
        return last

    def failed(self, number: int, why: str) -> None:
        """Take up a cell that failed; its folder says why."""
        place = self.folder / "cells" / self.study.cells[number].folder
        self.failures[number] = why.partition("\n\n")[0]
        place.mkdir(parents=True, exist_ok=True)
        write_whole(place / FAILED, f"{why}\n".encode())

    def table(self) -> list[dict[str, Any]]:
        """The rows in the order of the grid."""
        return [self.rows[number] for number in sorted(self.rows)]

    def store(self) -> None:
        """Write the table as it is now."""
        if self.rows:
            write_table(self.folder / "study.csv", self.table())


def open_study(study: Study, folder: Path, *, overwrite: bool = False) -> list[Progress]:
    """How far each cell is, all ranks having agreed to go on with this study here. Collective."""
    check_study_folder(study, folder, overwrite=overwrite)
    progress: list[Progress] = [
        "new" if overwrite else cell_progress(folder / "cells" / cell.folder) for cell in study.cells
    ]
    if launched_size() > 1:
        check_world()  # all ranks have looked at the folder before one of them writes there
    return progress


def check_study_folder(study: Study, folder: Path, *, overwrite: bool) -> None:
    """Refuse a folder with anything but this study or some of its cells. Raises ValueError saying what to do."""
    stored = folder / STORED
    if not stored.is_file():
        if contents(folder):
            raise ValueError(f"{folder}: holds files, but no study: take another --out")
        check_folder(folder, overwrite=overwrite)
    elif not overwrite and (why := _difference(study, read_stored(folder))):
        raise ValueError(f"{folder}: holds a study with other settings ({why}): take another --out, or --overwrite")


def read_table(folder: Path) -> list[dict[str, str]]:
    """The rows of a study's table."""
    with (folder / "study.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def cell_places(folder: Path) -> list[Path]:
    """The folders of the cells of the study that a folder holds, be they begun or not. Raises ValueError."""
    return [folder / "cells" / name for name in read_stored(folder)["cells"]]


def finished_cells(study: Study, folder: Path) -> Iterator[tuple[Cell, Path]]:
    """The cells of a study that have finished, each with its folder, in the order of the grid."""
    for cell in study.cells:
        place = folder / "cells" / cell.folder
        if is_finished(place):
            yield cell, place


def read_stored(folder: Path) -> Mapping[str, Any]:
    """What tells the study of a folder from others: its name, axes and cells. Raises ValueError where there is none."""
    try:
        contents = json.loads((folder / STORED).read_bytes())
        return {key: contents[key] for key in ("name", "axes", "cells")}
    except (ValueError, KeyError, TypeError) as problem:
        raise ValueError(f"{folder / 'study.json'} is not that of a study: {problem}") from None


def _difference(study: Study, stored: Mapping[str, Any]) -> str:
    """Why the stored study has cells that this one has not; empty where it has none."""
    if stored["axes"] != list(study.axes):
        return f"it varies {', '.join(stored['axes'])}"
    if stored["name"] != study.name:
        return f'it is of "{stored["name"]}"'
    mine = {cell.folder: cell.scenario.hash8() for cell in study.cells}
    gone = [name for name in stored["cells"] if name not in mine]
    if gone:
        return f"its {named(gone, 1)} is not in this grid: values can be added, not taken away"
    other = [name for name, digest in stored["cells"].items() if mine[name] != digest]
    return f"its {named(other, 1)} was another run: a key that is not varied has changed" if other else ""


def cell_progress(place: Path) -> Progress:
    """How far the cell in a run folder is."""
    if not (place / "config.toml").is_file():
        return "new"
    return "finished" if is_finished(place) else "begun"
