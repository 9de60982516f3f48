"""A sum over all agents of a tree, with one message a directed edge: in to the middle, and out again.

An agent sends on an edge once it has received on all its others. First messages on a link are partial sums, which the
receiver adds to its own; answers are the total, the same row for all agents. Between messages that cross ranks an
agent's row is added to its neighbour's while it is still in the cache: subtree by subtree, in the order in which each
receiver receives from its neighbours, so that the bits are those of round by round, on any number of ranks.

Axes: `A` agents on this rank, `E` directed edges that leave them, `K` of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coolgp.network.base.arrays import Array
from coolgp.network.route import Route, plan_rounds
from coolgp.network.shard import Shard
from coolgp.network.transport import Transport
from coolgp.network.tree_schedule import schedule_tree

__all__ = ["TreeSum", "plan_tree_sum"]


@dataclass(frozen=True)
class Phase:
    """What happens on this rank from one exchange with other ranks to the next.

    sources, targets: [K] agents whose rows are added, in this order; a source beyond the agents is a row that arrived
    in the last exchange. route: the exchange that follows, None after the last phase. senders: [K'] agents that send in
    it; answers: which of them send the total; answered: a row that arrives and is the total, or -1.
    """

    sources: Array
    targets: Array
    route: Route | None
    senders: Array
    answers: Array
    answered: int


@dataclass(frozen=True)
class TreeSum:
    """The schedule of a tree sum on this rank.

    sends: [E] the round, from 1 to `rounds`, of the message on each edge. middle: the first agent that knows the total,
    or -1. near: number of edges that stay on this rank.
    """

    sends: Array
    rounds: int
    middle: int
    near: int
    phases: tuple[Phase, ...]

    def run(self, sums: Array, transport: Transport) -> Array:
        """Add up rows [A,P] in place; return the whole sum [P]. What else is left in `sums` is partial. Collective."""
        received = sums[:0]
        total: Array = sums[max(self.middle, 0)]  # where the middle is elsewhere, until it arrives
        for phase in self.phases:
            _add(sums, received, phase)
            if phase.route is None:
                continue
            rows = sums[phase.senders]
            rows[phase.answers] = total
            received = transport.forward(rows, phase.route)
            if phase.answered >= 0:
                total = received[phase.answered].copy()
        transport.hand_on(self.near, sums)
        return total.copy()


def plan_tree_sum(transport: Transport) -> TreeSum:
    """Plan the sum over a tree. Collective.

    Raises:
        ValueError: if the graph has a cycle: on it all agents wait for one another.
    """
    shard = transport.shard
    sends, receives, rounds = schedule_tree(transport)
    far = shard.reverse < 0
    exchanges = np.flatnonzero(transport.total(np.bincount(sends[far], minlength=rounds + 1)))
    middle = _middle(shard, receives > sends)
    routes = plan_rounds(shard, sends, receives, rounds)
    between = [routes[number - 1] for number in exchanges]
    slots = _order(shard, sends, receives, middle)
    number = np.searchsorted(exchanges, receives[slots], side="right")
    source = shard.head.copy()
    for route in between:
        source[route.arrivals[route.far_in]] = len(shard.agents) + np.arange(len(route.far_in))
    phases = [
        _phase(shard, source, slots[number == place], route, sends - receives)
        for place, route in enumerate([*between, None])
    ]
    return TreeSum(sends=sends, rounds=rounds, middle=middle, near=int(np.count_nonzero(~far)), phases=tuple(phases))


def _add(sums: Array, received: Array, phase: Phase) -> None:
    agents, add = len(sums), np.add
    for source, target in zip(phase.sources.tolist(), phase.targets.tolist(), strict=True):
        row = sums[target]
        add(row, sums[source] if source < agents else received[source - agents], row)


def _phase(shard: Shard, source: Array, slots: Array, route: Route | None, lag: Array) -> Phase:
    """One phase. lag ``[E]``: rounds between the two messages of a link; the later of the two carries the total."""
    nothing, targets = np.arange(0), shard.tail[slots]
    if route is None:
        return Phase(sources=source[slots], targets=targets, route=None, senders=nothing, answers=nothing, answered=-1)
    leaving, totals = route.edges[route.far_out], np.flatnonzero(lag[route.arrivals[route.far_in]] < 0)
    answers = np.flatnonzero(lag[leaving] > 0)
    return Phase(
        sources=source[slots],
        targets=targets,
        route=route,
        senders=shard.tail[leaving],
        answers=answers,
        answered=int(totals[0]) if len(totals) else -1,
    )


def _middle(shard: Shard, answered: Array) -> int:
    """The first of this rank's agents who is never answered, for it knows the whole sum as soon as anyone; or -1."""
    never = np.flatnonzero(np.bincount(shard.tail[answered], minlength=len(shard.agents)) == 0)
    return int(never[0]) if len(never) else -1


def _order(shard: Shard, sends: Array, receives: Array, middle: int) -> Array:
    """The edges [K] on which partial sums arrive that are to be added, each after all of its sender's own.

    Where the two agents in the middle send to each other in one round and are both on this rank, one of them need not
    add.
    """
    twice = (receives == sends) & (shard.reverse >= 0) & (shard.tail != middle)
    slots = np.flatnonzero((receives <= sends) & ~twice)
    slots = slots[np.lexsort((receives[slots], shard.tail[slots]))]
    tail, near = shard.tail[slots], shard.reverse[slots] >= 0
    child = np.where(near, shard.head[slots], -1)
    rounds = _by_round(receives[slots])
    inside, size = np.zeros(len(shard.agents), dtype=np.int64), np.ones(len(slots), dtype=np.int64)
    for some in rounds:  # from the leaves: how many are added in each subtree
        size[some] += np.where(near[some], inside[child[some]], 0)
        np.add.at(inside, tail[some], size[some])
    begin = np.cumsum(size) - size
    before = begin - begin[np.searchsorted(tail, tail)]
    root = np.ones(len(shard.agents), dtype=bool)
    root[child[near]] = False
    base = np.where(root, np.cumsum(inside * root) - inside, 0)
    last = np.empty(len(slots), dtype=np.int64)
    for some in rounds[::-1]:  # to the leaves: where each subtree stands
        start = base[tail[some]] + before[some]
        base[child[some][near[some]]] = start[near[some]]
        last[some] = start + size[some]
    ordered: Array = slots[np.argsort(last)]
    return ordered


def _by_round(rounds: Array) -> list[Array]:
    """The places of each round, ascending."""
    order = np.argsort(rounds, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(rounds[order])) + 1)
