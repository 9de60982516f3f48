"""The shard of a rank: every rank computes its own from the whole topology, without communication.

Axes: `N` agents in all, `A` agents on this rank, `E` directed edges that leave this rank's agents.
"""

from __future__ import annotations

import numpy as np

from coolgp.network.base.arrays import Array
from coolgp.network.graphs.topology import Topology
from coolgp.network.partition import block_size
from coolgp.network.shard import Shard

__all__ = ["build_shard"]


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
