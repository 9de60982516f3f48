"""When each agent of a tree can speak on each of its edges: once all its other neighbours have spoken to it.

Found by the agents themselves in as many rounds as the tree's diameter, through the transport alone. Speaking in that
order settles any sum over the tree with one message a directed edge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coolgp.network.topology import Array
from coolgp.network.transport import Route, Transport

__all__ = ["Sweep", "plan_sweep"]


@dataclass(frozen=True)
class Sweep:
    """routes: the edges on which messages leave in the first, second, ... round; as many as the tree's diameter.

    answers: for each of them, which of its messages go to an agent that has spoken on this edge in an earlier round.
    """

    routes: tuple[Route, ...]
    answers: tuple[Array, ...]


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
    spoken = transport.swap(ready[:, None])[:, 0]
    routes = tuple(transport.route(ready == turn) for turn in range(1, rounds + 1))
    return Sweep(routes, tuple(np.flatnonzero(spoken[route.edges] < ready[route.edges]) for route in routes))


def _waiting(ready: Array, transport: Transport) -> bool:
    return bool(transport.total(np.array([np.count_nonzero(ready == 0)]))[0])


def _others_silent(silent: Array, tail: Array, agents: int) -> Array:
    """Whether, on the edge's tail, some neighbour other than the head has not been heard."""
    count = np.bincount(tail, weights=silent, minlength=agents)
    others: Array = count[tail] - silent > 0
    return others
