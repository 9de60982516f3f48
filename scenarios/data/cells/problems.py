"""What is wrong with the cells of a column that is to be numbers, where, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from coolgp.scenarios.base.arrays import Floats
from coolgp.scenarios.base.formatting import counted
from coolgp.scenarios.data.cells.columns import Columns, some
from coolgp.scenarios.data.cells.left_out import reason_to_leave_out, short
from coolgp.scenarios.data.cells.numbers import PLAIN, is_number

__all__ = ["cell_problems", "listed", "numbers_of"]

LARGEST = 1e150
"""Numbers above cannot be squared and summed in float64."""


def numbers_of(columns: Columns, name: str) -> Floats:
    """The cells of a column as floats ``[n]``, NaN for what is none."""
    cells = columns.cells[name]
    return cells if isinstance(cells, np.ndarray) else (columns.readings[name] or PLAIN).numbers(cells)


def cell_problems(name: str, columns: Columns, values: Floats) -> list[str]:
    """A sentence for each kind of cell that is no number to learn from; values ``[n]`` is what cells were read as."""
    with np.errstate(invalid="ignore"):
        huge = np.flatnonzero(np.isfinite(values) & (np.abs(values) > LARGEST)).tolist()
    if huge:
        limit = f"above {LARGEST:g}, too large to be squared and summed; correct them, or give another unit"
        return [f'column "{name}": {listed(huge, columns)} {limit}, for example {values[huge[0]]:g}']
    cells = columns.cells[name]
    odd = np.flatnonzero(~np.isfinite(values)).tolist()
    if isinstance(cells, np.ndarray):
        return [f'column "{name}": {listed(odd, columns)} missing or not finite{_fill(odd)}'] if odd else []
    of_no_number = reason_to_leave_out(columns, name) if odd else ""
    if of_no_number:
        return [f'column "{name}" is to be numbers: {of_no_number}']
    kinds: dict[str, Callable[[str], bool]] = {
        "empty": lambda cell: not cell.strip(),
        "not finite": lambda cell: is_number(cell) and not np.isfinite(float(cell)),
        "not numeric": lambda cell: bool(cell.strip()) and not (is_number(cell) and not np.isfinite(float(cell))),
    }
    problems = []
    for kind, belongs in kinds.items():
        rows = [i for i in odd if belongs(cells[i])]
        if rows:
            example = "" if kind == "empty" else f', for example "{short(cells[rows[0]])}"'
            comma = "; decimals need a point" if re.fullmatch(r"\s*-?\d+,\d+\s*", cells[rows[0]]) else _fill(rows)
            problems.append(f'column "{name}": {listed(rows, columns)} {kind}{example}{comma}')
    return problems


def _fill(rows: Sequence[int]) -> str:
    return f": correct {'it, or leave the row' if len(rows) == 1 else 'them, or leave the rows'} out"


def listed(rows: Sequence[int], columns: Columns) -> str:
    """Count the rows and name the first of them: `3 values (lines 2, 5, 9)`."""
    word = columns.row_word if len(rows) == 1 else columns.row_word + "s"
    verb = "is" if len(rows) == 1 else "are"
    return f"{counted(len(rows), 'value')} ({word} {some([columns.rows[i] for i in rows])}) {verb}"
