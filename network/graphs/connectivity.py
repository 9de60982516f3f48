"""Connectivity of a topology: its components, a spanning tree, its diameter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import csgraph

from coolgp.network.graphs.search import longest_path
from coolgp.network.graphs.topology import Topology

__all__ = [
    "LARGEST_EXACT_DIAMETER",
    "components",
    "diameter",
    "diameter_at_most",
    "require_connected",
    "spanning_tree",
]

LARGEST_EXACT_DIAMETER = 2000  # agents; the distances between all pairs then take 32 MB


def components(topology: Topology) -> int:
    """Return the number of connected components."""
    return int(topology.component.max()) + 1


def require_connected(topology: Topology, purpose: str = "Fusion") -> None:
    """Raise a ValueError that names the components unless the graph is connected."""
    count = components(topology)
    if count > 1:
        sizes = np.sort(np.bincount(topology.component))[::-1]
        shown = ", ".join(map(str, sizes[:8])) + (", ..." if count > 8 else "")
        raise ValueError(
            f"{purpose} needs a connected graph; this one has {count} components (sizes {shown}): "
            "add edges between them, or simulate each component by itself"
        )


def spanning_tree(topology: Topology) -> Topology:
    """Return a spanning tree: of least total weight, or without weights the shallow one that grows from the centre.

    Without weights the centre is found approximately by a few breadth-first searches (exactly in a tree), so the tree's
    diameter is close to the least possible. Weights, positions and labels stay.

    Raises:
        ValueError: if the graph is not connected.
    """
    require_connected(topology, "A spanning tree")
    return topology.tree


def diameter(topology: Topology) -> int:
    """Return the longest distance between two agents in hops, exactly.

    Two searches on a tree, all pairs otherwise.

    Raises:
        ValueError: if the graph is not connected, or is no tree and has more than 2000 agents.
    """
    require_connected(topology, "The diameter")
    if topology.edge_count == topology.size - 1:
        return longest_path(topology.matrix())
    if topology.size > LARGEST_EXACT_DIAMETER:
        raise ValueError(
            f"The exact diameter of a graph with cycles needs at most {LARGEST_EXACT_DIAMETER} agents; this one has "
            f"{topology.size}: use diameter_at_most, or the diameter of a spanning tree"
        )
    return int(csgraph.shortest_path(topology.matrix(), unweighted=True).max())


def diameter_at_most(topology: Topology) -> int:
    """Return an upper bound of the diameter in O(E): that of the shallow spanning tree. Raises as `spanning_tree`."""
    return diameter(spanning_tree(replace(topology, weight=None)))
