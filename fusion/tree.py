"""COOL-GP message passing on a spanning tree, in the form that costs an agent O(degree).

An agent's sum is its own contribution and all that its neighbours told it; what it tells one of them is that sum less
what this one told it, so nothing is counted twice. COOL-GP (AAAI-19), section on decentralised fusion.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coolgp.agents.kernels import Array
from coolgp.fusion.rule import Outlook
from coolgp.fusion.sums import SumRule
from coolgp.network.axes import PerAgent, PerEdge
from coolgp.network.faults import Faults
from coolgp.network.sweep import Sweep, plan_sweep
from coolgp.network.topology import Topology, diameter, spanning_tree
from coolgp.network.transport import Transport

__all__ = ["Tree", "TreeState"]


@dataclass(frozen=True)
class TreeState:
    """inbox ``[E, P]``: the newest message on each edge, or None; sums ``[A, P]``; sweep: who speaks when."""

    inbox: PerEdge | None
    sums: PerAgent
    sweep: Sweep


@dataclass(frozen=True)
class Tree(SumRule):
    """Message passing on a spanning tree: exact after as many rounds as its diameter, and not before."""

    def outlook(self, topology: Topology, faults: Faults) -> Outlook:
        """Exact on a tree: nothing can come back to where it came from."""
        tree = self.links(topology)
        why = "messages along a spanning tree count every agent once"
        return Outlook("exact", why, diameter(tree), None, 2.0 * tree.edge_count)

    def links(self, topology: Topology) -> Topology:
        """A spanning tree."""
        return spanning_tree(topology)

    def begin(self, values: Array, transport: Transport) -> TreeState:
        """No messages yet."""
        return TreeState(None, values.copy(), plan_sweep(transport))

    def round(self, state: TreeState, values: Array, transport: Transport) -> TreeState:
        """Every agent tells every neighbour its sum less what this neighbour told it."""
        tail = transport.shard.tail
        if state.inbox is None:
            outbox = values[tail]
        else:
            outbox = _sums(values, state.inbox, tail)[tail]
            outbox -= state.inbox  # an edge must not echo: the neighbour would count its own data twice
        inbox = transport.swap(outbox)
        return TreeState(inbox, _sums(values, inbox, tail), state.sweep)

    def settle(self, state: TreeState, values: Array, transport: Transport) -> TreeState:
        """Each agent speaks on an edge once all others have spoken to it: 2(N-1) messages in diameter rounds.

        To a neighbour that has spoken on the edge before, it knows everything and says the sum itself, which the
        neighbour takes over in place of its own: in exact arithmetic what adding the sum less the echo gives, and in
        floating point all agents end with the same bits.
        """
        tail, sums = transport.shard.tail, values.copy()
        transport.meter.rounds += len(state.sweep.steps)
        for step in state.sweep.steps:
            told = transport.swap(sums[tail[step.route.edges]], step.route)
            at = tail[step.route.arrivals]
            _add_rows(sums, at[step.partial], told[step.partial])
            sums[at[step.final]] = told[step.final]
        return TreeState(None, sums, state.sweep)

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
