"""Rows of numbers: the records that carry them, and tables read from CSV and Parquet files."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from coolgp.scenarios.base.arrays import Floats
from coolgp.scenarios.base.errors import DataError
from coolgp.scenarios.config.sections.agents import AgentsSettings
from coolgp.scenarios.config.sections.data import DataSettings
from coolgp.scenarios.config.sections.run import RunSettings
from coolgp.scenarios.data.cells.columns import Columns, names_text, read_content, read_csv, read_parquet
from coolgp.scenarios.data.cells.gaps import without_gaps
from coolgp.scenarios.data.cells.left_out import STAMPS, mixed_commas, reading_notes, reason_to_leave_out
from coolgp.scenarios.data.cells.numbers import MOMENTS, moment
from coolgp.scenarios.data.cells.problems import cell_problems, listed, numbers_of
from coolgp.scenarios.data.partitions import agents_of
from coolgp.scenarios.data.table import Table

__all__ = ["load_table", "read_columns", "read_features", "read_inputs", "read_table"]


def read_table(
    path: str | Path,
    target: str,
    features: Sequence[str] | None = None,
    agent: str | None = None,
    *,
    classified: bool = False,
    one_class: bool = False,
    drop_gaps: bool = False,
) -> Table:
    """Read a CSV file (`,` `;` or tab, a header, UTF-8) or a Parquet file.

    Without `features`, every numeric column but the target and the agent column is one. A column counts as numeric if
    most of its filled cells are numbers: one typing error must not drop a column unseen. Decimal commas, commas between
    thousands, and true and false are read where a column leaves no doubt. Columns without a name of their own (a data
    frame's index) are left out; `notes` of the table say why of each column. A column `c` of time stamps has the
    features `c.seconds`, `c.hour` and `c.weekday`, where they are asked for.

    classified: whether the values of the target are labels of classes, of which there need be only one_class.
    drop_gaps: leave rows out, and say so in `notes`, in which the target, a feature or the agent has no value.

    Raises:
        DataError: with every problem found, rows by line of the file (CSV) or number from 1 (Parquet).

    """
    path = Path(path)
    columns = _with_moments(read_columns(path), features or ())
    problems = [*columns.problems, *_missing(columns, target, features, agent)]
    chosen, skipped = _features(columns, target, features, agent)
    columns, left = without_gaps(columns, [*chosen, target, agent or ""]) if drop_gaps else (columns, "")
    numeric = chosen if classified else (*chosen, target)
    present = [name for name in numeric if name in columns.cells]
    values = {name: numbers_of(columns, name) for name in present}
    for name in dict.fromkeys(present):
        problems += cell_problems(name, columns, values[name])
    problems += mixed_commas(columns, present)
    labels = _labels(columns.cells[agent]) if agent is not None and agent in columns.cells else None
    if labels is not None:
        empty = [i for i, label in enumerate(labels) if not label]
        problems += [f'column "{agent}": {listed(empty, columns)} without an agent'] if empty else []
    classes, numbers = _classes(columns, target, problems, 1 if one_class else 2) if classified else ((), np.empty(0))
    if not chosen:
        problems.append(f"no numeric column besides the target to learn from; columns: {names_text(columns.names)}")
    if len(columns.rows) < 2 and not columns.problems:
        problems.append(f"needed at least 2 rows of data, got {len(columns.rows)}")
    if problems:
        raise DataError(*(f"{path}: {problem}" for problem in problems))
    x = np.stack([values[name] for name in chosen], axis=1)
    return Table(
        x=x,
        y=numbers if classified else values[target],
        features=tuple(chosen),
        target=target,
        labels=None if labels is None else tuple(labels),
        skipped=tuple(skipped),
        notes=(*reading_notes(path, columns, present, skipped), *([f"{path.name}: {left}"] if left else [])),
        classes=classes,
    )


def read_inputs(path: str | Path, besides: Sequence[str] = ()) -> tuple[Floats, tuple[str, ...]]:
    """The numeric columns of a table but for some, ``[Q, D]``, and their names; reads and raises as `read_table`."""
    path = Path(path)
    columns = read_columns(path)
    chosen = [name for name in columns.names if name and name not in besides and not reason_to_leave_out(columns, name)]
    values = {name: numbers_of(columns, name) for name in chosen}
    problems = list(columns.problems)
    for name in chosen:
        problems += cell_problems(name, columns, values[name])
    problems += mixed_commas(columns, chosen)
    if not chosen or not columns.rows:
        problems.append("needed at least one row and one numeric column")
    if problems:
        raise DataError(*(f"{path}: {problem}" for problem in problems))
    return np.stack([values[name] for name in chosen], axis=1), tuple(chosen)


def read_features(path: str | Path, features: Sequence[str]) -> Floats:
    """The columns of a table that a model names, ``[Q, D]``; others are not looked at.

    Reads and raises as `read_table`.
    """
    path = Path(path)
    columns = _with_moments(read_columns(path), features)
    problems = [*columns.problems, *_absent(columns, features)]
    values = {name: numbers_of(columns, name) for name in features if name in columns.cells}
    for name, numbers in values.items():
        problems += cell_problems(name, columns, numbers)
    problems += mixed_commas(columns, list(values))
    if not columns.rows:
        problems.append("needed at least one row")
    if problems:
        raise DataError(*(f"{path}: {problem}" for problem in problems))
    return np.stack([values[name] for name in features], axis=1)


def read_columns(path: Path) -> Columns:
    """The columns of a file, whatever its kind. Raises DataError for one that is missing, empty or no table."""
    content = read_content(path)
    return read_parquet(path, content) if path.suffix.lower() in (".parquet", ".pq") else read_csv(path, content)


def _classes(columns: Columns, target: str, problems: list[str], least: int) -> tuple[tuple[str, ...], Floats]:
    """The labels of the classes in order, and each row's number; what is wrong with them is added to the problems."""
    if target not in columns.cells:
        return (), np.empty(0)
    labels = _labels(columns.cells[target])
    empty = [i for i, label in enumerate(labels) if not label]
    if empty:
        problems.append(f'column "{target}": {listed(empty, columns)} without a class')
    if not labels:
        return (), np.empty(0)
    names, numbers = agents_of(tuple(labels))
    if len(names) < least:
        problems.append(f'column "{target}": needed at least two classes; all rows are of {names[0]!r}')
    return names, numbers.astype(float)


def load_table(data: DataSettings, agents: AgentsSettings, run: RunSettings) -> Table:
    """The source that is a file, see :func:`read_table`."""
    assert data.target is not None  # a scenario with a file and no target is refused
    drops = data.missing == "drop"
    return read_table(data.source, data.target, data.features, data.agent, classified=data.classified, drop_gaps=drops)


def _missing(columns: Columns, target: str, features: Sequence[str] | None, agent: str | None) -> list[str]:
    return _absent(columns, [target, *(features or ()), *([agent] if agent is not None else ())])


def _absent(columns: Columns, names: Sequence[str]) -> list[str]:
    """A sentence for each name that no column has."""
    problems = []
    for name in dict.fromkeys(names):
        if name not in columns.cells:
            near = difflib.get_close_matches(name, columns.names, n=1)
            hint = f' (did you mean "{near[0]}"?)' if near else ""
            hint = _moments_of(columns, name.rpartition(".")[0]) or hint
            problems.append(f'no column "{name}"{hint}; columns: {names_text(columns.names)}')
    return problems


def _moments_of(columns: Columns, name: str) -> str:
    """What there is of a column of time stamps, where an unknown part of it is asked for; else nothing."""
    why = reason_to_leave_out(columns, name) if name in columns.cells else ""
    return f' ("{name}" holds {why})' if why.startswith(STAMPS) else ""


def _features(
    columns: Columns, target: str, features: Sequence[str] | None, agent: str | None
) -> tuple[list[str], list[str]]:
    if features is not None:
        return list(features), []
    chosen: list[str] = []
    skipped: list[str] = []
    for name in columns.names:
        if name in (target, agent):
            continue
        left_out = reason_to_leave_out(columns, name)
        (skipped if left_out else chosen).append(name or "(unnamed)")
    return chosen, skipped


def _with_moments(columns: Columns, features: Sequence[str]) -> Columns:
    """The columns, and those features that are a part of a column of time stamps: seconds, hour or weekday."""
    cells = dict(columns.cells)
    for name in features:
        column, _, unit = name.rpartition(".")
        stamps = columns.cells.get(column)
        if name not in cells and unit in MOMENTS and stamps is not None and not isinstance(stamps, np.ndarray):
            times = map(moment, stamps)
            cells[name] = np.array([np.nan if when is None else MOMENTS[unit](when) for when in times])
    return replace(columns, cells=cells)


def _labels(cells: Sequence[str] | Floats) -> list[str]:
    if not isinstance(cells, np.ndarray):
        return [cell.strip() for cell in cells]
    integers = bool(np.all((cells == np.round(cells)) | ~np.isfinite(cells)))
    return ["" if not np.isfinite(v) else str(int(v)) if integers else str(v) for v in cells.tolist()]
