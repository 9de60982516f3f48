"""COOL-GP message passing on a spanning tree, in the form that costs an agent O(degree).

An agent's sum is its own contribution plus the newest message of each neighbour; its message to a neighbour is that sum
less the neighbour's own message, so nothing is counted twice. COOL-GP (AAAI-19), section on decentralised fusion.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from coolgp.fusion.guarantee import FaultTolerance, Guarantee, Rows, Schedule
from coolgp.fusion.rule import FusionRule
from coolgp.fusion.sums.base import SumRule
from coolgp.fusion.sums.edges import add_rows
from coolgp.fusion.sums.growing_tree import GrowingTree
from coolgp.network.base.arrays import Array
from coolgp.network.graphs.connectivity import diameter, spanning_tree
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.row_axes import PerAgent, PerEdge
from coolgp.network.transport import Transport
from coolgp.network.tree_sum import TreeSum, plan_tree_sum

__all__ = ["Tree", "TreeState"]

WHY = "messages along a spanning tree count every agent once"
SENT_AGAIN = f"{WHY}; what is lost or late is sent again in the next round, until it arrives"
BREAKS = "the tree breaks where an agent or a link goes; a growing tree mends itself"
STANDS = FaultTolerance(
    reaches="exact",
    why=WHY,
    stands=dict.fromkeys(("loss", "delay", "bandwidth"), SENT_AGAIN) | {"one-way links": ""},
    breaks={
        "byzantine agents": "what an agent that is not honest sends is added to every sum beyond it",
        "total loss": "no message ever arrives",
        "churn": BREAKS,
        "absence": BREAKS,
        "moving links": BREAKS,
    },
)
SCHEDULE_NUMBERS, ROUND_BYTES = 10, 2000
"""Of the schedule of a tree sum: numbers for each agent, and bytes for each communication round."""


@dataclass(frozen=True)
class TreeState:
    """inbox ``[E, P]``: the newest message on each edge (0: none yet), or None where none arrived at all.

    sums ``[A, P]``; after a tree sum all agents share one row in memory. tree_sum: its schedule, or None
    where messages may fail, since a tree sum waits for each of them. room ``[A, P]``: memory for the next tree sum.
    """

    inbox: PerEdge | None
    sums: PerAgent
    tree_sum: TreeSum | None
    room: Array | None = None


@dataclass(frozen=True)
class Tree(SumRule):
    """Message passing on a spanning tree: exact after as many rounds as its diameter, and not before.

    Messages may be lost, late or slow: a receiver uses the newest that arrived, and every message is complete in
    itself.
    """

    remembers: ClassVar[int | None] = 0

    def fit(self, topology: Topology, faults: Faults) -> FusionRule:
        """Where agents or links come and go, a tree that the agents grow and re-grow themselves."""
        return self if faults.steady else GrowingTree(self.tolerance, self.most, self.look_every)

    def stands(self) -> FaultTolerance:
        """On a tree no message comes back to its origin, so the newest message on each link is all that counts."""
        return STANDS

    def guarantee(self, topology: Topology, faults: Faults) -> Guarantee:
        """Exact on a tree of links that stay."""
        tree = self.links(topology)
        rounds = diameter(tree)
        schedule = Schedule(8.0 * SCHEDULE_NUMBERS, ROUND_BYTES * rounds) if faults.perfect else Schedule()
        settling = Rows(2.0) if faults.perfect else Rows(7.0, 5.0)  # contributions, sums
        kind, why = self.stands().under(faults)
        return Guarantee(
            kind,
            why,
            rounds=rounds,
            messages=2.0 * tree.edge_count,
            exchanging=Rows(6.0, 4.0),
            settling=settling,
            schedule=schedule,
        )

    def links(self, topology: Topology) -> Topology:
        """A spanning tree."""
        return spanning_tree(topology)

    def begin(self, values: Array, transport: Transport) -> TreeState:
        """No messages yet."""
        sums = values.copy()
        return TreeState(None, sums, plan_tree_sum(transport) if transport.faultless else None, sums)

    def round(self, state: TreeState, values: Array, transport: Transport) -> TreeState:
        """Every agent sends every neighbour its sum less the newest message of this neighbour."""
        tail = transport.shard.tail
        if state.inbox is None:
            outbox = values[tail]
        else:
            outbox = _sums(values, state.inbox, tail)[tail]
            outbox -= state.inbox  # an edge must not echo: the neighbour would count its own data twice
        inbox = _received(state.inbox, outbox, transport)
        return TreeState(inbox, _sums(values, inbox, tail), state.tree_sum)

    def settle(self, state: TreeState, values: Array, transport: Transport) -> TreeState:
        """Each agent sends on an edge once it has received on all others: 2(N-1) messages in diameter rounds.

        An agent that has received on the edge too knows the total and sends it, and the neighbour replaces its own sum:
        in exact arithmetic this equals adding the sum less the echo, and in floating point all agents end with the
        same bits. Where messages may fail, rounds until all sums are exact.
        """
        if state.tree_sum is None:
            settled: TreeState = super().settle(state, values, transport)
            return settled
        room = state.room
        sums = np.empty_like(values) if room is None or room.shape != values.shape else room
        np.copyto(sums, values)
        transport.meter.rounds += state.tree_sum.rounds
        total = state.tree_sum.run(sums, transport)
        return TreeState(None, np.broadcast_to(total, sums.shape), state.tree_sum, sums)

    def sums(self, state: TreeState) -> Array:
        """Own contribution and the newest messages."""
        return state.sums


def _received(inbox: Array | None, outbox: Array, transport: Transport) -> Array:
    """The inbox after the messages ``[E, P]`` were sent: the newest that arrived on each edge."""
    delivery = transport.send(outbox).newest()
    if len(delivery.edges) == len(outbox):
        return delivery.rows
    newest = np.zeros_like(outbox) if inbox is None else inbox.copy()
    newest[delivery.edges] = delivery.rows
    return newest


def _sums(values: Array, inbox: Array, tail: Array) -> Array:
    sums = values.copy()
    add_rows(sums, tail, inbox)
    return sums
