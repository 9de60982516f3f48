"""When each agent of a tree can speak on each of its edges: once all its other neighbours have spoken to it.

Found by the agents themselves in as many rounds as the tree's diameter, through the transport alone. Speaking in that
order settles any sum over the tree with one message a directed edge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coolgp.network.route import Route
from coolgp.network.topology import Array
from coolgp.network.transport import Transport

__all__ = ["Step", "Sweep", "plan_sweep"]


@dataclass(frozen=True)
class Step:
    """One round of a sweep: the edges on which messages leave, and which arrivals are what.

    partial, final: places among ``route.arrivals`` of first messages on a link, and of answers to one spoken before.
    """

    route: Route
    partial: Array
    final: Array


@dataclass(frozen=True)
class Sweep:
    """steps: what happens in the first, second, ... round; as many as the tree's diameter."""

    steps: tuple[Step, ...]


def plan_sweep(transport: Transport) -> Sweep:
    """Find the round in which each directed edge ``[E]`` of a tree is ready. Collective.

    Raises ValueError where the graph has a cycle: on it everyone waits for everyone.
    """
    tail, agents = transport.shard.tail, transport.shard.agents.size
    ready = np.zeros(tail.size)
    rounds = 0
    while _waiting(ready, transport):
        rounds += 1
        heard = transport.swap(ready[:, None])[:, 0]
        now = (ready == 0) & ~_others_silent(heard == 0, tail, agents)
        if not transport.total(np.array([np.count_nonzero(now)]))[0]:
            raise ValueError("a sweep needs a tree; this graph has a cycle: take its spanning tree first")
        ready[now] = rounds
    coming = transport.swap(ready[:, None])[:, 0]  # the round in which the other end of each edge speaks
    routes = (transport.route(ready == turn) for turn in range(1, rounds + 1))
    return Sweep(tuple(_step(route, ready, coming) for route in routes))


def _step(route: Route, ready: Array, coming: Array) -> Step:
    final = coming[route.arrivals] > ready[route.arrivals]
    return Step(route, np.flatnonzero(~final), np.flatnonzero(final))


def _waiting(ready: Array, transport: Transport) -> bool:
    return bool(transport.total(np.array([np.count_nonzero(ready == 0)]))[0])


def _others_silent(silent: Array, tail: Array, agents: int) -> Array:
    """Whether, on the edge's tail, some neighbour other than the head has not been heard."""
    count = np.bincount(tail, weights=silent, minlength=agents)
    others: Array = count[tail] - silent > 0
    return others
