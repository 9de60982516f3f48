"""A study: one scenario run over a grid of settings, each cell an ordinary run, and a table of how they ended.

    study folder/   study.json   what was asked for      study.csv   a row for each cell
                    study.png    the figure              cells/<settings>/   the run folders

A study that was stopped goes on when it is started into the same folder: finished cells are not run again, and one
that was begun goes on from its last checkpoint.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from copy import deepcopy
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Literal

from coolgp.network.launcher import launched_rank, launched_size
from coolgp.scenarios.catalogue import scenario_file
from coolgp.scenarios.config import override, resolve
from coolgp.scenarios.keeper import Say
from coolgp.scenarios.launch import check_world
from coolgp.scenarios.problems import ConfigError
from coolgp.scenarios.recorder import check_folder, sweep, write_whole
from coolgp.scenarios.resuming import is_finished, prepare_resume
from coolgp.scenarios.run_folder import read_metrics
from coolgp.scenarios.running import go, prepare, warn
from coolgp.scenarios.settings import Scenario

__all__ = [
    "Cell",
    "Study",
    "cell_words",
    "check_study_folder",
    "open_study",
    "plan_named",
    "plan_study",
    "run_cells",
    "run_study",
]

Axis = Sequence[Any] | Mapping[str, Mapping[str, Any]]
"""The values of one key, or by name the values of several keys that change together."""
Progress = Literal["new", "begun", "finished"]
Seen = Callable[[int, "Cell", Mapping[str, float], bool], None]
"""Told of each cell: its number, what it is, its last row of metrics, and whether it had been finished before."""


@dataclass(frozen=True)
class Cell:
    """One run of a study. settings: what sets it apart from the others, by axis."""

    settings: Mapping[str, Any]
    scenario: Scenario

    @property
    def folder(self) -> str:
        """The name of its folder."""
        parts = (f"{axis.rpartition('.')[2]}={value}" for axis, value in self.settings.items())
        return "_".join(re.sub(r"[^\w=.+-]+", "-", part) for part in parts)


@dataclass(frozen=True)
class Study:
    """A scenario over a grid.

    base: the scenario that all cells vary; axes: the names of what varies; figure: what to draw, see
    :func:`coolgp.scenarios.study_plot.draw_study`.
    """

    base: Scenario
    axes: tuple[str, ...]
    cells: tuple[Cell, ...]
    figure: Mapping[str, Any] | None = None

    @property
    def text(self) -> str:
        """What tells this study from another, to be stored."""
        cells = {cell.folder: cell.scenario.hash8() for cell in self.cells}
        return json.dumps({"name": self.base.name, "axes": self.axes, "cells": cells}, indent=2)


def plan_named(name: str, overrides: Iterable[str] = ()) -> Study:
    """The study that a scenario's file declares as SETTINGS, GRID and FIGURE."""
    file = scenario_file(name)
    return plan_study(name, file.SETTINGS, file.GRID, overrides, file.FIGURE)


def plan_study(
    name: str,
    settings: Mapping[str, Any],
    grid: Mapping[str, Axis],
    overrides: Iterable[str] = (),
    figure: Mapping[str, Any] | None = None,
) -> Study:
    """All cells of a study, each resolved and checked.

    A key that the overrides set is no longer varied: they replace its values, or pick the named choices that hold that
    value. Raises ConfigError with what is wrong.

    >>> study = plan_study("two", {"data": {"source": "field"}}, {"run.seed": (0, 1)})
    >>> [cell.folder for cell in study.cells]
    ['seed=0', 'seed=1']
    """
    overrides = list(overrides)
    base, given = resolve({"name": name} | dict(settings), name, overrides), _flat(override({}, overrides))
    axes = {axis: _choices(axis, values, given) for axis, values in grid.items()}
    cells = []
    for picked in product(*(choices.items() for choices in axes.values())):
        settings_of_cell = dict(zip(axes, (label for label, _ in picked), strict=True))
        changes = {key: value for _, change in picked for key, value in change.items() if key not in given}
        mapping = _changed({"name": name} | dict(settings), changes)
        cells.append(Cell(settings_of_cell, resolve(mapping, name, overrides)))
    return Study(base, tuple(axes), tuple(cells), figure)


def cell_words(study: Study, number: int, cell: Cell, last: Mapping[str, float], done: bool) -> str:
    """A line on a cell that has ended."""
    said = ", ".join(f"{axis.rpartition('.')[2]} {value}" for axis, value in cell.settings.items())
    error = f"RMSE {last['rmse_pre']:.4g} before, {last['rmse_post']:.4g} after fusion"
    return f"run {number + 1}/{len(study.cells)}: {said}: {error}{' (finished before)' * done}"


def check_study_folder(study: Study, folder: Path, *, overwrite: bool) -> None:
    """Refuse a place that holds something other than this study. Raises ValueError saying what to do."""
    stored = folder / "study.json"
    if not stored.is_file():
        found = folder.is_dir() and any(folder.iterdir())
        if found:
            raise ValueError(f"{folder}: holds files, but no study: take another --out")
        check_folder(folder, overwrite=overwrite)
    elif stored.read_text(encoding="utf-8") != study.text and not overwrite:
        raise ValueError(f"{folder}: holds a study with other settings: take another --out, or --overwrite")


def run_study(study: Study, folder: Path, *, overwrite: bool = False, seen: Seen | None = None) -> list[dict[str, Any]]:
    """Run the cells that are not finished yet; the table, a row for each cell, on the root (else empty). Collective.

    Raises ValueError for a folder that holds something else, and for what ends a run.
    """
    return run_cells(study, folder, open_study(study, folder, overwrite=overwrite), seen)


def open_study(study: Study, folder: Path, *, overwrite: bool = False) -> list[Progress]:
    """How far each cell is, all ranks having agreed to go on with this study here. Collective."""
    check_study_folder(study, folder, overwrite=overwrite)
    found: list[Progress] = ["new" if overwrite else _progress(folder / "cells" / cell.folder) for cell in study.cells]
    if launched_size() > 1:
        check_world()  # all ranks have looked at the folder before one of them writes there
    return found


def run_cells(
    study: Study,
    folder: Path,
    progress: Sequence[Progress],
    seen: Seen | None = None,
    guarded: Callable[[], AbstractContextManager[object]] = nullcontext,
    say: Say = warn,
) -> list[dict[str, Any]]:
    """Bring each cell to its end, from where it is; the table as :func:`run_study`. Collective.

    guarded: what each run is put together in, so that the caller can word what is wrong with its input. say: called on
    the root with what goes wrong without ending a run.
    """
    root, rows = launched_rank() == 0, list[dict[str, Any]]()
    if root:
        folder.mkdir(parents=True, exist_ok=True)
        _forget_others(study, folder)
        write_whole(folder / "study.json", study.text.encode())
    for number, (cell, state) in enumerate(zip(study.cells, progress, strict=True)):
        place = folder / "cells" / cell.folder
        if state != "finished":
            with guarded():
                if state == "begun":
                    prepared = prepare_resume(place, figures=False)
                else:
                    prepared = prepare(cell.scenario, place, overwrite=True, figures=False)
            go(prepared, say=say)
        if root:
            last = {name: float(column[-1]) for name, column in read_metrics(place).items()}
            rows.append({**cell.settings, **last})
            write_whole(folder / "study.csv", _csv(rows))
            if seen:
                seen(number, cell, last, state == "finished")
    return rows


def _forget_others(study: Study, folder: Path) -> None:
    """Remove what a study that is overwritten left and this one does not write anew: its figure, and other cells."""
    stored = folder / "study.json"
    if not stored.is_file() or stored.read_text(encoding="utf-8") == study.text:
        return
    (folder / "study.png").unlink(missing_ok=True)
    for name in set(json.loads(stored.read_bytes())["cells"]) - {cell.folder for cell in study.cells}:
        sweep(folder / "cells" / name)
        with suppress(OSError):  # never begun, or it holds files of the user's
            (folder / "cells" / name).rmdir()


def _progress(place: Path) -> Progress:
    if not (place / "config.toml").is_file():
        return "new"
    return "finished" if is_finished(place) else "begun"


def _csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    text = io.StringIO()
    table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue().encode()


def _choices(axis: str, values: Axis, given: Mapping[str, Any]) -> dict[Any, Mapping[str, Any]]:
    """What an axis offers, by label, once the keys that the user gave are held."""
    if not isinstance(values, Mapping):
        return {value: {axis: value} for value in ([given[axis]] if axis in given else values)}
    agree = {
        label: change
        for label, change in values.items()
        if all(change[key] == value for key, value in given.items() if key in change)
    }
    if not agree:
        varied = {key for change in values.values() for key in change}
        wanted = ", ".join(f"{key} = {value}" for key, value in given.items() if key in varied)
        raise ConfigError(f"{axis}: none of {', '.join(values)} has {wanted}: leave these out")
    return agree


def _flat(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{section}.{key}": value for section, keys in mapping.items() for key, value in keys.items()}


def _changed(mapping: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    result = deepcopy(dict(mapping))
    for dotted, value in changes.items():
        section, _, key = dotted.partition(".")
        result.setdefault(section, {})[key] = value
    return result
