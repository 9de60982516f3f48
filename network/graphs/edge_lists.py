"""The text of an edge list as cells: with commas or white space, quotes, comments, attributes of networkx."""

from __future__ import annotations

import ast
import csv
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

__all__ = ["HEADERS", "edge_rows", "is_timed", "timed_rows"]

HEADERS = {
    *(("tail", "head"), ("source", "target"), ("from", "to"), ("src", "dst"), ("agent", "neighbour")),
    *(("node1", "node2"), ("node_1", "node_2"), ("from_node", "to_node"), ("from_id", "to_id")),
}

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|infinity|nan)", re.ASCII | re.IGNORECASE)
_LIKE_NUMBER = re.compile(r"[+-]?[.,]?\d")
_WORD = re.compile(r'"((?:[^"]|"")*)"|(\S+)')
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_ATTRIBUTES = re.compile(r"^(.*?)[\s,]*(\{.*\})$")
_MOST_DIGITS = 15


def is_timed(text: str) -> bool:
    """Whether the first line is the header of links that come and go."""
    _, first = next(_lines(text), (0, ""))
    cells = [cell.lower() for cell in _cells(first, _has_commas(first))]
    return len(cells) == 3 and cells[0] == "round" and tuple(cells[1:]) in HEADERS


def timed_rows(text: str, path: Path) -> Iterator[list[str]]:
    """Cells of each line below the header ``round,tail,head``, checked. Raises ValueError as `edge_rows`."""
    lines = list(_lines(text))
    commas = _has_commas(lines[0][1])
    for number, line in lines[1:]:
        cells = _cells(line, commas)
        if len(cells) != 3 or "" in cells:
            raise ValueError(
                f"{path}, line {number}: an edge needs 3 columns (round, tail and head) "
                f"between {'commas' if commas else 'spaces'}; got {_short(line)}"
            )
        if not cells[0].isdecimal() or len(cells[0]) > _MOST_DIGITS or int(cells[0]) < 1:
            raise ValueError(f"{path}, line {number}: a round must be a whole number from 1 on; got {_short(cells[0])}")
        yield cells


def edge_rows(text: str, path: Path) -> list[list[str]]:
    """Cells of each edge: two labels, and a weight where all have one; the first line decides how they are parted.

    Raises ValueError with the line that is not an edge.
    """
    lines = list(_lines(text))
    commas = bool(lines) and _has_commas(_ATTRIBUTES.sub(r"\1", lines[0][1]))
    rows: list[tuple[int, list[str]]] = []
    for number, line in lines:
        cells = _with_attributes(line, commas, f"{path}, line {number}")
        expected = (len(rows[0][1]),) if rows else (2, 3)
        if len(cells) not in expected or "" in cells:
            needed = " or ".join(map(str, expected))
            raise ValueError(
                f"{path}, line {number}: an edge needs {needed} columns (tail, head and perhaps weight) "
                f"between {'commas' if commas else 'spaces'}; got {_short(line)}"
            )
        rows.append((number, cells))
    below = [cells for _, cells in rows[1:]]
    if rows and _is_header(rows[0][1], below):
        rows = rows[1:]
    for number, cells in rows:
        if len(cells) == 3:
            _check_weight(cells[2], f"{path}, line {number}")
    return [cells for _, cells in rows]


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines that are not empty, numbered from 1, without comments (``#`` first in a line or after a space)."""
    for number, line in enumerate(text.splitlines(), start=1):
        hidden = _QUOTED.sub(lambda quoted: "x" * len(quoted[0]), line)
        comment = _COMMENT.search(hidden)
        line = line[: comment.start()].strip() if comment else line.strip()
        if line:
            yield number, line


def _has_commas(line: str) -> bool:
    return "," in _QUOTED.sub("", line)


def _cells(line: str, commas: bool) -> list[str]:
    if commas:
        try:
            return [cell.strip() for cell in next(csv.reader([line], skipinitialspace=True))]
        except csv.Error as error:
            raise ValueError(f"needed labels between commas, got {_short(line)}: {error}") from None
    return [word[2] or word[1].replace('""', '"') for word in _WORD.finditer(line)]


def _with_attributes(line: str, commas: bool, where: str) -> list[str]:
    """The cells of a line that may end in a dictionary, as networkx writes it: of that, the weight."""
    match = _ATTRIBUTES.match(line)
    if not match:
        return _cells(line, commas)
    try:
        attributes = ast.literal_eval(match[2])
        weight = attributes.get("weight")
    except (ValueError, SyntaxError, TypeError, AttributeError, RecursionError, MemoryError):
        raise ValueError(f"{where}: needed attributes as networkx writes them; got {_short(match[2])}") from None
    return _cells(match[1], commas) + ([] if weight is None else [str(weight)])


def _is_header(cells: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Whether a first line names columns: by its words, or with a third that is no number, not even a mistyped one.

    A line whose labels come again is a link.
    """
    if tuple(cell.lower() for cell in cells[:2]) in HEADERS:
        return True
    if len(cells) < 3 or _number(cells[2]) is not None or _LIKE_NUMBER.match(cells[2]):
        return False
    return not {label for row in below for label in row[:2]} & set(cells[:2])


def _check_weight(cell: str, where: str) -> None:
    weight = _number(cell)
    if weight is None or not (math.isfinite(weight) and weight > 0):
        raise ValueError(f"{where}: a weight must be a positive finite number; got {_short(cell)}")


def _number(cell: str) -> float | None:
    return float(cell) if _NUMBER.fullmatch(cell) else None


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
