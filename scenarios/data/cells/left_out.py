"""Which columns of a table are no features, and why, in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from coolgp.scenarios.data.cells.columns import Columns, names_text
from coolgp.scenarios.data.cells.numbers import COMMAS, MOMENTS, PLAIN, is_ambiguous, moment

__all__ = ["MISSING", "STAMPS", "mixed_commas", "reading_notes", "reason_to_leave_out", "short"]

STAMPS = "time stamps"
"""What the reason begins with where a column holds them."""

_BOOKKEEPING = re.compile(r"__index_level_\d+__|Unnamed: \d+(\.\d+)?|Unnamed: \d+_level_\d+")
MISSING = {"na", "n/a", "nan", "null", "none", "-", "--", "?", "#n/a", "<na>", "nat", "."}
"""Words for a value that is not there."""


def reason_to_leave_out(columns: Columns, name: str) -> str:
    """Why a column is no feature unless it is asked for; empty where it is one."""
    if not name:
        return "without a name, as a data frame's index is"
    if _BOOKKEEPING.fullmatch(name):
        return "a data frame's index"
    cells = columns.cells[name]
    empty = np.isnan(cells).all() if isinstance(cells, np.ndarray) else not any(map(str.strip, cells))
    if empty:
        return "it holds no value"
    return "" if isinstance(cells, np.ndarray) or columns.readings[name] else _of_texts(name, cells)


def reading_notes(path: Path, columns: Columns, read: Sequence[str], skipped: Sequence[str]) -> tuple[str, ...]:
    """How columns were read that are not plain numbers, and why others were left out: all of one kind in one line."""
    said: dict[str, list[str]] = {}
    for name in dict.fromkeys(read):
        convention = columns.readings[name]
        if convention and convention.words:
            said.setdefault(convention.words, []).append(name)
    for name in skipped:
        why = reason_to_leave_out(columns, name if name in columns.cells else "")
        said.setdefault(f"left out: {why}", []).append(name)
    return tuple(
        f"{path.name}: {'column' if len(names) == 1 else 'columns'} {names_text(names)}: {why}"
        for why, names in said.items()
    )


def mixed_commas(columns: Columns, names: Sequence[str]) -> list[str]:
    """What is wrong where some columns have decimal commas, and points in others may part thousands."""
    texts = {name: cells for name in names if not isinstance(cells := columns.cells[name], np.ndarray)}
    if all(columns.readings[name] is not COMMAS for name in texts):
        return []
    plain = {name: cells for name, cells in texts.items() if columns.readings[name] is PLAIN}
    points = {name: [cell for cell in cells if "." in cell] for name, cells in plain.items()}
    why = "may be a thousand, for other columns have decimal commas: write it without"
    return [
        f'column "{name}": "{cells[0].strip()}" {why}'
        for name, cells in points.items()
        if cells and all(map(is_ambiguous, cells))
    ]


def _of_texts(name: str, cells: Sequence[str]) -> str:
    filled = [cell.strip() for cell in cells if cell.strip()]
    missing = [cell for cell in filled if cell.lower() in MISSING]
    others = [cell for cell in filled if cell.lower() not in MISSING]
    if 2 * len(missing) >= len(filled):
        return f'{len(missing)} of {len(filled)} cells are missing ("{missing[0]}")'
    if 2 * sum(moment(cell) is not None for cell in others) > len(others):
        offers = ", ".join(f'"{name}.{unit}"' for unit in MOMENTS)
        return f"{STAMPS}; as numbers they are the features {offers}, where data.features names these"
    doubtful = [cell for cell in others if "," in cell and is_ambiguous(cell)]
    if doubtful:
        return f'"{doubtful[0]}" may have a decimal comma, or one between thousands: write it without'
    return f'texts, for example "{short(others[0])}"; as numbers they are a column of 0 and 1 for each text'


def short(text: str) -> str:
    """The beginning of a long text."""
    return text if len(text) <= 30 else text[:27] + "..."
