"""Standard graphs of any size, connected and fixed by their seed.

Large graphs are drawn directly as arrays; random-regular and scale-free ones come from networkx.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

import networkx as nx
import numpy as np
from scipy.sparse import csgraph
from scipy.spatial import cKDTree

from coolgp.network.randomness import generator
from coolgp.network.topology import Array, Topology, components, from_edges

__all__ = ["GENERATORS", "generate"]

ATTEMPTS = 100


def generate(kind: str, size: int, seed: int, position: Array | None = None, **options: float) -> Topology:
    """Generate a connected graph of `size` agents.

    Args:
        kind: a name in `GENERATORS`.
        size: N, at least 1.
        seed: the same seed gives the same graph.
        position: [N,2] where the agents are, if that is known: a geometric graph links those that are close.
        options: those of the kind, such as `degree` of "random-regular".

    Raises:
        ValueError: if the kind, an option or the size does not exist or does not fit.

    >>> generate("ring", 5, seed=0).edge_count
    5
    """
    if kind not in GENERATORS:
        near = get_close_matches(kind, GENERATORS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"A graph's kind must be one of {', '.join(GENERATORS)}; got {kind!r}{hint}")
    if size < 1:
        raise ValueError(f"A graph needs at least 1 agent; got size {size}")
    if position is not None and position.shape != (size, 2):
        raise ValueError(f"A graph of {size} agents needs position [{size},2]; got {list(position.shape)}")
    known = [name for name in list(inspect.signature(GENERATORS[kind]).parameters)[2:] if name != "position"]
    for option in options:
        if option not in known:
            raise ValueError(f"A {kind} graph takes {', '.join(known) or 'no options'}; got {option!r}")
    if GENERATORS[kind] is geometric:
        return geometric(int(size), seed, position=position, **options)
    topology = GENERATORS[kind](int(size), seed, **options)
    return topology if position is None else replace(topology, position=position)


def ring(size: int, seed: int) -> Topology:
    """Each agent is linked to the next, on a circle."""
    i = np.arange(size)
    return from_edges(i, (i + 1) % size, size, position=_circle(size))


def grid(size: int, seed: int) -> Topology:
    """Rows of `ceil(sqrt(N))` agents, the last one perhaps shorter; links to the four nearest."""
    width, i = math.isqrt(size - 1) + 1, np.arange(size)
    right, below = i[(i % width < width - 1) & (i < size - 1)], i[i < size - width]
    return from_edges(
        np.concatenate([right, below]),
        np.concatenate([right + 1, below + width]),
        size,
        position=np.stack([i % width, i // width], axis=1),
    )


def star(size: int, seed: int) -> Topology:
    """Agent 0 is linked to all others."""
    return from_edges(np.zeros(size - 1), np.arange(1, size), size)


def complete(size: int, seed: int) -> Topology:
    """All agents are linked to all others."""
    return from_edges(*np.triu_indices(size, 1), size)


def random_tree(size: int, seed: int) -> Topology:
    """Each agent joins a uniformly drawn earlier one (a random recursive tree, of depth about `e ln N`)."""
    child = np.arange(1, size)
    return from_edges(child, generator(seed, "random-tree").integers(0, child), size)


def small_world(size: int, seed: int, neighbours: int = 4, rewiring: float = 0.1) -> Topology:
    """Links to the `neighbours` nearest on a ring, of which a share `rewiring` gets a random new end.

    A new end that would make a loop or a double edge is not taken. Pieces that fall off are bridged by one random edge.
    Source: D. J. Watts and S. H. Strogatz, Nature 393 (1998).
    """
    if not 0 <= rewiring <= 1:
        raise ValueError(f"A small-world graph needs rewiring in [0, 1]; got {rewiring}")
    rng = generator(seed, "small-world")
    reach = min(_whole("small-world", "neighbours", neighbours, 2) // 2, size // 2)
    tail = np.repeat(np.arange(size), reach)
    head = (tail + np.tile(np.arange(1, reach + 1), size)) % size
    lattice = _keys(tail, head, size)
    lattice, first = np.unique(lattice, return_index=True)  # opposite agents meet from both sides
    tail, head = tail[first], head[first]
    new = rng.integers(0, size, len(tail))
    key = _keys(tail, new, size)
    wanted = (rng.random(len(tail)) < rewiring) & (new != tail) & ~np.isin(key, lattice)
    taken = np.flatnonzero(wanted)[np.unique(key[wanted], return_index=True)[1]]
    head[taken] = new[taken]
    return replace(_bridged(tail, head, size, rng), position=_circle(size))


def random_regular(size: int, seed: int, degree: int = 4) -> Topology:
    """All agents have `degree` random neighbours (all others if there are no more); redrawn until connected."""
    degree = _whole("random-regular", "degree", degree, 2)
    if size <= degree + 1:
        return complete(size, seed)
    if size * degree % 2:
        raise ValueError(f"A random-regular graph needs size * degree even; got {size} agents of degree {degree}")
    for attempt in range(ATTEMPTS):
        rng = generator(seed, "random-regular", round=attempt)
        graph = _from_pairs(nx.random_regular_graph(degree, size, seed=rng), size)
        if components(graph) == 1:
            return graph
    raise ValueError(f"None of {ATTEMPTS} graphs of degree {degree} was connected: take degree >= 3, or a ring for 2")


def erdos_renyi(size: int, seed: int, mean_degree: float = 6) -> Topology:
    """Each pair is linked with the same probability `mean_degree / (N-1)`; pieces are bridged by one random edge."""
    if mean_degree <= 0:
        raise ValueError(f"An erdos-renyi graph needs mean_degree > 0; got {mean_degree}")
    rng, pairs = generator(seed, "erdos-renyi"), size * (size - 1) // 2
    links = rng.binomial(pairs, min(1.0, mean_degree / max(size - 1, 1)))
    tail, head = _pair(rng.choice(pairs, links, replace=False, shuffle=False)) if links else _pair(np.arange(0))
    return _bridged(tail, head, size, rng)


def geometric(size: int, seed: int, mean_degree: float = 8, position: Array | None = None) -> Topology:
    """Links between all agents closer than `sqrt(mean_degree area / (pi N))`; uniform in the unit square by default.

    Each piece is bridged to the largest one by the shortest possible edge.
    """
    if mean_degree <= 0:
        raise ValueError(f"A geometric graph needs mean_degree > 0; got {mean_degree}")
    position = generator(seed, "geometric").random((size, 2)) if position is None else position
    area = float(np.prod(np.ptp(position, axis=0))) or 1.0
    near = cKDTree(position).query_pairs(math.sqrt(mean_degree * area / (math.pi * size)), output_type="ndarray")
    tail, head = near[:, 0], near[:, 1]
    main, rest, part = _pieces(from_edges(tail, head, size))
    if len(rest):
        distance, nearest = cKDTree(position[main]).query(position[rest])
        order = np.lexsort((rest, np.asarray(distance), part))
        shortest = order[np.unique(part[order], return_index=True)[1]]
        tail, head = np.append(tail, rest[shortest]), np.append(head, main[np.asarray(nearest)[shortest]])
    return from_edges(tail, head, size, position=position)


def scale_free(size: int, seed: int, links: int = 2) -> Topology:
    """Each new agent links to `links` earlier ones in proportion to their degrees.

    Source: A.-L. Barabási and R. Albert, Science 286 (1999).
    """
    links = _whole("scale-free", "links", links, 1)
    if size <= links + 1:
        return complete(size, seed)
    return _from_pairs(nx.barabasi_albert_graph(size, links, seed=generator(seed, "scale-free")), size)


GENERATORS: dict[str, Callable[..., Topology]] = {
    "ring": ring,
    "grid": grid,
    "small-world": small_world,
    "random-regular": random_regular,
    "erdos-renyi": erdos_renyi,
    "geometric": geometric,
    "scale-free": scale_free,
    "random-tree": random_tree,
    "star": star,
    "complete": complete,
}


def _whole(kind: str, option: str, value: float, least: int) -> int:
    if value != int(value) or value < least:
        raise ValueError(f"A {kind} graph needs {option} to be a whole number of at least {least}; got {value}")
    return int(value)


def _circle(size: int) -> Array:
    angle = 2 * np.pi * np.arange(size) / size
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _keys(tail: Array, head: Array, size: int) -> Array:
    """One number for each unordered pair."""
    return np.minimum(tail, head) * size + np.maximum(tail, head)


def _pair(number: Array) -> tuple[Array, Array]:
    """The pair j < i with `number = i (i-1) / 2 + j`."""
    i = ((1 + np.sqrt(1 + 8.0 * number)) / 2).astype(np.int64)
    i -= i * (i - 1) // 2 > number  # the square root may be off by one where float64 ends
    i += i * (i + 1) // 2 <= number
    return i, number - i * (i - 1) // 2


def _from_pairs(graph: nx.Graph[Any], size: int) -> Topology:
    ends = np.array(list(graph.edges()), dtype=np.int64).reshape(-1, 2)
    return from_edges(ends[:, 0], ends[:, 1], size)


def _pieces(topology: Topology) -> tuple[Array, Array, Array]:
    """The agents of the largest component, all others, and the component of each of the others."""
    _, part = csgraph.connected_components(topology.matrix(), directed=False)
    inside = part == np.bincount(part).argmax()
    return np.flatnonzero(inside), np.flatnonzero(~inside), part[~inside]


def _bridged(tail: Array, head: Array, size: int, rng: np.random.Generator) -> Topology:
    """The graph, with a random edge from the first agent of each smaller component to the largest component."""
    main, rest, part = _pieces(from_edges(tail, head, size))
    first = rest[np.unique(part, return_index=True)[1]]
    return from_edges(np.append(tail, first), np.append(head, rng.choice(main, len(first))), size)
