"""Random graphs of any size, connected and fixed by their seed, drawn directly as arrays.

Axes: `N` agents, `K` agents or links among them.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy.sparse import csgraph

from coolgp.network.base.arrays import Array
from coolgp.network.base.randomness import generator
from coolgp.network.graphs.connectivity import components
from coolgp.network.graphs.plain_graphs import circle, complete
from coolgp.network.graphs.topology import Topology, from_edges

__all__ = ["erdos_renyi", "geometric", "random_regular", "random_tree", "scale_free", "small_world"]

ATTEMPTS = 100
SWITCHES = 1000  # rounds of switches; a few do unless there are few other links


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
    reach = min(_whole_number("small-world", "neighbours", neighbours, 2) // 2, size // 2)
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
    return replace(_bridged(tail, head, size, rng), position=circle(size))


def random_regular(size: int, seed: int, degree: int = 4) -> Topology:
    """All agents have `degree` random neighbours (all others if there are no more); redrawn until connected.

    Ends of links are paired at random, and loops and double links then repaired by switching ends with random links;
    where an agent has most others as neighbours, those that it does not have are drawn so.
    Source: B. D. McKay and N. C. Wormald, J. Algorithms 11 (1990).
    """
    degree = _whole_number("random-regular", "degree", degree, 2)
    if size <= degree + 1:
        return complete(size, seed)
    if size * degree % 2:
        raise ValueError(f"A random-regular graph needs size * degree even; got {size} agents of degree {degree}")
    for attempt in range(ATTEMPTS):
        rng = generator(seed, "random-regular", round=attempt)
        drawn_degree = min(degree, size - 1 - degree)
        tail, head = rng.permutation(np.repeat(np.arange(size), drawn_degree)).reshape(2, -1)
        links = _switched(tail, head, size, rng)
        if links is None:
            continue
        graph = from_edges(*(links if drawn_degree == degree else _others(*links, size)), size)
        if components(graph) == 1:
            return graph
    raise ValueError(f"None of {ATTEMPTS} graphs of degree {degree} was connected: take degree >= 3, or a ring for 2")


def _switched(tail: Array, head: Array, size: int, rng: np.random.Generator) -> tuple[Array, Array] | None:
    """The links with ends switched until none is a loop or there twice; None where that does not come to an end."""
    for _ in range(SWITCHES):
        key = _keys(tail, head, size)
        first = np.zeros(len(key), dtype=bool)
        first[np.unique(key, return_index=True)[1]] = True
        bad = np.flatnonzero(~first | (tail == head))
        if not len(bad):
            return tail, head
        other = rng.integers(0, len(key), len(bad))
        new = np.stack([_keys(tail[bad], head[other], size), _keys(tail[other], head[bad], size)])
        loops = (tail[bad] == head[other]) | (tail[other] == head[bad])
        good = ~loops & ~np.isin(new, key).any(axis=0) & _single(new) & _single(np.stack([bad, other]))
        bad, other = bad[good], other[good]
        head[bad], head[other] = head[other], head[bad]
    return None


def _single(pairs: Array) -> Array:
    """Which of the pairs [2,K] hold two numbers that no other place holds."""
    _, inverse, count = np.unique(pairs, return_inverse=True, return_counts=True)
    return np.asarray((count[inverse].reshape(pairs.shape) == 1).all(axis=0))


def _others(tail: Array, head: Array, size: int) -> tuple[Array, Array]:
    """All links but these."""
    low, high = np.triu_indices(size, 1)
    left = ~np.isin(low * size + high, _keys(tail, head, size))
    return low[left], high[left]


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
    from scipy.spatial import cKDTree  # a tenth of the command line's start

    position = generator(seed, "geometric").random((size, 2)) if position is None else position
    area = float(np.prod(np.ptp(position, axis=0))) or 1.0
    near = cKDTree(position).query_pairs(math.sqrt(mean_degree * area / (math.pi * size)), output_type="ndarray")
    tail, head = near[:, 0], near[:, 1]
    main, rest, component = _pieces(from_edges(tail, head, size))
    if len(rest):
        distance, nearest = cKDTree(position[main]).query(position[rest])
        order = np.lexsort((rest, np.asarray(distance), component))
        shortest = order[np.unique(component[order], return_index=True)[1]]
        tail, head = np.append(tail, rest[shortest]), np.append(head, main[np.asarray(nearest)[shortest]])
    return from_edges(tail, head, size, position=position)


def scale_free(size: int, seed: int, links: int = 2) -> Topology:
    """Each new agent links to `links` different earlier ones in proportion to their degrees; the first ones are a star.

    In the list of the ends of all links an agent stands as often as its degree: a target is what stands at a random
    place of the list so far. Places are drawn for as many agents at once as there are already, and followed where they
    refer to each other; targets that come twice are drawn again.
    Sources: A.-L. Barabási and R. Albert, Science 286 (1999); V. Batagelj and U. Brandes, Phys. Rev. E 71 (2005).
    """
    links = _whole_number("scale-free", "links", links, 1)
    if size <= links + 1:
        return complete(size, seed)
    rng, there = generator(seed, "scale-free"), links + 1
    ends = np.zeros((links * (size - links), 2), dtype=np.int64)  # of each link: the newer agent, which comes second
    ends[:links, 1] = np.arange(1, there)
    while there < size:
        new = np.arange(there, min(2 * there, size))
        some = slice(links * (there - links), links * (there - links + len(new)))
        ends[some, 1] = np.repeat(new, links)
        ends[some, 0] = _targets(ends.ravel(), 2 * some.start, 2 * links * (new - links), links, rng)
        there += len(new)
    return from_edges(ends[:, 0], ends[:, 1], size)


def _targets(ends: Array, settled: int, before: Array, links: int, rng: np.random.Generator) -> Array:
    """Targets of new agents [K], drawn from the ends that stand before each; those before `known` are known."""
    limit = np.repeat(before[:, None], links, axis=1)
    place = rng.integers(0, limit)
    while True:
        target = _followed(ends, settled, place.ravel()).reshape(place.shape)
        order = np.argsort(target, axis=1, kind="stable")
        ranked = np.take_along_axis(target, order, axis=1)
        again = np.zeros(place.shape, dtype=bool)
        np.put_along_axis(again, order[:, 1:], ranked[:, 1:] == ranked[:, :-1], axis=1)
        if not again.any():
            return np.asarray(target.ravel())
        place[again] = rng.integers(0, limit[again])


def _followed(ends: Array, settled: int, place: Array) -> Array:
    """What stands at the places; at an even one from `known` on stands what stands at the place of that target."""
    place = place.copy()
    while True:
        open = np.flatnonzero((place >= settled) & (place % 2 == 0))
        if not len(open):
            return np.asarray(ends[place])
        place[open] = place[(place[open] - settled) // 2]  # pointer doubling: all have come as far by now


def _whole_number(kind: str, option: str, value: float, least: int) -> int:
    if value != int(value) or value < least:
        raise ValueError(f"A {kind} graph needs {option} to be a whole number of at least {least}; got {value}")
    return int(value)


def _keys(tail: Array, head: Array, size: int) -> Array:
    """One number for each unordered pair."""
    return np.minimum(tail, head) * size + np.maximum(tail, head)


def _pair(number: Array) -> tuple[Array, Array]:
    """The pair j < i with `number = i (i-1) / 2 + j`."""
    i = ((1 + np.sqrt(1 + 8.0 * number)) / 2).astype(np.int64)
    i -= i * (i - 1) // 2 > number  # the square root may be off by one where float64 ends
    i += i * (i + 1) // 2 <= number
    return i, number - i * (i - 1) // 2


def _pieces(topology: Topology) -> tuple[Array, Array, Array]:
    """The agents of the largest component, all others, and the component of each of the others."""
    _, component = csgraph.connected_components(topology.matrix(), directed=False)
    inside = component == np.bincount(component).argmax()
    return np.flatnonzero(inside), np.flatnonzero(~inside), component[~inside]


def _bridged(tail: Array, head: Array, size: int, rng: np.random.Generator) -> Topology:
    """The graph, with a random edge from the first agent of each smaller component to the largest component."""
    main, rest, component = _pieces(from_edges(tail, head, size))
    first = rest[np.unique(component, return_index=True)[1]]
    return from_edges(np.append(tail, first), np.append(head, rng.choice(main, len(first))), size)
