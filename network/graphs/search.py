"""Searches in a graph, given as a symmetric adjacency matrix [N,N]: distances, orders, the lightest tree."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csgraph, csr_array

from coolgp.network.base.arrays import Array

__all__ = ["breadth_first", "centre", "lightest_tree", "local_order", "longest_path"]

CENTRE_ATTEMPTS = 4


def breadth_first(matrix: csr_array, start: int) -> tuple[Array, Array]:
    """Return each agent's parent [N] (the start is its own) and its depth [N] in hops from the start."""
    order, parent = csgraph.breadth_first_order(matrix, start, directed=True)
    parent[start] = start
    place, depth = np.empty((2, len(parent)), dtype=np.int64)
    place[order] = np.arange(len(order))
    above, levels = place[parent[order[1:]]], [0, 1]
    while levels[-1] < len(order):  # in this order parents ascend: where those of a level end, its children do
        levels.append(1 + int(np.searchsorted(above, levels[-1])))
    depth[order] = np.repeat(np.arange(len(levels) - 1), np.diff(levels))
    return parent, depth


def longest_path(matrix: csr_array) -> int:
    """Return the depth in hops of a second search, from an end of the first: the diameter of a tree, in O(N log N)."""
    return int(breadth_first(matrix, _farthest(matrix, 0))[1].max())


def centre(matrix: csr_array) -> int:
    """Return an agent from which the farthest is near, exactly the centre in a tree, in at most 10 searches.

    Searches from far agents bound each agent's eccentricity from below; the agent of the least bound is searched from,
    and what is farthest from it sharpens the bounds.
    """
    end = _farthest(matrix, 0)
    bound = breadth_first(matrix, end)[1]
    far, best = int(bound.argmax()), (len(bound), end)
    for _ in range(CENTRE_ATTEMPTS):
        bound = np.maximum(bound, breadth_first(matrix, far)[1])
        agent = int(bound.argmin())
        depth = breadth_first(matrix, agent)[1]
        far, best = int(depth.argmax()), min(best, (int(depth.max()), agent))
        if best[0] <= bound.min():
            break  # no agent can be more central
    return best[1]


def local_order(matrix: csr_array) -> Array:
    """Return the agents [N] in an order that keeps neighbours close.

    A tree is walked depth first from agent 0, so that a run of agents is a few whole branches and hangs on the rest by
    few links; other graphs stand in reverse Cuthill-McKee order.
    """
    size = matrix.shape[0]
    if matrix.nnz == 2 * (size - 1):
        order = csgraph.depth_first_order(matrix, 0, directed=True, return_predecessors=False)
        if len(order) == size:  # else it is no tree: there are as many links, but pieces apart
            return np.asarray(order, dtype=np.int64)
    return csgraph.reverse_cuthill_mckee(matrix, symmetric_mode=True).astype(np.int64)


def lightest_tree(tail: Array, head: Array, weight: Array, size: int) -> Array:
    """Return the places [N-1] of the links of a tree of least total weight in the list [L] of links, each once."""
    # Ranks instead of weights: ties then break by the place in the list, hence alike on every machine.
    by_weight = np.argsort(weight, kind="stable")
    rank = np.empty(len(weight))
    rank[by_weight] = np.arange(1, len(weight) + 1)
    ends = tail.astype(np.int32), head.astype(np.int32)  # SciPy before 1.17.1 takes no longer ones here
    chosen = csgraph.minimum_spanning_tree(csr_array((rank, ends), shape=(size, size))).data
    return np.asarray(by_weight[chosen.astype(np.int64) - 1])


def _farthest(matrix: csr_array, start: int) -> int:
    return int(breadth_first(matrix, start)[1].argmax())
