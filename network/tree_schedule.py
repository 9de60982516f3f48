"""The round in which each agent of a tree can send on each of its edges: once it has received on all others.

Agents that send as soon as they can need no schedule; the simulator does, to move rounds at once, so its computation is
not metered.

Axes: `A` agents on this rank, `E` directed edges that leave them, `G` agents among them, `K` edges.
"""

from __future__ import annotations

import numpy as np

from coolgp.network.base.arrays import Array
from coolgp.network.route import ranges
from coolgp.network.shard import Shard
from coolgp.network.transport import Transport

__all__ = ["schedule_tree"]


def schedule_tree(transport: Transport) -> tuple[Array, Array, int]:
    """Return the round in which each directed edge [E] of a tree is ready, that of its other end, and their number.

    Rounds count from 1. In O(E log E), besides an exchange between ranks for each time that a path of the tree crosses
    them. Collective.

    Raises:
        ValueError: if the graph has a cycle: on it all agents wait for one another.
    """
    shard = transport.shard
    search = _Search(shard)
    border = transport.route(shard.reverse < 0)
    agents = np.arange(len(shard.agents))
    while True:
        search.follow(agents)
        arrived = transport.inform(search.ready[border.edges], border)
        news = border.arrivals[arrived != search.heard[border.arrivals]]
        if not transport.total(np.array([len(news)]))[0]:
            break
        search.heard[border.arrivals] = arrived
        agents = search.hear(news)
    edges_by_round = transport.total(np.bincount(search.ready, minlength=shard.size))
    if edges_by_round[0]:
        raise ValueError("a tree sum needs a tree; this graph has a cycle: take its spanning tree first")
    return search.ready, search.heard, int(np.flatnonzero(edges_by_round).max(initial=0))


class _Search:
    """What is known of the rounds on one rank.

    ready, heard: ``[E]`` the round in which each edge is ready, and that of its other end; 0: not known.
    silent: ``[A]`` neighbours of which that is not known. start: ``[A]`` where each agent's edges begin.
    """

    def __init__(self, shard: Shard) -> None:
        self.tail, self.reverse = shard.tail, shard.reverse
        self.ready, self.heard = np.zeros((2, len(shard.tail)), dtype=np.int64)
        self.degree = np.bincount(shard.tail, minlength=len(shard.agents))
        self.start = np.cumsum(self.degree) - self.degree
        self.silent = self.degree.copy()

    def hear(self, slots: Array) -> Array:
        """Note that the rounds of the other ends of edges ``[K]`` are known; return the agents ``[G]`` concerned."""
        agents, count = np.unique(self.tail[slots], return_counts=True)
        self.silent[agents] -= count
        return np.asarray(agents)

    def follow(self, agents: Array) -> None:
        """Find all that follows on this rank from what is new to these agents ``[G]``."""
        while len(agents):
            edges = self._settle(agents[(self.silent[agents] <= 1) & (self.degree[agents] > 0)])
            slots = self.reverse[edges]
            near = slots >= 0
            self.heard[slots[near]] = self.ready[edges[near]]
            agents = self.hear(slots[near])

    def _settle(self, agents: Array) -> Array:
        """The edges ``[K]`` that become ready: to the last silent neighbour of an agent, or all once none is silent."""
        degree = self.degree[agents]
        edges = ranges(self.start[agents], degree)
        heard, silent = self.heard[edges], np.repeat(self.silent[agents], degree)
        new = (self.ready[edges] == 0) & ((silent == 0) | (heard == 0))
        self.ready[edges[new]] = 1 + _latest_other(heard, np.cumsum(degree) - degree, degree)[new]
        return np.asarray(edges[new])


def _latest_other(heard: Array, first: Array, count: Array) -> Array:
    """For each of the numbers ``[K]`` the largest other one of its group; groups begin at `first` and hold `count`."""
    largest = np.repeat(np.maximum.reduceat(heard, first), count)
    places = np.arange(len(heard))
    at = np.minimum.reduceat(np.where(heard == largest, places, len(heard)), first)
    rest = heard.copy()
    rest[at] = 0
    largest[at] = np.maximum.reduceat(rest, first)
    return np.asarray(largest)
