"""`Route`: which rows go where when agents exchange messages, over as many ranks as there are.

Axes: `E` directed edges that leave this rank's agents, `K` rows that leave on them, `K'` rows that arrive.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coolgp.network.base.arrays import Array
from coolgp.network.shard import Shard

__all__ = ["Route", "check_leaving", "count_by_rank", "move_rows", "plan_rounds", "plan_route", "ranges"]

CHUNK = 1 << 16  # rows moved at once, so that moving needs little memory


@dataclass(frozen=True, eq=False)
class Route:
    """Directed edges on which rows go, each perhaps several; only `edges` and `arrivals` are of use outside.

    Attributes:
        edges: [K] this rank's edges on which a row leaves, ascending; an edge stands as often as it carries one.
        arrivals: [K'] this rank's edges on whose slot one arrives (from i to j on j's edge to i), ascending.
        messages: number of different edges in `edges`: all rows on an edge are one message.
        near_out: places in `edges` of messages that stay on this rank, and
        near_in: their places in `arrivals`, ascending.
        far_out: places in `edges` of messages to other ranks, in the order in which they are packed, and
        out_counts: how many go to each neighbouring rank.
        far_in: places in `arrivals` of messages from other ranks, in the order in which they come, and
        in_counts: how many come from each neighbouring rank.
    """

    edges: Array
    arrivals: Array
    messages: int
    near_out: Array
    near_in: Array
    far_out: Array
    out_counts: Array
    far_in: Array
    in_counts: Array


def check_leaving(shard: Shard, edges: Array) -> Array:
    """Return how many rows leave on each edge [E]; raise ValueError unless it is a truth value or a count for each."""
    edges = np.asarray(edges)
    counts = edges.dtype == np.bool_ or np.issubdtype(edges.dtype, np.integer)
    if edges.shape != shard.tail.shape or not counts or (edges < 0).any():
        raise ValueError(
            f"A route needs a bool mask or row counts of {len(shard.tail)} edges; "
            f"got shape {list(edges.shape)} of {edges.dtype}"
        )
    return edges.astype(np.int64)


def plan_route(shard: Shard, leaving: Array, arriving: Array) -> Route:
    """Plan the exchange of `leaving` [E] rows on each edge, of which `arriving` [E] come on each slot.

    Both ends of a pair of ranks pack their rows by (sender's id, receiver's id), so none needs a header.
    """
    out_start, in_start = np.cumsum(leaving) - leaving, np.cumsum(arriving) - arriving
    near, (leave_order, arrive_order) = np.flatnonzero(shard.reverse >= 0), _by_ends(shard)
    every = np.arange(len(shard.tail))
    return Route(
        edges=np.repeat(every, leaving),
        arrivals=np.repeat(every, arriving),
        messages=int(np.count_nonzero(leaving)),
        near_out=ranges(out_start[shard.reverse[near]], arriving[near]),
        near_in=ranges(in_start[near], arriving[near]),
        far_out=ranges(out_start[leave_order], leaving[leave_order]),
        out_counts=count_by_rank(shard.owner[leave_order], shard.neighbours, leaving[leave_order]),
        far_in=ranges(in_start[arrive_order], arriving[arrive_order]),
        in_counts=count_by_rank(shard.owner[arrive_order], shard.neighbours, arriving[arrive_order]),
    )


def plan_rounds(shard: Shard, leaving: Array, arriving: Array, rounds: int) -> list[Route]:
    """Plan one exchange for each of the rounds 1, 2, ..., all together in O(E log E).

    One row leaves on each edge in the round `leaving` [E], and one arrives on its slot in the round `arriving` [E].
    """
    near, (leave_order, arrive_order) = np.flatnonzero(shard.reverse >= 0), _by_ends(shard)
    every = np.arange(len(shard.tail))
    edges, arrivals = _by_round(every, leaving, rounds), _by_round(every, arriving, rounds)
    place_out, place_in = np.empty((2, len(every)), dtype=np.int64)
    for place, parts in ((place_out, edges), (place_in, arrivals)):
        for round_edges in parts:
            place[round_edges] = np.arange(len(round_edges))
    lists = (edges, arrivals, *(_by_round(near, arriving, rounds), _by_round(leave_order, leaving, rounds)))
    return [
        Route(
            edges=out,
            arrivals=back,
            messages=len(out),
            near_out=place_out[shard.reverse[inside]],
            near_in=place_in[inside],
            far_out=place_out[away],
            out_counts=count_by_rank(shard.owner[away], shard.neighbours),
            far_in=place_in[home],
            in_counts=count_by_rank(shard.owner[home], shard.neighbours),
        )
        for out, back, inside, away, home in zip(*lists, _by_round(arrive_order, arriving, rounds), strict=True)
    ]


def _by_round(edges: Array, round: Array, rounds: int) -> list[Array]:
    """The edges of each round 1, 2, ..., in the order in which they come."""
    edges = edges[np.argsort(round[edges], kind="stable")]
    return np.split(edges, np.searchsorted(round[edges], np.arange(2, rounds + 1)))[:rounds]


def _by_ends(shard: Shard) -> tuple[Array, Array]:
    """Edges that leave to other ranks and slots on which their rows come, both by rank, sender's and receiver's id."""
    far = np.flatnonzero(shard.reverse < 0)
    mine, theirs, owner = shard.agents[shard.tail[far]], shard.head_agent[far], shard.owner[far]
    return far[np.lexsort((theirs, mine, owner))], far[np.lexsort((mine, theirs, owner))]


def ranges(start: Array, count: Array) -> Array:
    """Return `start[0], start[0]+1, ...` (`count[0]` numbers), then the same from `start[1]`, and so on.

    >>> ranges(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    first = np.cumsum(count) - count
    return np.asarray(np.arange(int(count.sum())) + np.repeat(start - first, count))


def count_by_rank(owner: Array, neighbours: Array, count: Array | None = None) -> Array:
    """Return how many of the owners, or of `count` rows each, belong to each of the neighbouring ranks (ascending)."""
    counts = np.zeros(len(neighbours), dtype=np.int64)
    np.add.at(counts, np.searchsorted(neighbours, owner), 1 if count is None else count)
    return counts


def move_rows(source: Array, picks: Array, target: Array, places: Array) -> None:
    """Set `target[places] = source[picks]`, in chunks."""
    for start in range(0, len(picks), CHUNK):
        chunk = slice(start, start + CHUNK)
        target[places[chunk]] = source[picks[chunk]]
