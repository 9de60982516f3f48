"""A road network drawn from the seed: junctions that thin out from a centre, joined by segments that do not cross.

Junctions lie on a jittered sunflower pattern: they are spread evenly at any number of them and are closest in the
centre. Segments are edges of their Delaunay triangulation: all of its minimum spanning tree, so that every junction is
reached, and then those that keep farthest from third junctions. What lies behind a segment on the shortest ways to the
centre makes it a motorway, an arterial or a local road.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra, minimum_spanning_tree
from scipy.spatial import Delaunay, cKDTree

from coolgp.network.base.randomness import generator
from coolgp.scenarios.base.arrays import Floats, Ints

__all__ = ["CLASSES", "RADIUS", "Roads", "draw_roads"]

CLASSES = ("local", "arterial", "motorway")
LIMITS = np.array([[40.0, 50.0], [60.0, 70.0], [80.0, 90.0]])
"""The two speed limits of each class, km/h."""
BUSY = (0.02, 0.06)
"""Shares of all junctions that must lie behind a segment to make it an arterial, and a motorway."""
RADIUS = 10.0
"""Of the city, km."""
GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))


@dataclass(frozen=True)
class Roads:
    """A road network of `S` directed segments between `J` junctions; the centre is at the origin.

    Each segment is one carriageway, with one direction.
    """

    junctions: Floats
    """`[J,2]`, km east and north of the centre."""
    ends: Ints
    """`[S,2]`, the junctions that a segment leads from and to."""
    limit: Floats
    """`[S]`, km/h."""
    kind: Ints
    """`[S]`, the place in `CLASSES`."""
    depth: Floats
    """`[S]`, km by road from a segment's middle to the junction next to the centre."""

    @property
    def middle(self) -> Floats:
        """`[S,2]`, km east and north of the centre."""
        middle: Floats = self.junctions[self.ends].mean(axis=1)
        return middle

    @property
    def inbound(self) -> Floats:
        """`[S]`, the cosine of the angle between a segment's direction and that to the centre: 1 is straight in."""
        along = np.diff(self.junctions[self.ends], axis=1)[:, 0]
        apart = np.linalg.norm(along, axis=1) * np.linalg.norm(self.middle, axis=1)
        cosine: Floats = -(along * self.middle).sum(axis=1) / np.maximum(apart, 1e-12)
        return cosine


def draw_roads(seed: int, segments: int = 775) -> Roads:
    """Draw a connected network of so many segments. Raises ValueError for fewer than 12.

    >>> roads = draw_roads(0)
    >>> roads.ends.shape, roads.junctions.shape
    ((775, 2), (517, 2))
    """
    if segments < 12:
        raise ValueError(f"a road network needed at least 12 segments; got {segments}")
    rng = generator(seed, "road network")
    junctions = _sunflower(1 + 2 * segments // 3, rng)
    ends = _segments(junctions, segments)
    distance, behind = _ways_in(junctions, ends)
    kind = np.searchsorted(BUSY, behind / len(junctions))
    turned = np.where(rng.random(segments) < 0.5, 1, 0)
    ends = np.take_along_axis(ends, np.stack([turned, 1 - turned], axis=1), axis=1)
    limit = LIMITS[kind, rng.integers(2, size=segments)]
    return Roads(junctions=junctions, ends=ends, limit=limit, kind=kind, depth=distance[ends].mean(axis=1))


def _sunflower(count: int, rng: np.random.Generator) -> Floats:
    """`[count,2]`: turned by the golden angle from one to the next, and moved by a part of the gap to the next."""
    place = (np.arange(count) + 0.5) / count
    radius, angle = RADIUS * place**0.65, GOLDEN_ANGLE * np.arange(count)
    gap = RADIUS * place**0.15 / np.sqrt(count)
    spokes = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    shaken: Floats = radius[:, None] * spokes + 0.45 * gap[:, None] * rng.standard_normal((count, 2))
    return shaken


def _segments(junctions: Floats, count: int) -> Ints:
    """`[count,2]` edges of the triangulation, which has enough: at least twice the junctions less 3."""
    corners = Delaunay(junctions).simplices.astype(np.int64)
    every = np.unique(np.sort(corners[:, [[0, 1], [1, 2], [0, 2]]].reshape(-1, 2), axis=1), axis=0)
    first, second = minimum_spanning_tree(_graph(junctions, every)).nonzero()
    is_needed = np.isin(every @ [len(junctions), 1], first.astype(np.int64) * len(junctions) + second)
    order = np.lexsort((-_clearance(junctions, every), ~is_needed))
    chosen: Ints = every[np.sort(order[:count])]
    return chosen


def _clearance(junctions: Floats, ends: Ints) -> Floats:
    """How far a third junction is from an edge's middle, by half its length: at least 1 in the Gabriel graph."""
    pair = junctions[ends]
    middle, half = pair.mean(axis=1), 0.5 * np.linalg.norm(pair[:, 0] - pair[:, 1], axis=1)
    distance, which = map(np.asarray, cKDTree(junctions).query(middle, k=3))
    third = np.where((which[..., None] != ends[:, None]).all(axis=-1), distance, np.inf).min(axis=1)
    ratio: Floats = third / half
    return ratio


def _ways_in(junctions: Floats, ends: Ints) -> tuple[Floats, Ints]:
    """Km by road from each junction `[J]` to the centre's, and how many junctions go there over each segment `[S]`."""
    centre = int(np.argmin(np.linalg.norm(junctions, axis=1)))
    paths = dijkstra(_graph(junctions, ends), directed=False, indices=[centre], return_predecessors=True)
    distance, onward = paths[0][0], paths[1][0]
    behind = np.ones(len(junctions), dtype=np.int64)
    for junction in np.argsort(distance)[:0:-1]:  # from the farthest in
        behind[onward[junction]] += behind[junction]
    first, second = ends.T
    used = np.where(onward[first] == second, behind[first], 0) + np.where(onward[second] == first, behind[second], 0)
    return distance, used


def _graph(junctions: Floats, ends: Ints) -> csr_array:
    length = np.linalg.norm(junctions[ends[:, 0]] - junctions[ends[:, 1]], axis=1)
    places = ends.astype(np.int32).T
    return csr_array((length, (places[0], places[1])), shape=(len(junctions), len(junctions)))
