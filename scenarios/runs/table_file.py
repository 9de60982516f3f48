"""A table that grows with a run: a CSV file, written by whole lines under a header that stays."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self

from coolgp.scenarios.base.files import naming, write_whole
from coolgp.scenarios.metrics.column import Cell

__all__ = ["TableFile"]


class TableFile:
    """Appends rows by the names in the header: a cell without a value, or NaN, is empty."""

    def __init__(self, path: Path) -> None:
        """Go on with a table that is there."""
        self.path = path
        with path.open(newline="", encoding="utf-8") as file:
            self.names = next(csv.reader(file), [])

    @classmethod
    def begin(cls, path: Path, names: Sequence[str]) -> Self:
        """Write the header of a new table, described columns or not."""
        write_whole(path, _lines([names]).encode())
        return cls(path)

    @classmethod
    def resume(cls, path: Path, size: int) -> Self:
        """Go on with a table after its first bytes, so many: what follows is removed."""
        os.truncate(path, size)
        return cls(path)

    def append(self, rows: Iterable[Mapping[str, Cell]]) -> None:
        """Add rows; a name that is not in the header is left out, see :meth:`difference`."""
        numbered = ([row.get(name, "") for name in self.names] for row in rows)
        cells = (["" if cell != cell else cell for cell in row] for row in numbered)  # NaN alone is not itself
        with naming(self.path), self.path.open("a", newline="", encoding="utf-8") as file:
            file.write(_lines(cells))

    def settle(self) -> int:
        """Wait until the rows are on the disk; the bytes of the file."""
        with self.path.open("rb+") as file:
            os.fsync(file.fileno())
            return file.seek(0, os.SEEK_END)

    def difference(self, names: Sequence[str]) -> str:
        """How the header differs from the names that this version writes, in words; empty where it does not."""
        left_out = ", ".join(name for name in names if name not in self.names)
        empty = ", ".join(name for name in self.names if name not in names)
        clauses = (f"goes on without {left_out}" * bool(left_out), f"leaves {empty} empty" * bool(empty))
        words = " and ".join(clause for clause in clauses if clause)
        return words and f"{self.path.name} was begun by another version of coolgp, so it {words}"


def _lines(rows: Iterable[Sequence[Cell]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
