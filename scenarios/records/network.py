"""A sample of a large network: the part of the graph that a run of very many agents stores, and that is drawn.

It has the agents around the centre of the spanning tree, and the paths from there to the probes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csgraph, csr_array

from coolgp.network.graphs.search import centre
from coolgp.network.graphs.topology import Topology, from_edges
from coolgp.scenarios.base.arrays import Bools, Ints

__all__ = ["RECORDED_AGENTS", "Network", "NetworkSize", "Search", "pairs", "sample", "search_from_centre"]

RECORDED_AGENTS = 20_000
"""Of more agents than these a run folder stores a sample of the network."""
SAMPLED_AGENTS = 1500
"""Fewer than could be drawn: in a part of a graph the eye looks for its structure."""


@dataclass(frozen=True)
class NetworkSize:
    """The size of a network of which a sample is stored; spoken: links that the rule exchanged messages over."""

    agents: int
    links: int
    spoken: int


@dataclass(frozen=True)
class Network:
    """The graph of all agents or of a sample, the links that the rule exchanged messages over, and the probes."""

    graph: Topology
    links: Topology
    probes: Ints
    """`[probes]`, places in the graph."""
    total: NetworkSize | None = None
    """The size of the network that this is a sample of; None where this is all of it."""

    @property
    def agents(self) -> int:
        """Agents in all."""
        return self.total.agents if self.total else self.graph.size

    @property
    def link_count(self) -> int:
        """Links in all."""
        return self.total.links if self.total else self.graph.edge_count

    @property
    def spoken_count(self) -> int:
        """Links in all that the rule spoke over."""
        return self.total.spoken if self.total else self.links.edge_count


@dataclass(frozen=True)
class Search:
    """A breadth-first tree over all agents, under a hub N that is added above the root (the roots, if in pieces)."""

    order: Ints
    """`[N]`, agents as they were found."""
    parent: Ints
    """`[N+1]`, the agent, or hub, that each was found from; the hub is its own."""
    pieces: int

    def depth(self) -> Ints:
        """Return the hops `[N]` from the root; from the hub where there are several."""
        hub, jump = len(self.parent) - 1, self.parent
        depth = (jump != np.arange(hub + 1)).astype(np.int64)
        while (jump != hub).any():  # jumps of 1, 2, 4, ... levels
            depth, jump = depth + depth[jump], jump[jump]
        hops: Ints = depth[:-1] - (self.pieces == 1)
        return hops


def search_from_centre(graph: Topology) -> Search:
    """Search from the centre; where the graph is in pieces, from the first agent of each."""
    matrix, hub = graph.matrix(), graph.size
    if len(csgraph.breadth_first_order(matrix, 0, return_predecessors=False)) < hub:
        return _search_of_pieces(graph)
    root = centre(matrix)
    order, parent = csgraph.breadth_first_order(matrix, root)
    parent[root] = hub
    return Search(order.astype(np.int64), np.append(parent, hub).astype(np.int64), 1)


def _search_of_pieces(graph: Topology) -> Search:
    """Search from the first agent of each piece, all at once from the hub."""
    hub = graph.size
    pieces, piece = csgraph.connected_components(graph.matrix(), directed=False)
    roots = np.unique(piece, return_index=True)[1]
    ends = np.concatenate([pairs(graph), np.stack([np.full(pieces, hub), roots], axis=1)])
    places = ends.astype(np.int32).T
    joined = csr_array((np.ones(len(ends)), (places[0], places[1])), shape=(hub + 1, hub + 1))
    order, parent = csgraph.breadth_first_order(joined, hub, directed=False)
    parent[hub] = hub
    return Search(order[1:].astype(np.int64), parent.astype(np.int64), int(pieces))


def sample(network: Network, most: int) -> tuple[Network, Ints]:
    """Take the agents nearest to the tree's centre, the probes, and the paths to them, if there are more than `most`.

    Returns the sample, and which agents `[N']` of the network it has, ascending.
    """
    size = network.graph.size
    if size <= most:
        return network, np.arange(size)
    search = search_from_centre(network.links if network.links.edge_count else network.graph)
    keep = np.zeros(size + 1, dtype=bool)
    keep[_nearest(search.depth(), SAMPLED_AGENTS)] = keep[size] = True
    ahead = network.probes
    while not keep[ahead].all():
        keep[ahead] = True
        ahead = search.parent[ahead]
    keep, new = keep[:size], np.cumsum(keep) - 1
    total = NetworkSize(network.agents, network.link_count, network.spoken_count)
    sampled = Network(_subgraph(network.graph, keep), _subgraph(network.links, keep), new[network.probes], total)
    return sampled, np.flatnonzero(keep)


def _nearest(depth: Ints, count: int) -> Ints:
    """Return the `count` agents of least depth `[N]`, of the last depth some at random."""
    last = int(np.searchsorted(np.cumsum(np.bincount(depth)), count))
    near, rest = np.flatnonzero(depth < last), np.flatnonzero(depth == last)
    return np.concatenate([near, np.random.default_rng(0).permutation(rest)[: count - len(near)]])


def _subgraph(graph: Topology, keep: Bools) -> Topology:
    new, links = np.cumsum(keep) - 1, pairs(graph)
    inside = new[links[keep[links].all(axis=1)]]
    subgraph = from_edges(inside[:, 0], inside[:, 1], int(keep.sum()))
    return subgraph if graph.position is None else replace(subgraph, position=graph.position[keep])


def pairs(graph: Topology) -> Ints:
    """Return each link once `[L,2]`."""
    once = graph.tail < graph.indices
    return np.stack([graph.tail[once], graph.indices[once]], axis=1)
