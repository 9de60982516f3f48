"""Links that come and go: a topology of all links, and which of them exist in which round of learning.

Axes: `N` agents, `L` links, `R` periods in which the links stay as they are, `E_all` directed edges.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from coolgp.network.base.arrays import Array
from coolgp.network.graphs.topology import Topology, from_edges

__all__ = ["Schedule", "arranged", "changing", "scheduled"]


@dataclass(frozen=True, eq=False)
class Schedule:
    """Which links of a topology exist in which round; build it with `scheduled` or `changing`.

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
        linked = np.zeros(int(self.number.max(initial=-1)) + 1, dtype=bool)
        period = self.period(round)
        if period >= 0:
            linked[self.links[period]] = True
        return linked[self.number]


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


def changing(links: Iterable[Array], size: int, position: Array | None = None) -> tuple[Topology, Schedule]:
    """Return the union of links [L,2] given for each round, from 0, as a topology, and which of them exist when.

    Args:
        links: of each round.
        size: N.
        position: [N,2] or None.

    >>> calm = np.array([[0, 1]])
    >>> changing([calm, calm, np.array([[1, 2]])], size=3)[1].since.tolist()
    [0, 2]
    """
    since: list[int] = []
    keys: list[Array] = []
    for round, ends in enumerate(links):
        key = _keys(ends, size)
        if not keys or not np.array_equal(key, keys[-1]):
            since.append(round)
            keys.append(key)
    return _joined(since, keys, size, position, None)


def arranged(topology: Topology, schedule: Schedule, labels: Sequence[str]) -> tuple[Topology, Schedule]:
    """Return both with the agents in the order of the given labels; raises as `Topology.arranged`."""
    turned, index = topology.arranged(labels), {name: i for i, name in enumerate(labels)}
    new, once = np.array([index[name] for name in topology.names]), topology.tail < topology.indices
    ends = new[np.stack([topology.tail[once], topology.indices[once]], axis=1)]
    return turned, scheduled(schedule.since.tolist(), [ends[links] for links in schedule.links], topology.size)[1]


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
