"""How much of what agents send crosses from rank to rank, and from node to node; ranks fill one node after another.

Of a graph that is too large to be built here two smaller ones of its kind tell: the share of links that cross follows a
power of the number of agents (0 for random graphs, -1/2 on a map, -1 on a ring).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace

import numpy as np

from coolgp.network.base.arrays import Array
from coolgp.network.graphs.topology import Topology
from coolgp.network.partition import MOST_BLOCKS, block_count, partition
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.planning.shape import Shape, most_agents, network_of

__all__ = ["Crossing", "Links", "crossing", "links_of"]

MOST_AGENTS, MOST_LINKS = 60_000, 1_000_000
"""The graph of a run is built up to this size, which takes seconds."""
SMALLER = 4
"""So many times smaller is the second graph, where the first has to be smaller than that of the run."""


@dataclass(frozen=True)
class Crossing:
    """What crosses of one dealing of agents to ranks; all but the last as a share of the directed links in use.

    ranks, nodes: links between two ranks, and between two nodes. once_ranks, once_nodes: the rows that cross where a
    row goes to each rank once, however many of its agents want it. busiest: links that leave the node that most leave.
    partners: other ranks that a rank exchanges messages with, at most.
    """

    ranks: float
    nodes: float
    once_ranks: float
    once_nodes: float
    busiest: float
    partners: float


@dataclass(frozen=True)
class Links:
    """The links in use of a run of so many agents, or of smaller ones of its kind, the largest first."""

    agents: int
    graphs: tuple[Topology, ...]
    method: str

    def crossing(self, ranks: int, ranks_per_node: int) -> Crossing:
        """What crosses where the agents are dealt to so many ranks, so many of them to a node."""
        large, *small = (
            crossing(graph, ranks, ranks_per_node, self.method)
            for graph in self.graphs
            if graph is self.graphs[0] or block_count(graph.size) >= ranks
        )
        return _continued(large, small[0], self.agents / self.graphs[0].size) if small else large


def links_of(scenario: Scenario, shape: Shape, dataset: Dataset | None = None) -> Links:
    """The links of a run; where they are too many to be built here, those of two smaller graphs of its kind."""
    most = most_agents(shape, MOST_AGENTS, MOST_LINKS)
    sizes = (shape.agents,) if shape.agents <= most else (most, most // SMALLER)
    rows = dataset if sizes[0] == shape.agents else None
    graphs = tuple(network_of(scenario, shape.agents, rows, most=size).plan.links for size in sizes)
    return Links(shape.agents, graphs, scenario.network.partition)


def crossing(links: Topology, ranks: int, ranks_per_node: int, method: str = "contiguous") -> Crossing:
    """What crosses of a graph; on fewer ranks where it has fewer blocks of agents than ranks.

    >>> from coolgp.network.graphs.plain_graphs import ring
    >>> crossing(ring(16, 0), ranks=4, ranks_per_node=2)
    Crossing(ranks=0.375, nodes=0.125, once_ranks=0.375, once_nodes=0.125, busiest=0.0625, partners=2.0)
    """
    count = min(ranks, block_count(links.size))
    owner = partition(links, count, method)
    leave, enter = owner[links.tail], owner[links.indices]
    away = leave != enter
    nodes = np.arange(count) * ranks // count // ranks_per_node
    far = nodes[leave] != nodes[enter]
    pairs = np.unique(leave[away] * count + enter[away])
    every = max(1, len(leave))
    return Crossing(
        ranks=float(away.sum() / every),
        nodes=float(far.sum() / every),
        once_ranks=_once(links, enter, away) / every,
        once_nodes=_once(links, enter, far) / every,
        busiest=float(np.bincount(nodes[leave[far]], minlength=1).max() / every),
        partners=float(np.bincount(pairs // count, minlength=1).max()),
    )


def _once(links: Topology, enter: Array, chosen: Array) -> int:
    """How many different pairs of an agent and a rank the chosen links join; enter: the rank of each link's head."""
    return len(np.unique(links.tail[chosen] * MOST_BLOCKS + enter[chosen]))


def _continued(large: Crossing, small: Crossing, times: float) -> Crossing:
    """The shares in a graph with so many times more agents than the larger of two, by the power that joins these."""

    def share(here: float, before: float) -> float:
        if not 0 < here < before:
            return here
        return here * float(times ** -min(1.0, math.log(before / here) / math.log(SMALLER)))

    shares = {name: share(value, asdict(small)[name]) for name, value in asdict(large).items()}
    return replace(large, **(shares | {"partners": large.partners}))
