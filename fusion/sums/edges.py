"""Sums of rows that arrived on edges, in an order that does not depend on ranks, and the diameter in hops."""

from __future__ import annotations

import numpy as np

from coolgp.network.base.arrays import Array
from coolgp.network.graphs.connectivity import LARGEST_EXACT_DIAMETER, diameter, diameter_at_most
from coolgp.network.graphs.topology import Topology

__all__ = ["add_rows", "furthest"]


def add_rows(target: Array, places: Array, rows: Array) -> None:
    """``target[places] += rows`` where places ``[K]`` ascend and may repeat, one after another in their order.

    >>> sums = np.zeros((2, 1))
    >>> add_rows(sums, np.array([0, 0, 1]), np.array([[1.0], [2.0], [5.0]]))
    >>> sums[:, 0].tolist()
    [3.0, 5.0]
    """
    first = np.flatnonzero(np.append(True, places[1:] != places[:-1])[: len(places)])
    count = np.diff(np.append(first, len(places)))
    for turn in range(int(count.max(initial=0))):
        first = first[count > turn]
        count = count[count > turn]
        target[places[first]] += rows[first + turn]


def furthest(topology: Topology) -> int:
    """The diameter in hops, or an upper bound of it where the graph is too large for the exact one.

    Raises ValueError where the graph is not connected.
    """
    tree = topology.edge_count == topology.size - 1
    exact = tree or topology.size <= LARGEST_EXACT_DIAMETER
    return diameter(topology) if exact else diameter_at_most(topology)
