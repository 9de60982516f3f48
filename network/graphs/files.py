"""Topologies from files: GraphML, and edge lists; of links that come and go where they name rounds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import ParseError

import networkx as nx
import numpy as np

from coolgp.network.graphs.interchange import from_networkx
from coolgp.network.graphs.schedule import Schedule, scheduled
from coolgp.network.graphs.topology import Topology, from_edges

__all__ = ["names_rounds", "read_schedule", "read_topology"]

HEADERS = {("tail", "head"), ("source", "target"), ("from", "to"), ("src", "dst"), ("agent", "neighbour")}
SUFFIXES = (".graphml", ".csv", ".txt", ".edges")


def read_topology(path: str | Path) -> Topology:
    """Read a topology from a .graphml file, or from a .csv or .txt edge list.

    An edge list has a line `tail,head` or `tail,head,weight` for each link, with commas or white space between; labels
    are any words. A header line may come first (such as `tail,head` or `source,target`; with three columns, any whose
    third is no number), and `#` starts a comment. Agents come in the order of their labels if all are whole numbers,
    otherwise in the order of first appearance. Of a list that names rounds (`read_schedule`) the union is returned.

    Raises:
        ValueError: if the file is missing, unreadable, of another kind, or wrong in some line (which is named).
    """
    path, text = Path(path), _text(path)
    if path.suffix.lower() == ".graphml":
        return _graphml(path)
    return read_schedule(path)[0] if _is_timed(text) else _edges(text, path)


def names_rounds(path: str | Path) -> bool:
    """Return whether a topology file is an edge list for `read_schedule`; raises as `read_topology`."""
    return Path(path).suffix.lower() != ".graphml" and _is_timed(_text(path))


def read_schedule(path: str | Path) -> tuple[Topology, Schedule]:
    """Read links that come and go from an edge list with the header `round,tail,head`.

    From each round that is named, exactly its links are up, until the next one that is named; none before the first.
    Rounds count from 1 in the file, and from 0 in the schedule; lines may come in any order.

    Returns:
        The union of all links, with agents ordered as `read_topology` does, and which of them exist when.

    Raises:
        ValueError: as `read_topology`, or if the header is another, or a round is no whole number from 1 on.
    """
    path, text = Path(path), _text(path)
    if not _is_timed(text):
        raise ValueError(f"The topology file {path} names no rounds; its first line must be: round,tail,head")
    rows = list(_timed_rows(text, path))
    if not rows:
        raise ValueError(f"The topology file {path} has no edges; it needs lines such as: 1,tail,head")
    labels, index = _numbered([row[1:] for row in rows])
    rounds = np.array([int(row[0]) for row in rows]) - 1
    links = np.array([[index[row[1]], index[row[2]]] for row in rows])
    since = np.unique(rounds)
    return scheduled(since.tolist(), [links[rounds == turn] for turn in since], len(labels), labels=labels)


def _text(path: str | Path) -> str:
    """The text of a topology file; empty for GraphML, which its own reader opens."""
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"A topology file must end in {', '.join(SUFFIXES)}; got {path}")
    if not path.is_file():
        raise ValueError(f"There is no topology file {path} (looked in {path.absolute().parent})")
    try:
        return "" if path.suffix.lower() == ".graphml" else path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"The topology file {path} cannot be read as text: {error}") from error


def _graphml(path: Path) -> Topology:
    try:
        graph = nx.read_graphml(path)
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"The topology file {path} cannot be read as text: {error}") from error
    except (nx.NetworkXException, ParseError, LookupError, ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"The topology file {path} is not valid GraphML: {error}") from error
    if not len(graph):
        raise ValueError(f"The topology file {path} has no nodes")
    return from_networkx(graph)


def _edges(text: str, path: Path) -> Topology:
    rows = list(_rows(text, path))
    if not rows:
        raise ValueError(
            f"The topology file {path} has no edges; it needs lines such as: tail,head or tail,head,weight"
        )
    weighted = len(rows[0]) == 3
    labels, index = _numbered([row[:2] for row in rows])
    return from_edges(
        tail=[index[row[0]] for row in rows],
        head=[index[row[1]] for row in rows],
        size=len(labels),
        weight=[float(row[2]) for row in rows] if weighted else None,
        labels=labels,
    )


def _numbered(ends: list[list[str]]) -> tuple[list[str], dict[str, int]]:
    """The labels in their order, and the number of each."""
    names = dict.fromkeys(label for pair in ends for label in pair)
    labels = sorted(names, key=int) if all(label.isdecimal() for label in names) else list(names)
    return labels, {label: i for i, label in enumerate(labels)}


def _server_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines that are not empty, with their numbers from 1; comments are cut off."""
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.split("#", 1)[0].strip()
        if line:
            yield number, line


def _cells(line: str, comma: bool) -> list[str]:
    return [cell.strip().strip('"') for cell in (line.split(",") if comma else line.split())]


def _is_timed(text: str) -> bool:
    _, first = next(_server_lines(text), (0, ""))
    cells = [cell.lower() for cell in _cells(first, "," in first)]
    return len(cells) == 3 and cells[0] == "round" and tuple(cells[1:]) in HEADERS


def _timed_rows(text: str, path: Path) -> Iterator[list[str]]:
    """Cells of each line below the header, checked."""
    lines = list(_server_lines(text))
    comma = "," in lines[0][1]
    for number, line in lines[1:]:
        cells = _cells(line, comma)
        if len(cells) != 3 or "" in cells:
            raise ValueError(
                f"{path}, line {number}: an edge needs 3 columns (round, tail and head) "
                f"between {'commas' if comma else 'spaces'}; got {line!r}"
            )
        if not cells[0].isdecimal() or int(cells[0]) < 1:
            raise ValueError(f"{path}, line {number}: a round must be a whole number from 1 on; got {cells[0]!r}")
        yield cells


def _rows(text: str, path: Path) -> Iterator[list[str]]:
    """Cells of each edge line, checked; the first line decides the delimiter and the number of columns."""
    comma, columns = False, 0
    for number, line in _server_lines(text):
        comma = comma if columns else "," in line
        cells = _cells(line, comma)
        expected = (columns,) if columns else (2, 3)
        if len(cells) not in expected or "" in cells:
            needed = " or ".join(map(str, expected))
            raise ValueError(
                f"{path}, line {number}: an edge needs {needed} columns (tail, head and perhaps weight) "
                f"between {'commas' if comma else 'spaces'}; got {line!r}"
            )
        header = not columns and _is_header(cells)
        columns = len(cells)
        if header:
            continue
        if columns == 3:
            _check_weight(cells[2], f"{path}, line {number}")
        yield cells


def _is_header(cells: list[str]) -> bool:
    return tuple(cell.lower() for cell in cells[:2]) in HEADERS or (len(cells) == 3 and _number(cells[2]) is None)


def _check_weight(cell: str, where: str) -> None:
    weight = _number(cell)
    if weight is None or not (math.isfinite(weight) and weight > 0):
        raise ValueError(f"{where}: a weight must be a positive finite number; got {cell!r}")


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None
