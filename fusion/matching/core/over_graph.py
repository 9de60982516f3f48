"""Matching without anybody who sees all models: owners talk to their neighbours alone.

Matches are merged along a spanning tree, children first, and a token walks along it; where owners add up rows of
numbers, messages along the same tree do. Any other rule that sums rows could.
"""

from __future__ import annotations

from scipy.sparse.csgraph import breadth_first_order

from coolgp.agents.base.arrays import Array
from coolgp.fusion.sums.tree import Tree
from coolgp.network.graphs.topology import Topology
from coolgp.network.serial import SerialTransport

__all__ = ["summed", "tree_parents"]


def tree_parents(topology: Topology) -> list[int]:
    """Parents ``[J]`` in the tree that rules send messages over, -1 for node 0, its root."""
    _, parents = breadth_first_order(Tree().links(topology).matrix(), 0, directed=False)
    return [-1, *parents[1:].tolist()]


def summed(rows: Array, topology: Topology) -> Array:
    """The sum ``[P]`` of the owners' rows ``[J, P]`` that message passing on a spanning tree gives everybody."""
    rule = Tree()
    transport = SerialTransport(rule.links(topology))
    dealt = rows[transport.shard.agents]
    total: Array = rule.sums(rule.settle(rule.begin(dealt, transport), dealt, transport))[0]
    return total
