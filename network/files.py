"""Topologies from files: GraphML, and edge lists of two or three columns."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import ParseError

import networkx as nx

from coolgp.network.interchange import from_networkx
from coolgp.network.topology import Topology, from_edges

__all__ = ["read_topology"]

HEADERS = {("tail", "head"), ("source", "target"), ("from", "to"), ("src", "dst"), ("agent", "neighbour")}


def read_topology(path: str | Path) -> Topology:
    """Read a topology from a .graphml file, or from a .csv or .txt edge list.

    An edge list has a line `tail,head` or `tail,head,weight` for each link, with commas or white space between; labels
    are any words. A header line may come first (such as `tail,head` or `source,target`; with three columns, any whose
    third is no number), and `#` starts a comment. Agents come in the order of their labels if all are whole numbers,
    otherwise in the order of first appearance.

    Raises:
        ValueError: if the file is missing, unreadable, of another kind, or wrong in some line (which is named).
    """
    path = Path(path)
    readers = {".graphml": _read_graphml, ".csv": _read_edges, ".txt": _read_edges, ".edges": _read_edges}
    if path.suffix.lower() not in readers:
        raise ValueError(f"A topology file must end in {', '.join(readers)}; got {path}")
    if not path.is_file():
        raise ValueError(f"There is no topology file {path} (looked in {path.absolute().parent})")
    try:
        return readers[path.suffix.lower()](path)
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"The topology file {path} cannot be read as text: {error}") from error


def _read_graphml(path: Path) -> Topology:
    try:
        graph = nx.read_graphml(path)
    except (nx.NetworkXException, ParseError, KeyError) as error:
        raise ValueError(f"The topology file {path} is not valid GraphML: {error}") from error
    if not len(graph):
        raise ValueError(f"The topology file {path} has no nodes")
    return from_networkx(graph)


def _read_edges(path: Path) -> Topology:
    text = path.read_text(encoding="utf-8-sig")
    rows = list(_rows(text, path))
    if not rows:
        raise ValueError(
            f"The topology file {path} has no edges; it needs lines such as: tail,head or tail,head,weight"
        )
    weighted = len(rows[0]) == 3
    found = dict.fromkeys(label for row in rows for label in row[:2])
    labels = sorted(found, key=int) if all(label.isdecimal() for label in found) else list(found)
    index = {label: i for i, label in enumerate(labels)}
    return from_edges(
        tail=[index[row[0]] for row in rows],
        head=[index[row[1]] for row in rows],
        size=len(labels),
        weight=[float(row[2]) for row in rows] if weighted else None,
        labels=labels,
    )


def _rows(text: str, path: Path) -> Iterator[list[str]]:
    """Cells of each edge line, checked; the first line decides the delimiter and the number of columns."""
    comma, columns = False, 0
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.split("#", 1)[0].strip()
        if not line:
            continue
        comma = comma if columns else "," in line
        cells = [cell.strip().strip('"') for cell in (line.split(",") if comma else line.split())]
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
