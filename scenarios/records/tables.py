"""Tables and arrays of a run folder, read with errors that say which file, row or column is wrong.

Axes: `R` rows.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from coolgp.agents.base.archives import arrays_in
from coolgp.scenarios.base.arrays import Floats
from coolgp.scenarios.metrics.words import described

__all__ = ["Columns", "arrays_of", "floats", "numbers", "texts"]

Columns: TypeAlias = Mapping[str, Floats]
"""Columns ``[R]`` by name."""


def texts(path: Path, needed: Sequence[str]) -> dict[str, list[str]]:
    """The cells of each column of a CSV file; raise ValueError where a needed column or all rows are missing."""
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = [row for row in csv.reader(file) if row] or [[]]
    missing = [name for name in needed if name not in header]
    if missing:
        raise ValueError(f"{path} is not that of a run: it lacks the columns {', '.join(missing)}")
    if not rows:
        raise ValueError(f"{path} has no rows: the run did not finish a round")
    uneven = [i for i, row in enumerate(rows, start=2) if len(row) != len(header)]
    if uneven:
        raise ValueError(
            f"{path} is cut off: row {uneven[0]} needs {len(header)} cells, has {len(rows[uneven[0] - 2])}"
        )
    return {name: [row[i] for row in rows] for i, name in enumerate(header)}


class _Table(dict[str, Floats]):
    """Columns of a file by name; a missing one is said in words."""

    def __init__(self, path: Path, columns: Mapping[str, Floats]) -> None:
        super().__init__(columns)
        self.path = path

    def __missing__(self, name: str) -> Floats:
        column = described(name)
        since = f", which coolgp writes since version {column.since}" if column else ""
        raise ValueError(f"{self.path} lacks the column {name}{since}")


def numbers(path: Path) -> Columns:
    """The columns ``[R]`` of a table of rounds; asking for one that it lacks raises ValueError."""
    return _Table(path, {name: floats(path, name, cells) for name, cells in texts(path, ("round",)).items()})


def floats(path: Path, name: str, cells: Sequence[str]) -> Floats:
    """The numbers ``[R]`` of a column, NaN where a cell is empty; raise ValueError for anything else."""
    try:
        return np.array([float(cell) if cell.strip() else np.nan for cell in cells])
    except ValueError as problem:
        raise ValueError(f"{path}, column {name}: needed numbers or nothing: {problem}") from None


def arrays_of(path: Path, needed: Sequence[str]) -> dict[str, NDArray[Any]]:
    """The arrays of an ``.npz`` file; raise ValueError where it cannot be read or lacks one of those needed."""
    try:
        arrays = arrays_in(path)
    except ValueError as problem:
        raise ValueError(f"{path} cannot be read as arrays: {problem}") from problem
    missing = [name for name in needed if name not in arrays]
    if missing:
        raise ValueError(f"{path} is not that of a run: it lacks the arrays {', '.join(missing)}")
    return arrays
