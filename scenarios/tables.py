"""Rows of numbers: the records that carry them, and tables read from CSV and Parquet files."""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["DataError", "Dataset", "Floats", "Ints", "Table", "read_table"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

_SHOWN_ROWS = 5
_SHOWN_COLUMNS = 30


class DataError(ValueError):
    """What is wrong with the data: `problems`, one line each."""

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)  # as args, so that the error survives pickling between ranks
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(self.problems)


@dataclass(frozen=True)
class Table:
    """Rows in original units, not yet split or dealt to agents."""

    x: Floats
    """`[n,D]`"""
    y: Floats
    """`[n]`"""
    features: tuple[str, ...]
    target: str
    labels: tuple[str, ...] | None = None
    """`[n]`, the agent that each row names."""
    skipped: tuple[str, ...] = ()
    """Columns left out because they do not hold numbers."""


@dataclass(frozen=True)
class Dataset:
    """Training rows dealt to agents, and test rows; original units, nothing scaled."""

    x_train: Floats
    """`[n,D]`"""
    y_train: Floats
    """`[n]`"""
    owner: Ints
    """`[n]`, the agent in `[0,N)` that observes each training row."""
    x_test: Floats
    """`[Q,D]`"""
    y_test: Floats
    """`[Q]`, noisy like `y_train`."""
    features: tuple[str, ...]
    target: str
    agents: tuple[str, ...]
    """`[N]`, what the agents are called."""
    positions: Floats | None = None
    """`[N,2]`"""
    truth: Floats | None = None
    """`[Q]`, without noise, where it is known."""
    test_owner: Ints | None = None
    """`[Q]`, the agent that each test row belongs to; None where all agents are tested on all rows."""


@dataclass(frozen=True)
class _Columns:
    """A file's columns as found: texts from CSV, floats (missing = NaN) where Parquet has numbers."""

    names: tuple[str, ...]
    cells: Mapping[str, Sequence[str] | Floats]
    rows: Sequence[int]
    """What the file calls each row."""
    row_word: str
    problems: tuple[str, ...] = ()


def read_table(path: str | Path, target: str, features: Sequence[str] | None = None, agent: str | None = None) -> Table:
    """Read a CSV file (`,` `;` or tab, a header, UTF-8) or a Parquet file.

    Without `features`, every numeric column but the target and the agent column is one. A column counts as numeric if
    most of its filled cells are numbers: one typing error must not drop a column unseen. Columns without a name
    (a data frame's index) are left out.

    Raises:
        DataError: with every problem found, rows by line of the file (CSV) or number from 1 (Parquet).

    """
    path = Path(path)
    content = _content(path)
    columns = _parquet(path, content) if path.suffix.lower() in (".parquet", ".pq") else _csv(path, content)
    problems = [*columns.problems, *_missing(columns, target, features, agent)]
    chosen, skipped = _features(columns, target, features, agent)
    present = [name for name in (*chosen, target) if name in columns.cells]
    values = {name: _numbers(columns.cells[name]) for name in present}
    for name in dict.fromkeys(present):
        problems += _cell_problems(name, columns, values[name])
    labels = _labels(columns.cells[agent]) if agent is not None and agent in columns.cells else None
    if labels is not None:
        empty = [i for i, label in enumerate(labels) if not label]
        problems += [f'column "{agent}": {_listed(empty, columns)} without an agent'] if empty else []
    if not chosen:
        problems.append(f"no numeric column besides the target to learn from; columns: {_names(columns.names)}")
    if len(columns.rows) < 2 and not columns.problems:
        problems.append(f"needed at least 2 rows of data, got {len(columns.rows)}")
    if problems:
        raise DataError(*(f"{path}: {problem}" for problem in problems))
    x = np.stack([values[name] for name in chosen], axis=1)
    return Table(x, values[target], tuple(chosen), target, None if labels is None else tuple(labels), tuple(skipped))


def _content(path: Path) -> bytes:
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


def _csv(path: Path, content: bytes) -> _Columns:
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
    if all(_is_number(name) for name in names):
        raise DataError(f"{path}: the first line must name the columns; it holds numbers: {_names(names)}")
    problems = _repeated(names)
    ragged = [i for i in range(1, len(rows)) if len(rows[i]) != len(names)]
    if ragged:
        lines = _some([numbers[i] for i in ragged])
        problems.append(
            f"{_counted(len(ragged), 'row')} with another number of cells than the header's {len(names)}"
            f" (lines {lines}; line {numbers[ragged[0]]} has {len(rows[ragged[0]])})"
        )
    odd = {0, *ragged}
    kept = [i for i in range(len(rows)) if i not in odd]
    cells = {name: [rows[i][column] for i in kept] for column, name in enumerate(names) if name}
    return _Columns(tuple(names), cells, [numbers[i] for i in kept], "line", tuple(problems))


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


def _parquet(path: Path, content: bytes) -> _Columns:
    if not content.startswith(b"PAR1"):
        raise DataError(f"{path}: is not a Parquet file, whatever its name says")
    try:
        import pyarrow as pa
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
        if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
            cells[name] = np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
        else:
            cells[name] = ["" if value is None else str(value) for value in column.to_pylist()]
    return _Columns(names, cells, range(1, table.num_rows + 1), "row", tuple(_repeated(names)))


def _repeated(names: Sequence[str]) -> list[str]:
    twice = sorted({name for name in names if name and names.count(name) > 1})
    return [f"column names used more than once: {_names(twice)}"] if twice else []


def _missing(columns: _Columns, target: str, features: Sequence[str] | None, agent: str | None) -> list[str]:
    wanted = dict.fromkeys([target, *(features or ()), *([agent] if agent is not None else ())])
    problems = []
    for name in wanted:
        if name not in columns.cells:
            near = difflib.get_close_matches(name, columns.names, n=1)
            hint = f' (did you mean "{near[0]}"?)' if near else ""
            problems.append(f'no column "{name}"{hint}; columns: {_names(columns.names)}')
    return problems


def _features(
    columns: _Columns, target: str, features: Sequence[str] | None, agent: str | None
) -> tuple[list[str], list[str]]:
    if features is not None:
        return list(features), []
    chosen: list[str] = []
    skipped: list[str] = []
    for name in columns.names:
        if name in (target, agent):
            continue
        (chosen if name and _mostly_numbers(columns.cells[name]) else skipped).append(name or "(unnamed)")
    return chosen, skipped


def _mostly_numbers(cells: Sequence[str] | Floats) -> bool:
    if isinstance(cells, np.ndarray):
        return True
    filled = [cell for cell in cells if cell.strip()]
    return 2 * sum(map(_is_number, filled)) > len(filled)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _numbers(cells: Sequence[str] | Floats) -> Floats:
    """Return the cells as floats, NaN for what is none."""
    if isinstance(cells, np.ndarray):
        return cells
    try:
        return np.array([float(cell) for cell in cells])
    except ValueError:
        return np.array([float(cell) if _is_number(cell) else np.nan for cell in cells])


def _cell_problems(name: str, columns: _Columns, values: Floats) -> list[str]:
    cells = columns.cells[name]
    odd = np.flatnonzero(~np.isfinite(values)).tolist()
    if isinstance(cells, np.ndarray):
        return [f'column "{name}": {_listed(odd, columns)} missing or not finite'] if odd else []
    kinds: dict[str, Callable[[str], bool]] = {
        "empty": lambda cell: not cell.strip(),
        "not finite": lambda cell: _is_number(cell),
        "not numeric": lambda cell: bool(cell.strip()) and not _is_number(cell),
    }
    problems = []
    for kind, belongs in kinds.items():
        found = [i for i in odd if belongs(cells[i])]
        if found:
            example = "" if kind == "empty" else f', for example "{_short(cells[found[0]])}"'
            comma = "; decimals need a point" if re.fullmatch(r"\s*-?\d+,\d+\s*", cells[found[0]]) else ""
            problems.append(f'column "{name}": {_listed(found, columns)} {kind}{example}{comma}')
    return problems


def _labels(cells: Sequence[str] | Floats) -> list[str]:
    if not isinstance(cells, np.ndarray):
        return [cell.strip() for cell in cells]
    whole = bool(np.all((cells == np.round(cells)) | ~np.isfinite(cells)))
    return ["" if not np.isfinite(v) else str(int(v)) if whole else str(v) for v in cells.tolist()]


def _listed(found: Sequence[int], columns: _Columns) -> str:
    """Count the rows and name the first of them: `3 values (lines 2, 5, 9)`."""
    word = columns.row_word if len(found) == 1 else columns.row_word + "s"
    verb = "is" if len(found) == 1 else "are"
    return f"{_counted(len(found), 'value')} ({word} {_some([columns.rows[i] for i in found])}) {verb}"


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word}" + ("" if number == 1 else "s")


def _some(items: Sequence[Any], most: int = _SHOWN_ROWS) -> str:
    return ", ".join(map(str, items[:most])) + (", ..." if len(items) > most else "")


def _names(names: Iterable[str]) -> str:
    return _some([name or "(unnamed)" for name in names], _SHOWN_COLUMNS)


def _short(text: str) -> str:
    return text if len(text) <= 30 else text[:27] + "..."
