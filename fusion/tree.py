"""COOL-GP message passing on a spanning tree, in the form that costs an agent O(degree).

An agent's sum is its own contribution and all that its neighbours told it; what it tells one of them is that sum less
what this one told it, so nothing is counted twice. COOL-GP (AAAI-19), section on decentralised fusion.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coolgp.agents.kernels import Array
from coolgp.fusion.sums import SumRule
from coolgp.network.sweep import Sweep, plan_sweep
from coolgp.network.topology import Topology, spanning_tree
from coolgp.network.transport import Transport

__all__ = ["Tree", "TreeState"]


@dataclass(frozen=True)
class TreeState:
    """inbox ``[E, P]``: the newest message on each edge; sums ``[A, P]``; sweep: who can speak when."""

    inbox: Array
    sums: Array
    sweep: Sweep


@dataclass(frozen=True)
class Tree(SumRule):
    """Message passing on a spanning tree: exact after as many rounds as its diameter, and not before."""

    def links(self, topology: Topology) -> Topology:
        """A spanning tree."""
        return spanning_tree(topology)

    def begin(self, values: Array, transport: Transport) -> TreeState:
        """No messages yet."""
        inbox = np.zeros((transport.shard.tail.size, values.shape[1]))
        return TreeState(inbox, values.copy(), plan_sweep(transport))

    def round(self, state: TreeState, values: Array, transport: Transport) -> TreeState:
        """Every agent tells every neighbour its sum less what this neighbour told it."""
        tail = transport.shard.tail
        outbox = _sums(values, state.inbox, tail)[tail]
        outbox -= state.inbox  # an edge must not echo: the neighbour would count its own data twice
        inbox = transport.swap(outbox)
        return TreeState(inbox, _sums(values, inbox, tail), state.sweep)

    def settle(self, state: TreeState, values: Array, transport: Transport) -> TreeState:
        """Each agent speaks on an edge once all others have spoken to it: 2(N-1) messages in diameter rounds.

        Reuses the memory of the state's inbox.
        """
        tail, inbox, sums = transport.shard.tail, state.inbox, values.copy()
        for route, answers in zip(state.sweep.routes, state.sweep.answers, strict=True):
            outbox = sums[tail[route.edges]]
            outbox[answers] -= inbox[route.edges[answers]]  # only these heads have spoken in this sweep
            told = transport.swap(outbox, route)
            inbox[route.arrivals] = told
            _add_rows(sums, tail[route.arrivals], told)
        return TreeState(inbox, sums, state.sweep)

    def sums(self, state: TreeState) -> Array:
        """Own contribution and all that was told."""
        return state.sums


def _sums(values: Array, inbox: Array, tail: Array) -> Array:
    sums = values.copy()
    _add_rows(sums, tail, inbox)
    return sums


def _add_rows(target: Array, places: Array, rows: Array) -> None:
    """``target[places] += rows`` where places ascend and may repeat, in their order."""
    agents, first, count = np.unique(places, return_index=True, return_counts=True)
    for turn in range(int(count.max(initial=0))):
        more = count > turn
        target[agents[more]] += rows[first[more] + turn]
