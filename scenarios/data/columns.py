"""CSV and Parquet files as columns of cells, before anyone asks what they mean."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from coolgp.scenarios.base.arrays import Floats
from coolgp.scenarios.base.errors import DataError
from coolgp.scenarios.base.formatting import counted

__all__ = ["Columns", "is_number", "names_text", "read_content", "read_csv", "read_parquet", "some"]

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
    names = [name.strip() for name in rows[0]]
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
        table = pq.read_table(pa.BufferReader(content))
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: damaged Parquet file: {str(error).splitlines()[0]}") from None
    names = tuple(str(name) for name in table.column_names)
    cells: dict[str, Sequence[str] | Floats] = {}
    for name, column in zip(names, table.columns, strict=True):
        kind = column.type
        if pa.types.is_integer(kind) and pc.max(pc.abs(column.cast(pa.float64(), safe=False))).as_py() > 2**53:
            cells[name] = ["" if value is None else str(value) for value in column.to_pylist()]  # names, not numbers
        elif pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
            cells[name] = np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
        else:
            cells[name] = ["" if value is None else str(value) for value in column.to_pylist()]
    return Columns(
        names=names, cells=cells, rows=range(1, table.num_rows + 1), row_word="row", problems=tuple(_repeated(names))
    )


def _repeated(names: Sequence[str]) -> list[str]:
    twice = sorted({name for name in names if name and names.count(name) > 1})
    return [f"column names used more than once: {names_text(twice)}"] if twice else []


def is_number(cell: str) -> bool:
    """Whether a cell reads as a number, infinite and NaN among them."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def some(items: Sequence[Any], most: int = _SHOWN_ROWS) -> str:
    """The first of many things."""
    return ", ".join(map(str, items[:most])) + (", ..." if len(items) > most else "")


def names_text(names: Iterable[str]) -> str:
    """Names of columns, for a message."""
    return some([name or "(unnamed)" for name in names], _SHOWN_COLUMNS)
