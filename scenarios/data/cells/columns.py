"""CSV and Parquet files as columns of cells, before anyone asks what they mean."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from coolgp.scenarios.base.arrays import Floats
from coolgp.scenarios.base.errors import DataError
from coolgp.scenarios.base.formatting import counted
from coolgp.scenarios.data.cells.numbers import PLAIN, Reading, is_number, reading

__all__ = ["Columns", "names_text", "read_content", "read_csv", "read_parquet", "some"]

_SHOWN_ROWS = 5
_SHOWN_COLUMNS = 30


@dataclass(frozen=True)
class Columns:
    """A file's columns as found: texts from CSV, floats (missing = NaN) where Parquet has numbers."""

    names: tuple[str, ...]
    cells: Mapping[str, Sequence[str] | Floats]
    rows: Sequence[int]
    """What the file calls each row."""
    row_word: str
    problems: tuple[str, ...] = ()

    @cached_property
    def readings(self) -> Mapping[str, Reading | None]:
        """How the cells of each column are read as numbers; None of texts."""
        return {name: PLAIN if isinstance(cells, np.ndarray) else reading(cells) for name, cells in self.cells.items()}


def read_content(path: Path) -> bytes:
    """The bytes of a file. Raises DataError where there is none or it is empty."""
    if path.is_dir():
        raise DataError(f"{path}: is a folder; needed a CSV or Parquet file")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    if not content.strip():
        raise DataError(f"{path}: the file is empty")
    return content


def read_csv(path: Path, content: bytes) -> Columns:
    """Columns of texts, with every row that does not fit. Raises DataError where it is not CSV at all."""
    text = _csv_text(path, content)
    header_line = next(line for line in text.splitlines() if line.strip())
    delimiter = max(",;\t", key=header_line.count)
    rows: list[list[str]] = []
    numbers: list[int] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            if row and (len(row) > 1 or row[0].strip()):
                rows.append(row)
                numbers.append(reader.line_num)
    except csv.Error as error:
        raise DataError(f"{path}:{reader.line_num}: not a CSV file: {error}") from None
    names = [name.strip() for name in rows[0]] if rows else []
    if not any(names):
        raise DataError(f"{path}: the first line must name the columns; it names none")
    if all(is_number(name) for name in names):
        raise DataError(f"{path}: the first line must name the columns; it holds numbers: {names_text(names)}")
    problems = _repeated(names)
    ragged = [i for i in range(1, len(rows)) if len(rows[i]) != len(names)]
    if ragged:
        lines = some([numbers[i] for i in ragged])
        problems.append(
            f"{counted(len(ragged), 'row')} with another number of cells than the header's {len(names)}"
            f" (lines {lines}; line {numbers[ragged[0]]} has {len(rows[ragged[0]])})"
        )
    odd = {0, *ragged}
    even = [i for i in range(len(rows)) if i not in odd]
    cells = {name: [rows[i][column] for i in even] for column, name in enumerate(names) if name}
    return Columns(
        names=tuple(names), cells=cells, rows=[numbers[i] for i in even], row_word="line", problems=tuple(problems)
    )


def _csv_text(path: Path, content: bytes) -> str:
    kinds = {
        b"PAR1": "a Parquet file: name it .parquet",
        b"PK\x03\x04": "a zip archive or spreadsheet: save it as CSV",
        b"\x1f\x8b": "compressed with gzip: unpack it first",
    }
    for magic, kind in kinds.items():
        if content.startswith(magic):
            raise DataError(f"{path}: is not CSV but {kind}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DataError(f"{path}:{line}: is not UTF-8 text; save it as CSV in UTF-8") from None
    if not text.strip():
        raise DataError(f"{path}: the file is empty")
    if "\0" in text:
        raise DataError(f"{path}: is not CSV: it holds binary data")
    if re.match(r"\s*<(!doctype|html|\?xml)", text, re.IGNORECASE):
        raise DataError(f"{path}: is not CSV but a web page or XML (perhaps an error page saved in its place)")
    return text


def read_parquet(path: Path, content: bytes) -> Columns:
    """Columns of numbers and texts. Raises DataError where it is not Parquet, or pyarrow is missing."""
    if not content.startswith(b"PAR1"):
        raise DataError(f"{path}: is not a Parquet file, whatever its name says")
    try:
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq
    except ImportError:
        raise DataError(f'{path}: Parquet needs pyarrow: pip install "coolgp[parquet]"') from None
    try:
        table = pq.ParquetFile(pa.BufferReader(content)).read()
        names = tuple(str(name) for name in table.column_names)
    except (pa.ArrowException, OSError, ValueError, LookupError, TypeError, OverflowError, MemoryError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise DataError(f"{path}: damaged Parquet file: {reason[:200]}") from None
    cells: dict[str, Sequence[str] | Floats] = {}
    for name, column in zip(names, table.columns, strict=True):
        kind = column.type
        largest = pc.max(pc.abs(column.cast(pa.float64(), safe=False))).as_py() if pa.types.is_integer(kind) else None
        if largest is not None and largest > 2**53:
            cells[name] = _texts(column)  # names, not numbers
        elif pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
            cells[name] = np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
        else:
            cells[name] = _texts(column)
    return Columns(
        names=names, cells=cells, rows=range(1, table.num_rows + 1), row_word="row", problems=tuple(_repeated(names))
    )


def _texts(column: Any) -> list[str]:
    """The cells of a column of Arrow as texts; time stamps as Arrow writes them, for Python's end at microseconds."""
    import pyarrow as pa

    try:
        values = column.cast(pa.string()).to_pylist() if pa.types.is_temporal(column.type) else column.to_pylist()
    except (pa.ArrowException, ValueError, OverflowError):
        return ["(unreadable)"] * len(column)
    return ["" if value is None else str(value) for value in values]


def _repeated(names: Sequence[str]) -> list[str]:
    twice = sorted({name for name in names if name and names.count(name) > 1})
    return [f"column names used more than once: {names_text(twice)}"] if twice else []


def some(items: Sequence[Any], most: int = _SHOWN_ROWS) -> str:
    """The first of many things."""
    return ", ".join(map(str, items[:most])) + (", ..." if len(items) > most else "")


def names_text(names: Iterable[str]) -> str:
    """Names of columns, for a message."""
    return some([name or "(unnamed)" for name in names], _SHOWN_COLUMNS)
