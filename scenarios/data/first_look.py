"""A first scenario for a table that nobody has described: what its columns may be, and sizes that suit it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from coolgp.scenarios.base.errors import DataError
from coolgp.scenarios.base.formatting import counted
from coolgp.scenarios.config.constraints import nearest, shown
from coolgp.scenarios.data.cells.columns import Columns
from coolgp.scenarios.data.cells.left_out import reason_to_leave_out
from coolgp.scenarios.data.cells.problems import cell_problems, numbers_of
from coolgp.scenarios.data.tables import read_columns

__all__ = ["FirstLook", "first_look", "first_scenario"]

LEAST_ROWS = 5
"""Of an agent, on average, for a column to be one that may name agents."""
BATCHES = 20
"""Rounds of learning that the rows should last for."""


@dataclass(frozen=True)
class FirstLook:
    """A table as found. numeric: columns of numbers; owners: columns that may name the agent of each row, with how many
    there are, the likeliest first; left_out: why other columns are none of numbers; gaps: what is wrong with which;
    pairs: columns with two values, which may be classes.
    """

    path: Path
    rows: int
    names: tuple[str, ...]
    numeric: tuple[str, ...]
    owners: tuple[tuple[str, int], ...]
    left_out: dict[str, str]
    gaps: dict[str, list[str]]
    pairs: tuple[str, ...]


def first_look(path: str | Path) -> FirstLook:
    """Look at a CSV or Parquet file. Raises DataError where it is no table, or has no two columns of numbers."""
    columns = read_columns(Path(path))
    if columns.problems:
        raise DataError(*(f"{path}: {problem}" for problem in columns.problems))
    reasons = {name: reason_to_leave_out(columns, name) for name in columns.names}
    numeric = tuple(name for name, why in reasons.items() if not why)
    if len(numeric) < 2:
        raise DataError(f"{path}: needed two columns of numbers, a target and a feature; got {len(numeric)}")
    left_out = {name: why for name, why in reasons.items() if name and why}
    gaps = {name: cell_problems(name, columns, numbers_of(columns, name)) for name in numeric}
    pairs = tuple(name for name, cells in columns.cells.items() if len(set(cells)) == 2)
    owners = tuple(_owners(columns))
    return FirstLook(Path(path), len(columns.rows), columns.names, numeric, owners, left_out, gaps, pairs)


def first_scenario(look: FirstLook, target: str | None = None, agent: str | None = None, folder: Path = Path()) -> str:
    """A commented TOML file for the table, which is to lie in a folder.

    target: default the last column of numbers. agent: a column, or None for rows dealt at random.

    Raises DataError for columns that are not there.
    """
    for name in filter(None, (target, agent)):
        if name not in look.names:
            raise DataError(f'{look.path}: no column "{name}"{nearest(name, look.names)}')
    chosen = target or [name for name in look.numeric if name != agent][-1]
    agents = dict(look.owners).get(agent or "", int(np.clip(look.rows // 50, 2, 100)))
    batch = max(1, look.rows // agents // BATCHES)
    features = [name for name in look.numeric if name not in (chosen, agent)]
    lines = [
        f"# {look.path.name}: {counted(look.rows, 'row')}. Run it: coolgp run FILE.toml; all keys: coolgp keys",
        "[data]",
        f"source = {json.dumps(Path(os.path.relpath(look.path, folder)).as_posix())}",
        _line("target", shown(chosen), "guessed: the last column of numbers" if target is None else ""),
        *(
            [_line("task", '"classification"', "two values; leave it out to learn numbers")]
            if chosen in look.pairs
            else []
        ),
        _line("features", "[" + ", ".join(map(shown, features)) + "]", "leave out what is no input"),
        *(f"# left out: {name}: {why}" for name, why in look.left_out.items() if name not in (chosen, agent)),
        *(f"# to mend: {problem}" for name in (*features, chosen) for problem in look.gaps.get(name, ())),
        *(['# missing = "drop"  # leaves rows with empty cells out'] if _to_mend(look, (*features, chosen)) else []),
        *_agent_lines(look, agent),
        "[agents]",
        *([] if agent else [f"count = {agents}  # rows are dealt to them at random"]),
        f"inducing = {int(np.clip(look.rows // 10, 5, 100))}  # more are more accurate, and slower",
        f"batch_size = {batch}  # rows of an agent in a round",
        "[network]",
        'topology = "small-world"  # or a file: "links.csv", "roads.graphml"',
        "[fusion]",
        'rule = "tree"  # exact; others: coolgp list',
        "[run]",
        'rounds = "all"  # use every row once',
    ]
    return "\n".join(lines) + "\n"


def _to_mend(look: FirstLook, names: Sequence[str]) -> bool:
    return any(look.gaps.get(name) for name in names)


def _agent_lines(look: FirstLook, agent: str | None) -> list[str]:
    if agent:
        return [f"agent = {shown(agent)}"]
    return [
        f"# agent = {shown(name)}  # its {count} values could be the agents, without count"
        for name, count in look.owners
    ]


def _line(key: str, value: str, remark: str) -> str:
    return f"{key} = {value}" + (f"  # {remark}" if remark else "")


def _owners(columns: Columns) -> list[tuple[str, int]]:
    """Columns of texts or whole numbers whose values come often enough to be agents; texts first."""
    found = []
    for place, name in enumerate(columns.names):
        cells = columns.cells[name]
        if not name or not _names_things(cells, columns.readings[name] is None):
            continue
        values = len(np.unique(np.asarray(cells)))
        if 2 <= values <= len(columns.rows) / LEAST_ROWS:
            found.append((columns.readings[name] is not None, place, name, values))
    return [(name, values) for _, _, name, values in sorted(found)]


def _names_things(cells: Sequence[str] | np.ndarray, texts: bool) -> bool:
    if isinstance(cells, np.ndarray):
        return bool(np.isfinite(cells).all() and (cells == np.round(cells)).all())
    return all(map(str.strip, cells)) and (texts or all(cell.strip().lstrip("-").isdecimal() for cell in cells))
