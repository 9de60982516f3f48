"""Agents to ranks: whole blocks of a locality order, contiguous or by METIS.

The locality order (`Topology.order`) and its blocks depend on the graph alone, never on the number of ranks: sums over
blocks and random streams keyed by block are then the same for any number of ranks.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array

from coolgp.network.base.arrays import Array
from coolgp.network.graphs.topology import Topology

__all__ = ["METHODS", "MOST_BLOCKS", "block_count", "block_size", "blocks_of", "cut", "partition"]

METHODS = ("contiguous", "metis")
MOST_BLOCKS = 1024


def block_size(size: int) -> int:
    """Return the number of agents of a block: 16, but less where that were fewer than 256 blocks, more for over 1024.

    >>> block_size(40), block_size(1000), block_size(10_000), block_size(1_000_000)
    (1, 4, 16, 977)
    """
    return max(-(-size // MOST_BLOCKS), min(16, -(-size // 256)))


def block_count(size: int) -> int:
    """Return the number of blocks of so many agents: the most ranks that they can be dealt to.

    >>> block_count(40), block_count(1000), block_count(1_000_000)
    (40, 250, 1024)
    """
    return -(-size // block_size(size))


def blocks_of(topology: Topology) -> Array:
    """Return the block [N] of each agent: runs of `block_size` agents of the locality order."""
    block = np.empty(topology.size, dtype=np.int64)
    block[topology.order] = np.arange(topology.size) // block_size(topology.size)
    return block


def partition(topology: Topology, ranks: int, method: str = "contiguous") -> Array:
    """Return the rank [N] that owns each agent.

    Args:
        topology: of N agents.
        ranks: number of ranks, at most the number of blocks.
        method: "contiguous" gives each rank a run of blocks in locality order; "metis" cuts few edges between blocks
            (needs the extra `partition`).

    Raises:
        ValueError: if the method is unknown, pymetis is missing, or there are more ranks than agents or blocks.
    """
    block = blocks_of(topology)
    count = int(block.max()) + 1
    if method not in METHODS:
        raise ValueError(f"A partition's method must be one of {', '.join(METHODS)}; got {method!r}")
    if not 1 <= ranks <= count:
        raise ValueError(
            f"{topology.size} agents in {count} blocks need between 1 and {count} ranks; got {ranks}: start fewer ranks"
        )
    if method == "contiguous" or ranks == 1:
        return (np.arange(count) * ranks // count)[block]
    return _metis(topology, block, ranks)[block]


def cut(topology: Topology, owner: Array) -> float:
    """Return the fraction of links that join two ranks (0 without links)."""
    if not len(topology.indices):
        return 0.0
    return float((owner[topology.tail] != owner[topology.indices]).mean())


def _metis(topology: Topology, block: Array, ranks: int) -> Array:
    """The rank of each block, from the graph of blocks weighted with agents and links."""
    try:
        import pymetis
    except ImportError as error:
        raise ValueError('The partition method "metis" needs pymetis: pip install "coolgp[partition]"') from error
    size = np.bincount(block)
    tail, head = block[topology.tail], block[topology.indices]
    across = tail != head
    ends = (tail[across], head[across])
    links = coo_array((np.ones(across.sum(), dtype=np.int64), ends), shape=(len(size), len(size))).tocsr()
    graph = pymetis.CSRAdjacency(links.indptr.astype(np.int32), links.indices.astype(np.int32))
    ranks_of_blocks = pymetis.part_graph(ranks, graph, vweights=size.tolist(), eweights=links.data.tolist())[1]
    return _without_gaps(np.array(ranks_of_blocks, dtype=np.int64), ranks)


def _without_gaps(owner: Array, ranks: int) -> Array:
    """The same, with a block of the fullest rank for each rank that METIS left empty."""
    for rank in np.setdiff1d(np.arange(ranks), owner):
        owner[np.flatnonzero(owner == np.bincount(owner).argmax())[-1]] = rank
    return owner
