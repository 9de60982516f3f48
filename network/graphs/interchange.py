"""Topologies from networkx graphs, and back."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from coolgp.network.base.arrays import Array
from coolgp.network.graphs.topology import Topology, from_edges

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["from_networkx", "to_networkx"]


def from_networkx(graph: nx.Graph[Any]) -> Topology:
    """Build a topology from a networkx graph.

    Nodes keep their order and become labels (`str`). Arcs in either direction and parallel edges become one link, self
    loops none. The edge attribute `weight` is read if present, and the node attributes `pos`, or `x` and `y`.

    Raises:
        ValueError: if the graph is empty, only some edges have a weight, or only some nodes a position.
    """
    index: dict[Hashable, int] = {node: i for i, node in enumerate(graph)}
    links: list[tuple[Any, Any, Any]] = list(graph.edges(data="weight"))
    tail, head = [index[link[0]] for link in links], [index[link[1]] for link in links]
    weight = _all_or_none([link[2] for link in links], "edges", "weight")
    places = [(n.get("x"), n.get("y")) if n.get("pos") is None else n["pos"] for _, n in graph.nodes(data=True)]
    position = _all_or_none(list(map(_place, places)), "nodes", "position")
    return from_edges(tail, head, len(index), weight, position, labels=index)  # type: ignore[arg-type]


def _place(position: Any) -> tuple[Any, ...] | None:
    """Two coordinates, None where one is missing. Raises ValueError for anything else."""
    if isinstance(position, str) or not isinstance(position, Iterable):
        raise ValueError(f"The position of a node must be two numbers; got {position!r:.60}")
    place = tuple(position)
    if any(value is None for value in place):
        return None
    if len(place) != 2:
        raise ValueError(f"The position of a node must be two numbers; got {place!r:.60}")
    return place


def _all_or_none(values: list[Any], what: str, attribute: str) -> Array | None:
    missing = sum(value is None for value in values)
    if missing == len(values):
        return None
    if missing:
        raise ValueError(f"All {what} need a {attribute}, or none: {missing} of {len(values)} have none")
    try:
        return np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"The {attribute} of all {what} must be numbers ({error})") from error


def to_networkx(topology: Topology) -> nx.Graph[Any]:
    """Return a networkx graph of the agents' labels (else 0, 1, ...), with `weight`, and `x` and `y`, where known."""
    import networkx as nx  # it takes a tenth of a second, and a run needs none of it

    nodes: Sequence[Hashable] = range(topology.size) if topology.labels is None else topology.labels
    graph: nx.Graph[Any] = nx.Graph()
    graph.add_nodes_from(nodes)
    if topology.position is not None:
        graph.add_nodes_from((n, {"x": x, "y": y}) for n, (x, y) in zip(nodes, topology.position.tolist(), strict=True))
    tail, once = topology.tail, topology.tail < topology.indices
    graph.add_edges_from((nodes[i], nodes[j]) for i, j in np.stack([tail[once], topology.indices[once]], 1).tolist())
    if topology.weight is not None:
        lengths = topology.weight[once].tolist()
        pairs = np.stack([tail[once], topology.indices[once]], 1).tolist()
        graph.add_weighted_edges_from((nodes[i], nodes[j], w) for (i, j), w in zip(pairs, lengths, strict=True))
    return graph
