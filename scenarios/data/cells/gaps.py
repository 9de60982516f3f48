"""Rows in which a column has no value, where a scenario asks to leave them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from coolgp.scenarios.base.arrays import Floats
from coolgp.scenarios.base.formatting import counted
from coolgp.scenarios.data.cells.columns import Columns, some
from coolgp.scenarios.data.cells.left_out import MISSING

__all__ = ["without_gaps"]


def without_gaps(columns: Columns, names: Sequence[str]) -> tuple[Columns, str]:
    """The columns without the rows in which one of these has no value, and what was left out, in words.

    A cell without a value is empty, or holds a word for that (`NA`, `null`, ...). Other texts are mistakes, and stay.
    """
    gaps = {name: _gaps(columns.cells[name]) for name in dict.fromkeys(names) if name in columns.cells}
    of_rows = np.logical_or.reduce([*gaps.values(), np.zeros(len(columns.rows), dtype=bool)])
    left = np.flatnonzero(of_rows).tolist()
    if not left:
        return columns, ""
    kept = np.flatnonzero(~of_rows).tolist()
    where = ", ".join(f'"{name}" ({missing.sum()})' for name, missing in gaps.items() if missing.any())
    words = (
        f"{counted(len(left), 'row')} of {len(columns.rows):,} left out, for there is no value in {where}: "
        f"{columns.row_word}{'s' if len(left) > 1 else ''} {some([columns.rows[row] for row in left])}"
    )
    cells = {
        name: column[kept] if isinstance(column, np.ndarray) else [column[row] for row in kept]
        for name, column in columns.cells.items()
    }
    return replace(columns, cells=cells, rows=[columns.rows[row] for row in kept]), words


def _gaps(cells: Sequence[str] | Floats) -> np.ndarray:
    """Which cells have no value, ``[n]``."""
    if isinstance(cells, np.ndarray):
        return np.isnan(cells)
    return np.array([(word := cell.strip().lower()) == "" or word in MISSING for cell in cells], dtype=bool)
