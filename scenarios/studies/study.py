"""A study: one scenario over a grid of settings, planned; each cell is an ordinary run.

    study folder/   study.json   what was asked for      study.csv    a row for each cell
                    study.png    the figure              report.html  the table, figures and what they are about
                    cells/<settings>/   the run folders

`folder` keeps that folder, `cells` brings the cells to their ends, `in_process` does so in this process and `processes`
in processes of their own.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.config.catalogue import catalogue
from coolgp.scenarios.config.loading import override, resolve
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.metrics.words import metric_words

__all__ = ["Cell", "Grid", "Study", "cell_words", "chosen", "plan_grid", "plan_named", "plan_study", "short"]

Axis = Sequence[Any] | Mapping[str, Mapping[str, Any]]
"""The values of one key, or by name the values of several keys that change together."""
Grid = Mapping[str, Mapping[Any, Mapping[str, str]]]
"""By axis and label: keys, and their values as they are written after ``--set``."""
SCORES = {"rmse": "RMSE", "accuracy": "accuracy"}
"""Columns, but for their ends, that are shown before and after fusion where a cell has them."""
SHOWN_COLUMNS = 2
"""Of a cell that has ended, where it has no errors before and after fusion."""
LONG_NAME = 150
"""Characters of a folder's name, of the 255 that file systems allow, which are bytes."""


@dataclass(frozen=True)
class Cell:
    """One run of a study. settings: what sets it apart from the others, by axis."""

    settings: Mapping[str, Any]
    scenario: Scenario

    @property
    def folder(self) -> str:
        """The name of its folder."""
        labels = (f"{short(axis)}={value}" for axis, value in self.settings.items())
        name = "_".join(re.sub(r"[^\w=.+-]+", "-", label) for label in labels)
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        return name if len(name) <= LONG_NAME else f"{name[:LONG_NAME]}-{digest}"

    @property
    def words(self) -> str:
        """What sets it apart, for people."""
        return ", ".join(f"{short(axis)} {value}" for axis, value in self.settings.items())


@dataclass(frozen=True)
class Study:
    """A scenario over a grid.

    name: the scenario's; axes: the names of what varies; figure: what to draw, see
    :func:`coolgp.scenarios.studies.figures.draw_study`.
    """

    name: str
    axes: tuple[str, ...]
    cells: tuple[Cell, ...]
    figure: Mapping[str, Any] | None = None

    @property
    def text(self) -> str:
        """What tells this study from another, to be stored."""
        cells = {cell.folder: cell.scenario.hash8() for cell in self.cells}
        return json.dumps({"name": self.name, "axes": self.axes, "cells": cells}, indent=2)


def short(axis: str) -> str:
    """An axis without the sections of its keys.

    >>> short("run.seed"), short("fusion.rule+agents.count")
    ('seed', 'rule+count')
    """
    return "+".join(key.rpartition(".")[2] for key in axis.split("+"))


def cell_words(study: Study, number: int, cell: Cell, last: Mapping[str, float], done: bool) -> str:
    """A line on a cell that has ended."""
    return f"run {number + 1}/{len(study.cells)}: {cell.words}: {_ended(last)}{' (finished before)' * done}"


def _ended(last: Mapping[str, float]) -> str:
    """The scores of a last row; of a kind without these its first columns."""
    for score, words in SCORES.items():
        if f"{score}_pre" in last and f"{score}_post" in last:
            return f"{words} {last[f'{score}_pre']:.4g} before, {last[f'{score}_post']:.4g} after fusion"
    columns = [name for name in last if name not in ("round", "observations")][:SHOWN_COLUMNS]
    return ", ".join(f"{metric_words(name)} {last[name]:.4g}" for name in columns)


def plan_named(name: str, overrides: Iterable[str] = ()) -> Study:
    """The study that a scenario's file declares as SETTINGS, GRID and FIGURE."""
    study = catalogue()[name]
    return plan_study(name, study.mapping, study.grid or {}, overrides, study.figure)


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
    resolved = partial(resolve, {"name": name} | dict(settings), name)
    return plan_grid(resolved, chosen(grid, overrides), overrides, figure)


def chosen(grid: Mapping[str, Axis], overrides: Sequence[str]) -> Grid:
    """What the axes of a grid offer once the keys that the overrides set are held. Raises ConfigError."""
    given = _flat(override({}, overrides))
    return {axis: _choices(axis, values, given) for axis, values in grid.items()}


def plan_grid(
    resolved: Callable[[Sequence[str]], Scenario],
    grid: Grid,
    overrides: Sequence[str] = (),
    figure: Mapping[str, Any] | None = None,
) -> Study:
    """All cells of a grid. resolved: the scenario under ``section.key=value`` items.

    Raises ConfigError with what is wrong in any cell, each mistake once.
    """
    cells, problems = list[Cell](), dict[str, str]()
    for picked in product(*(choices.items() for choices in grid.values())):
        labels = dict(zip(grid, (label for label, _ in picked), strict=True))
        items = [f"{key}={value}" for _, choice in picked for key, value in choice.items()]
        try:
            cells.append(Cell(labels, resolved([*overrides, *items])))
        except ConfigError as error:
            for problem in error.problems:
                words = problem.removeprefix("--set ") if problem.startswith(_as_flags(items)) else problem
                problems.setdefault(words.partition(": ")[2], words)
    problems |= _alike(cells)
    if problems:
        raise ConfigError(*problems.values())
    return Study(name=cells[0].scenario.name, axes=tuple(grid), cells=tuple(cells), figure=figure)


def _as_flags(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"--set {item}: " for item in items)


def _alike(cells: Sequence[Cell]) -> dict[str, str]:
    """Complaints about cells that are one and the same run, or would lie in one folder."""
    runs = Counter(cell.scenario.hash8() for cell in cells)
    twice = [cell.words for cell in cells if runs[cell.scenario.hash8()] > 1]
    places = Counter(cell.folder for cell in cells)
    clash = [cell.words for cell in cells if places[cell.folder] > 1]
    complaints = {
        "the same run": (twice, "leave all but one out"),
        "runs that would lie in one folder": (clash, "name what differs without the characters / , ; : and spaces"),
    }
    return {what: f"{' | '.join(names)}: {what}: {do}" for what, (names, do) in complaints.items() if names}


def _choices(axis: str, values: Axis, given: Mapping[str, Any]) -> dict[Any, dict[str, str]]:
    """What an axis offers, by label, once the keys that the user gave are held."""
    if not isinstance(values, Mapping):
        return {value: _written({axis: value}) for value in ([given[axis]] if axis in given else values)}
    agree = {
        label: _written({key: value for key, value in change.items() if key not in given})
        for label, change in values.items()
        if all(change[key] == value for key, value in given.items() if key in change)
    }
    if not agree:
        varied = {key for change in values.values() for key in change}
        wanted = ", ".join(f"{key} = {value}" for key, value in given.items() if key in varied)
        raise ConfigError(f"{axis}: none of {', '.join(values)} has {wanted}: leave these out")
    return agree


def _written(change: Mapping[str, Any]) -> dict[str, str]:
    """Values as TOML, which for numbers, texts and lists of them is JSON."""
    return {key: json.dumps(value, ensure_ascii=False) for key, value in change.items()}


def _flat(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{section}.{key}": value for section, keys in mapping.items() for key, value in keys.items()}
