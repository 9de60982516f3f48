"""Breadth-first searches in a connected graph, given as a symmetric adjacency matrix [N,N]."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csgraph, csr_array

__all__ = ["Array", "breadth_first", "centre", "longest_path"]

Array: TypeAlias = NDArray[Any]

CENTRE_ATTEMPTS = 4


def breadth_first(matrix: csr_array, start: int) -> tuple[Array, Array]:
    """Return each agent's parent [N] (the start is its own) and its depth [N] in hops from the start."""
    _, parent = csgraph.breadth_first_order(matrix, start, directed=True)
    parent[start] = start
    depth, jump = (parent != np.arange(len(parent))).astype(np.int64), parent
    while (jump != start).any():  # pointer doubling: jumps of 1, 2, 4, ... levels
        depth, jump = depth + depth[jump], jump[jump]
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


def _farthest(matrix: csr_array, start: int) -> int:
    return int(breadth_first(matrix, start)[1].argmax())
