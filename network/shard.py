"""`Shard`: the part of the graph that one rank holds. Every rank computes its own from the whole topology.

Axes: `N` agents in all, `A` agents on this rank, `H` halo agents (neighbours on other ranks), `E` directed edges that
leave this rank's agents.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from coolgp.network.graphs.topology import Array, Topology
from coolgp.network.partition import block_size

__all__ = ["Shard", "build_shard"]


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


def build_shard(topology: Topology, owner: Array, rank: int) -> Shard:
    """Compute the shard of one rank, without communication.

    Args:
        topology: the whole graph.
        owner: [N] the rank of each agent, the same on a whole block (as `partition` gives it).
        rank: whose shard.

    Raises:
        ValueError: if the owner is not a rank for each agent, or divides a block.
    """
    order, size = topology.order, block_size(topology.size)
    _check_owner(topology, owner, order, size)
    place = np.flatnonzero(owner[order] == rank)
    agents = order[place]
    slot, tail = _rows(topology, agents)
    head_agent = topology.indices[slot]
    outside = np.unique(head_agent[owner[head_agent] != rank])
    halo = outside[np.argsort(owner[outside], kind="stable")]
    index = np.full(topology.size, -1)
    index[np.concatenate([agents, halo])] = np.arange(len(agents) + len(halo))
    return Shard(
        size=topology.size,
        agents=agents,
        tail=tail,
        head=index[head_agent],
        head_agent=head_agent,
        owner=owner[head_agent],
        halo=halo,
        degree=topology.degree[np.concatenate([agents, halo])],
        blocks=_blocks(place // size),
        block_count=-(-topology.size // size),
        reverse=_reverse(agents, tail, index[head_agent], head_agent),
        slot=slot,
    )


def _check_owner(topology: Topology, owner: Array, order: Array, size: int) -> None:
    if owner.shape != (topology.size,) or owner.min() < 0:
        raise ValueError(f"A shard needs the rank of each of {topology.size} agents; got shape {list(owner.shape)}")
    first = np.arange(topology.size) // size * size
    if (owner[order] != owner[order[first]]).any():
        raise ValueError(f"A rank must own whole blocks of {size} agents; use partition() to find the owners")


def _rows(topology: Topology, agents: Array) -> tuple[Array, Array]:
    """Slots in the topology [E] of the agents' edges, and the local tail [E] of each."""
    degree = topology.degree[agents]
    tail = np.repeat(np.arange(len(agents)), degree)
    within = np.arange(len(tail)) - np.repeat(np.cumsum(degree) - degree, degree)
    return topology.indptr[agents][tail] + within, tail


def _blocks(block: Array) -> tuple[tuple[int, int, int], ...]:
    number, start, length = np.unique(block, return_index=True, return_counts=True)
    return tuple(zip(number.tolist(), start.tolist(), (start + length).tolist(), strict=True))


def _reverse(agents: Array, tail: Array, head: Array, head_agent: Array) -> Array:
    """Edges stand in the order (tail, head's id); sorted by (head, tail's id) the k-th is the reverse of the k-th."""
    inside = np.flatnonzero(head < len(agents))
    turned = inside[np.lexsort((agents[tail[inside]], head[inside]))]
    reverse = np.full(len(tail), -1)
    reverse[turned] = inside
    return reverse
