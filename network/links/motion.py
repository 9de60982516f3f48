"""Links that come and go: given round by round, or made by agents that move and reach whoever is near.

Axes: `N` agents, `L` links, `R` periods in which the links stay as they are, `E_all` directed edges.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from scipy.spatial import cKDTree

from coolgp.network.graphs.topology import Array, Topology, from_edges
from coolgp.network.randomness import generator

__all__ = ["Schedule", "arranged", "in_unit_square", "moving", "reach_for", "scheduled", "walk"]

DRIFT = 0.3  # radians by which a direction changes in a round (standard deviation)


@dataclass(frozen=True, eq=False)
class Schedule:
    """Which links of a topology exist in which round; build it with `scheduled` or `moving`.

    Attributes:
        since: [R] the rounds, from 0, in which the links change, ascending; before the first there are none.
        links: for each of these the numbers of the links that exist until the next.
        number: [E_all] the number of the link that each directed edge belongs to.
    """

    since: Array
    links: tuple[Array, ...]
    number: Array

    def period(self, round: int) -> int:
        """Return which of the R periods a round falls in, or -1."""
        return int(np.searchsorted(self.since, round, side="right")) - 1

    def exists(self, round: int) -> Array:
        """Return the directed edges [E_all] that exist in a round."""
        here = np.zeros(int(self.number.max(initial=-1)) + 1, dtype=bool)
        period = self.period(round)
        if period >= 0:
            here[self.links[period]] = True
        return here[self.number]


def scheduled(
    since: Sequence[int],
    links: Sequence[Array],
    size: int,
    position: Array | None = None,
    labels: Sequence[str] | None = None,
) -> tuple[Topology, Schedule]:
    """Return the union of all links as a topology, and which of them exist when.

    Args:
        since: [R] rounds from 0, ascending.
        links: from each of these rounds until the next, exactly these links [L,2] exist.
        size: N.
        position: [N,2] or None.
        labels: N names or None.

    Raises:
        ValueError: if the rounds do not ascend from 0 on, or an agent is out of range.

    >>> ring, when = scheduled([0, 4], [np.array([[0, 1], [1, 2]]), np.array([[2, 0]])], size=3)
    >>> ring.edge_count, when.exists(3).tolist(), when.exists(4).tolist()
    (3, [True, False, True, True, False, True], [False, True, False, False, True, False])
    """
    if len(since) != len(links) or not len(since) or since[0] < 0 or (np.diff(since) <= 0).any():
        raise ValueError(f"{len(links)} sets of links need as many ascending rounds from 0 on; got {list(since)}")
    return _joined(since, [_keys(ends, size) for ends in links], size, position, labels)


def arranged(topology: Topology, schedule: Schedule, labels: Sequence[str]) -> tuple[Topology, Schedule]:
    """Return both with the agents in the order of the given labels; raises as `Topology.arranged`."""
    turned, index = topology.arranged(labels), {name: i for i, name in enumerate(labels)}
    new, once = np.array([index[name] for name in topology.names]), topology.tail < topology.indices
    ends = new[np.stack([topology.tail[once], topology.indices[once]], axis=1)]
    return turned, scheduled(schedule.since.tolist(), [ends[links] for links in schedule.links], topology.size)[1]


def moving(position: Array, reach: float, speed: float, rounds: int, seed: int) -> tuple[Topology, Schedule]:
    """Return the links of agents that walk about and hear whoever is near, over all rounds and in each.

    Args:
        position: [N,2] where the agents start, in the unit square; the topology keeps it.
        reach: distance within which two agents are linked.
        speed: distance that an agent goes in a round of learning.
        rounds: of learning; after the last one the agents stand still.
        seed: the same seed gives the same walk.

    Raises:
        ValueError: if the positions leave the unit square, or a number is out of range.
    """
    if reach <= 0 or rounds < 1:
        raise ValueError(f"Agents that move need reach > 0 and at least 1 round; got {reach} and {rounds}")
    since: list[int] = []
    keys: list[Array] = []
    for turn, place in enumerate(walk(position, speed, rounds, seed)):
        now = _keys(cKDTree(place).query_pairs(reach, output_type="ndarray"), len(position))
        if not keys or not np.array_equal(now, keys[-1]):
            since.append(turn)
            keys.append(now)
    return _joined(since, keys, len(position), position, None)


def walk(position: Array, speed: float, rounds: int, seed: int) -> Iterator[Array]:
    """Yield where the agents are [N,2] in each round; the first are the positions given.

    Each agent steps in a direction of its own, which drifts a little from round to round; borders reflect.

    Raises:
        ValueError: if the positions leave the unit square, or the speed is negative.
    """
    position = np.asarray(position, dtype=np.float64)
    if position.ndim != 2 or position.shape[1] != 2 or not ((position >= 0) & (position <= 1)).all():
        raise ValueError("Agents that move need positions [N,2] in the unit square; in_unit_square() scales others")
    if not speed >= 0:
        raise ValueError(f"Agents need speed >= 0; got {speed}")
    angle = generator(seed, "motion").uniform(0, 2 * np.pi, len(position))
    step = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    yield position
    for turn in range(1, rounds):
        step = _turned(step, DRIFT * generator(seed, "motion", 0, turn).normal(size=len(position)))
        position = (position + speed * step) % 2  # the square and its mirror image, over and over
        beyond = position > 1
        position, step = np.where(beyond, 2 - position, position), np.where(beyond, -step, step)
        yield position


def reach_for(size: int, mean_degree: float) -> float:
    """Return the reach at which N agents in the unit square have so many neighbours on average: `sqrt(d / (pi N))`."""
    return math.sqrt(mean_degree / (math.pi * size))


def in_unit_square(position: Array) -> Array:
    """Return positions [N,2] moved and scaled into the unit square, with their proportions."""
    low, extent = position.min(axis=0), float(np.ptp(position, axis=0).max()) or 1.0
    return np.asarray(np.clip((position - low) / extent, 0.0, 1.0))


def _turned(step: Array, angle: Array) -> Array:
    """Directions [N,2] turned by angles [N]."""
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([c * step[:, 0] - s * step[:, 1], s * step[:, 0] + c * step[:, 1]], axis=1)


def _keys(ends: Array, size: int) -> Array:
    """One number for each link [L,2], ascending and without repetition; self loops are left out."""
    ends = np.asarray(ends, dtype=np.int64).reshape(-1, 2)
    if ends.size and not (ends.min() >= 0 and ends.max() < size):
        raise ValueError(f"Links need agents in [0, {size}); got agents from {ends.min()} to {ends.max()}")
    ends = ends[ends[:, 0] != ends[:, 1]]
    return _distinct(ends.min(axis=1) * size + ends.max(axis=1))


def _distinct(keys: Array) -> Array:
    """Sorted numbers without repetition; the stable sort merges sorted parts in one pass, where hashing takes long."""
    keys = np.sort(keys, kind="stable")
    return np.asarray(keys[np.diff(keys, prepend=-1) > 0])


def _joined(
    since: Sequence[int], keys: Sequence[Array], size: int, position: Array | None, labels: Sequence[str] | None
) -> tuple[Topology, Schedule]:
    union = reduce(lambda known, more: _distinct(np.concatenate([known, more])), keys)
    topology = from_edges(*np.divmod(union, size), size, position=position, labels=labels)
    tail, head = topology.tail, topology.indices
    number = np.searchsorted(union, np.minimum(tail, head) * size + np.maximum(tail, head))
    links = tuple(np.searchsorted(union, key).astype(np.int32) for key in keys)
    return topology, Schedule(np.array(since), links, number)
