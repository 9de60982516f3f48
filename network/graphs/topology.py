"""`Topology`: the links between agents as compressed sparse rows.

Axes: `N` agents in all, `E_all` directed edges in all (each undirected link counts twice).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csgraph, csr_array

from coolgp.network.base.arrays import Array
from coolgp.network.graphs.search import breadth_first, centre, lightest_tree, local_order

__all__ = ["Topology", "from_edges"]


@dataclass(frozen=True, eq=False)
class Topology:
    """An undirected graph of agents: symmetric, without self loops or double edges.

    Build it with `from_edges`, `from_networkx`, `generate` or `read_topology`, which ensure this.

    Attributes:
        indptr: [N+1] int64, where each agent's row begins in `indices`.
        indices: [E_all] int64, the neighbours, ascending in each row.
        weight: [E_all] the length of each link (smaller is nearer), equal in both directions; or None.
        position: [N,2] where each agent is, or None.
        labels: the agents' own names, or None for "0", "1", ...

    Raises:
        ValueError: if the shapes do not belong together.

    >>> triangle = from_edges([0, 1, 2], [1, 2, 0], size=3)
    >>> triangle.size, triangle.edge_count, triangle.degree.tolist()
    (3, 3, [2, 2, 2])
    """

    indptr: Array
    indices: Array
    weight: Array | None = None
    position: Array | None = None
    labels: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError("A topology needs at least one agent; got none")
        for name, value, shape in (
            ("indices", self.indices, (int(self.indptr[-1]),)),
            ("weight", self.weight, self.indices.shape),
            ("position", self.position, (self.size, 2)),
        ):
            if value is not None and value.shape != shape:
                raise ValueError(
                    f"A topology of {self.size} agents needs {name} {list(shape)}; got {list(value.shape)}"
                )
        if self.position is not None and not np.isfinite(self.position).all():
            odd = np.flatnonzero(~np.isfinite(self.position).all(axis=1)).tolist()
            raise ValueError(
                f"Positions must be finite; those of {len(odd)} of {self.size} agents are not, first of agent {odd[0]}"
            )
        if self.labels is not None and len(set(self.labels)) != self.size:
            raise ValueError(f"{self.size} agents need as many different labels; got {len(set(self.labels))}")

    @property
    def size(self) -> int:
        """N, the number of agents."""
        return len(self.indptr) - 1

    @property
    def degree(self) -> Array:
        """[N] the number of neighbours."""
        return np.diff(self.indptr)

    @property
    def edge_count(self) -> int:
        """The number of undirected links, `E_all / 2`."""
        return len(self.indices) // 2

    @property
    def tail(self) -> Array:
        """[E_all] the agent from which each directed edge leaves; `indices` holds where it goes."""
        return np.repeat(np.arange(self.size), self.degree)

    @cached_property
    def component(self) -> Array:
        """[N] the number of the connected component of each agent, from 0; not to be written to."""
        return np.asarray(csgraph.connected_components(self.matrix(), directed=False)[1])

    @cached_property
    def tree(self) -> Topology:
        """A spanning tree of a connected graph, see `coolgp.network.graphs.connectivity.spanning_tree`."""
        return _grown(self) if self.weight is None else _lightest(self, self.weight)

    @cached_property
    def order(self) -> Array:
        """[N] the agents in an order that keeps neighbours close; not to be written to."""
        order = local_order(self.matrix())
        order.flags.writeable = False
        return order

    @property
    def names(self) -> tuple[str, ...]:
        """The labels, or "0", "1", ... where the agents have none."""
        return self.labels if self.labels is not None else tuple(map(str, range(self.size)))

    def matrix(self) -> csr_array:
        """Return the adjacency matrix [N,N] of ones, with the short indices that all of SciPy's searches take."""
        places, starts = self.indices.astype(np.int32), self.indptr.astype(np.int32)
        return csr_array((np.ones(len(places)), places, starts), shape=(self.size, self.size))

    def arranged(self, labels: Sequence[str]) -> Topology:
        """Return the same graph with its agents in the order of the given labels.

        Raises:
            ValueError: if the labels are not exactly those of this graph.
        """
        index = {name: i for i, name in enumerate(self.names)}
        missing, extra = [x for x in labels if x not in index], sorted(set(index) - set(labels))
        if missing or extra or len(labels) != self.size:
            raise ValueError(
                f"The graph must have exactly the agents of the data: {len(labels)} agent ids came "
                f"({len(set(labels))} different) for a graph of {self.size} nodes; "
                f"not in the graph: {_some(missing)}; only in the graph: {_some(extra)}"
            )
        old = np.array([index[x] for x in labels])
        new = np.empty_like(old)
        new[old] = np.arange(self.size)
        position = None if self.position is None else self.position[old]
        return from_edges(new[self.tail], new[self.indices], self.size, self.weight, position, labels)


def _some(names: Sequence[str], limit: int = 5) -> str:
    rest = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(map(repr, names[:limit])) + rest if names else "none"


def from_edges(
    tail: ArrayLike,
    head: ArrayLike,
    size: int,
    weight: ArrayLike | None = None,
    position: ArrayLike | None = None,
    labels: Iterable[str] | None = None,
) -> Topology:
    """Build a topology of `size` agents from a list of links.

    A link may come in one direction, in both or repeatedly: it counts once. Self loops are left out.

    Args:
        tail: [L] agents in [0, size).
        head: [L] agents in [0, size).
        size: N.
        weight: [L] lengths of the links, positive; the same for each repetition of a link.
        position: [N,2].
        labels: N different names.

    Raises:
        ValueError: if an agent is out of range, a weight is not positive and finite, or two weights of a link differ.
    """
    ends = np.stack([np.asarray(tail, dtype=np.int64).ravel(), np.asarray(head, dtype=np.int64).ravel()])
    if ends.size and not (ends.min() >= 0 and ends.max() < size):
        raise ValueError(f"Edges need agents in [0, {size}); got agents from {ends.min()} to {ends.max()}")
    keep = ends[0] != ends[1]
    low, high = ends.min(axis=0)[keep], ends.max(axis=0)[keep]
    key, first, inverse = np.unique(low * size + high, return_index=True, return_inverse=True)
    length = None if weight is None else _lengths(np.asarray(weight, dtype=np.float64), keep, first, inverse)
    low, high = np.divmod(key, size)
    tails, heads = np.concatenate([low, high]), np.concatenate([high, low])
    order = np.argsort(tails * size + heads)
    return Topology(
        indptr=np.concatenate([[0], np.cumsum(np.bincount(tails, minlength=size))]).astype(np.int64),
        indices=heads[order],
        weight=None if length is None else np.concatenate([length, length])[order],
        position=None if position is None else np.asarray(position, dtype=np.float64),
        labels=None if labels is None else tuple(map(str, labels)),
    )


def _lengths(weight: Array, keep: Array, first: Array, inverse: Array) -> Array:
    if weight.shape != keep.shape:
        raise ValueError(f"{len(keep)} edges need as many weights; got shape {list(weight.shape)}")
    if not (np.isfinite(weight) & (weight > 0)).all():
        worst = weight[~(np.isfinite(weight) & (weight > 0))][0]
        raise ValueError(f"Edge weights must be positive and finite; got {worst}")
    lengths = weight[keep]
    if (lengths != lengths[first][inverse]).any():
        raise ValueError("A link that comes twice must have the same weight each time; give each link one weight")
    return lengths[first]


def _grown(topology: Topology) -> Topology:
    child = np.arange(topology.size)
    parent = breadth_first(topology.matrix(), centre(topology.matrix()))[0]
    child, parent = child[parent != child], parent[parent != child]
    return from_edges(child, parent, topology.size, None, topology.position, topology.labels)


def _lightest(topology: Topology, weight: Array) -> Topology:
    once = topology.tail < topology.indices
    tail, head, weight = topology.tail[once], topology.indices[once], weight[once]
    edge = lightest_tree(tail, head, weight, topology.size)
    return from_edges(tail[edge], head[edge], topology.size, weight[edge], topology.position, topology.labels)
