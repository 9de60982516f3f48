"""`Shard`: the part of the graph on one rank; `coolgp.network.sharding` computes it.

Axes: `N` agents in all, `A` agents on this rank, `H` halo agents (neighbours on other ranks), `E` directed edges that
leave this rank's agents.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from coolgp.network.base.arrays import Array

__all__ = ["Shard"]


@dataclass(frozen=True, eq=False)
class Shard:
    """One rank's agents, edges and halo.

    Attributes:
        size: N.
        agents: [A] global ids, in the locality order.
        tail: [E] local index in [0, A) of the agent that the edge leaves, ascending; then by the head's global id.
        head: [E] index in [0, A+H) of the agent that it reaches: a local one, or A + its place in the halo.
        head_agent: [E] global id of the head.
        owner: [E] rank of the head.
        halo: [H] global ids of the neighbours on other ranks, by rank, then by id.
        degree: [A+H] number of neighbours of each local and halo agent, counted in the whole graph.
        blocks: for each of this rank's blocks (block number, start, stop): its agents are `agents[start:stop]`.
        block_count: number of blocks of all ranks.
        reverse: [E] the edge from head back to tail if that is on this rank, else -1.
        slot: [E] global number of each edge: its place in the topology's `indices`.
    """

    size: int
    agents: Array
    tail: Array
    head: Array
    head_agent: Array
    owner: Array
    halo: Array
    degree: Array
    blocks: tuple[tuple[int, int, int], ...]
    block_count: int
    reverse: Array
    slot: Array

    @cached_property
    def neighbours(self) -> Array:
        """The other ranks that agents here have links to, ascending."""
        return np.unique(self.owner[self.reverse < 0])
