"""Topologies from files: GraphML, and edge lists; of links that come and go where they name rounds."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError

import numpy as np

from coolgp.network.graphs.edge_lists import edge_rows, is_timed, timed_rows
from coolgp.network.graphs.interchange import from_networkx
from coolgp.network.graphs.schedule import Schedule, scheduled
from coolgp.network.graphs.topology import Topology, from_edges

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["names_rounds", "read_schedule", "read_topology"]

Reader = Callable[[Path], "nx.Graph[Any]"]

_MOST_DIGITS = 15
_STRANGE = (LookupError, ValueError, TypeError, AttributeError, RecursionError, OverflowError, AssertionError)
"""What networkx's readers raise besides, where a file is not as they expect."""
SUFFIXES = (".graphml", ".csv", ".txt", ".edges", ".edgelist", ".gml")


def read_topology(path: str | Path) -> Topology:
    """Read a topology from a .graphml or .gml file, or from an edge list (.csv, .txt, .edges, .edgelist).

    An edge list has a line `tail,head` or `tail,head,weight` for each link, with commas or white space between; labels
    are any words, in double quotes where they hold commas or spaces. The dictionary that networkx writes behind a link
    is read for its `weight`. A header line may come first (such as `tail,head` or `source,target`; with three columns,
    any whose third is no number and whose labels do not come again), and `#` starts a comment where a line starts or
    after a space. Of GraphML the defaults of `weight` and positions count. Agents come in the order of their labels if
    all are whole numbers, otherwise in the order of first appearance. Of a list that names rounds (`read_schedule`)
    the union is returned.

    Raises:
        ValueError: if the file is missing, unreadable, of another kind, or wrong in some line (which is named).
    """
    path, text = Path(path), _text(path)
    reader = GRAPH_READERS.get(path.suffix.lower())
    if reader:
        return _graph(path, reader)
    return read_schedule(path)[0] if is_timed(text) else _edges(text, path)


def names_rounds(path: str | Path) -> bool:
    """Return whether a topology file is an edge list for `read_schedule`; raises as `read_topology`."""
    return Path(path).suffix.lower() not in GRAPH_READERS and is_timed(_text(path))


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
    if not is_timed(text):
        raise ValueError(f"The topology file {path} names no rounds; its first line must be: round,tail,head")
    rows = list(timed_rows(text, path))
    if not rows:
        raise ValueError(f"The topology file {path} has no edges; it needs lines such as: 1,tail,head")
    labels, index = _numbered([row[1:] for row in rows])
    rounds = np.array([int(row[0]) for row in rows]) - 1
    links = np.array([[index[row[1]], index[row[2]]] for row in rows])
    since = np.unique(rounds)
    return scheduled(since.tolist(), [links[rounds == turn] for turn in since], len(labels), labels=labels)


def _text(path: str | Path) -> str:
    """The text of a topology file; empty where a reader of networkx opens it."""
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"A topology file must end in {', '.join(SUFFIXES)}; got {path}")
    if not path.is_file():
        raise ValueError(f"There is no topology file {path} (looked in {path.absolute().parent})")
    try:
        return "" if path.suffix.lower() in GRAPH_READERS else path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"The topology file {path} cannot be read as text: {error}") from error


def _graph(path: Path, reader: Reader) -> Topology:
    import networkx as nx  # it takes a tenth of a second: for files that it reads

    try:
        graph = reader(path)
    except OSError as error:
        raise ValueError(f"The topology file {path} cannot be read as text: {error}") from error
    except (nx.NetworkXException, ParseError, *_STRANGE) as error:
        kind = "GraphML" if path.suffix.lower() == ".graphml" else "GML"
        raise ValueError(f"The topology file {path} is not valid {kind}: {error}") from error
    if not len(graph):
        raise ValueError(f"The topology file {path} has no nodes")
    try:
        return from_networkx(graph)
    except ValueError as error:
        raise ValueError(f"The topology file {path}: {error}") from error


def _graphml(path: Path) -> nx.Graph[Any]:
    """The graph, with the defaults that its keys declare: networkx keeps them apart."""
    import networkx as nx

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of keys without a type: texts that are numbers are read as such
        graph: nx.Graph[Any] = nx.read_graphml(path)
    for name, default in graph.graph.get("node_default", {}).items():
        nx.set_node_attributes(graph, {n: kept.get(name, default) for n, kept in graph.nodes(data=True)}, name)
    for name, default in graph.graph.get("edge_default", {}).items():
        for *_, kept in graph.edges(data=True):
            kept.setdefault(name, default)
    return graph


def _gml(path: Path) -> nx.Graph[Any]:
    """The graph by its nodes' labels, or by their numbers where they have none."""
    import networkx as nx

    try:
        return nx.read_gml(path)
    except nx.NetworkXError as error:
        if "label" not in str(error):
            raise
        return nx.read_gml(path, label="id")


GRAPH_READERS: dict[str, Reader] = {".graphml": _graphml, ".gml": _gml}
"""Formats of whole graphs, by suffix; all others are edge lists."""


def _edges(text: str, path: Path) -> Topology:
    rows = edge_rows(text, path)
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
    labels = (
        sorted(names, key=int)
        if all(label.isdecimal() and len(label) <= _MOST_DIGITS for label in names)
        else list(names)
    )
    return labels, {label: i for i, label in enumerate(labels)}
