"""Graphs that are given from Python, by networkx or as topologies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from coolgp.network.graphs.connectivity import require_connected
from coolgp.network.graphs.interchange import from_networkx
from coolgp.network.graphs.topology import Topology

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["Graph", "checked_graph"]

Graph: TypeAlias = "Topology | nx.Graph[Any]"


def checked_graph(graph: Graph, owners: int) -> Topology:
    """A connected graph with a node for each owner, in their order. Raises ValueError where it is none."""
    topology = graph if isinstance(graph, Topology) else from_networkx(graph)
    if topology.size != owners:
        raise ValueError(f"Fusing over a graph needs a node for each of {owners} models; got {topology.size}")
    require_connected(topology)
    return topology
