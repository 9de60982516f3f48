"""Message passing on a spanning tree that the agents grow themselves, while agents and links come and go.

Each tree has a key (epoch, root), and higher keys win. An agent that receives a higher key joins that tree with the
neighbour as its parent; one whose parent link fails founds a new tree, with a higher epoch. Keys of an agent only rise
and no key is founded twice, so an agent joins a tree once at most and never changes its parent in it. Hence who is
whose parent under one key is a forest that only grows; messages carry the key and go along its links alone, and so no
agent is ever counted twice, not even by messages that are late.

An agent that is cut off keeps its key and its parent. If it finds the parent's link and tree again, it goes on as a
leaf of it, and no tree has to be grown again: its place in the forest is the old one, so nothing old can count it
again.

Sums as in COOL-GP (AAAI-19), section on decentralised fusion; growing in the manner of R. Perlman, "An algorithm for
distributed computation of a spanning tree in an extended LAN", SIGCOMM 1985, with epochs in place of time-outs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from coolgp.fusion.guarantee import FaultTolerance, Guarantee, Rows
from coolgp.fusion.sums.base import SumRule
from coolgp.fusion.sums.edges import add_rows, furthest
from coolgp.network.base.arrays import Array
from coolgp.network.delivery import Delivery
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.row_axes import PerAgent, PerEdge
from coolgp.network.transport import Transport

__all__ = ["GrowingTree", "GrowingTreeState"]

NOT_COUNTED = "no agent is counted twice, but those that are away or not yet linked again are not counted"
STANDS = FaultTolerance(
    reaches="exact",
    why="the agents grow a spanning tree, and messages along it count every agent once",
    stands=dict.fromkeys(("loss", "delay", "bandwidth", "one-way links"), ""),
    breaks={
        "byzantine agents": "an agent that is not honest breaks the tree, or spoils the sums beyond it",
        "total loss": "no message ever arrives",
        "churn": NOT_COUNTED,
        "absence": NOT_COUNTED,
        "moving links": NOT_COUNTED,
    },
)


@dataclass(frozen=True)
class GrowingTreeState:
    """Each agent's place in its tree, and what it received along it.

    key ``[A, 2]`` int64: epoch and root's global id; parent ``[E]`` bool: the edge to the agent's parent, if it has
    one; heard ``[E]`` bool: whether a message of this tree arrived on the edge and its link has worked since; inbox
    ``[E, P]``: the newest such message, 0 where none; sums ``[A, P]``.
    """

    key: PerAgent
    parent: PerEdge
    heard: PerEdge
    inbox: PerEdge
    sums: PerAgent


@dataclass(frozen=True)
class GrowingTree(SumRule):
    """Message passing on a tree that agents grow and re-grow: no agent is ever counted twice.

    Where agents and links stay for long enough, each has counted exactly those that it is linked to over any number of
    hops: without failures within three times the largest distance from the root. A round sends under two tags: ``tree``
    (the key, 2 numbers, on every link that works) and ``values`` (the key and a row, on links of the tree). Single
    precision holds keys of up to 2²⁴ agents.
    """

    def stands(self) -> FaultTolerance:
        """The sum of all that are linked, once changes cease; while they go on, some may be missing, none twice."""
        return STANDS

    def guarantee(self, topology: Topology, faults: Faults) -> Guarantee:
        """Exact unless agents or links come and go."""
        kind, why = self.stands().under(faults)
        return Guarantee(
            kind,
            why,
            rounds=3 * furthest(topology),
            messages=2.0 * topology.edge_count + 2.0 * (topology.size - 1),
            exchanging=Rows(6.0, 4.5),  # inboxes: of the last state, this one
            settling=Rows(7.0, 5.5),
        )

    def begin(self, values: Array, transport: Transport) -> GrowingTreeState:
        """Every agent is the root of a tree of its own."""
        own, edges = transport.shard.agents, len(transport.shard.tail)
        key = np.stack([np.zeros_like(own), own], axis=1).astype(np.int64)
        no_edge = np.zeros(edges, dtype=bool)
        return GrowingTreeState(
            key=key,
            parent=no_edge,
            heard=no_edge,
            inbox=np.zeros((edges, values.shape[1]), dtype=values.dtype),
            sums=values.copy(),
        )

    def round(self, state: GrowingTreeState, values: Array, transport: Transport) -> GrowingTreeState:
        """Leave trees whose link is gone, join higher ones, send parent and children the sum less their message."""
        state = _adopt(_leave(state, transport), transport)
        return _pass_on(state, values, transport)

    def sums(self, state: GrowingTreeState) -> Array:
        """Own contribution and the newest messages of this tree."""
        return state.sums


def _leave(state: GrowingTreeState, transport: Transport) -> GrowingTreeState:
    """Drop what arrived over links that are down; start a new tree where the parent's link is down, unless all are."""
    shard, up = transport.shard, transport.up
    orphan = _any_edge(state.parent & ~up, transport) & _any_edge(up, transport)
    key = state.key.copy()
    key[orphan, 0] += 1
    key[orphan, 1] = shard.agents[orphan]
    stays = ~orphan[shard.tail]
    return _forget(replace(state, key=key, parent=state.parent & stays), up & stays)


def _adopt(state: GrowingTreeState, transport: Transport) -> GrowingTreeState:
    """Send the key to all neighbours; join the highest that arrives if it is higher than the agent's own."""
    tail = transport.shard.tail
    delivery = transport.send(state.key[tail], tag="tree").newest()
    higher = _higher(delivery.rows, state.key[tail[delivery.edges]]) & transport.up[delivery.edges]
    edges, keys = delivery.edges[higher], delivery.rows[higher]
    order = np.lexsort((edges, -keys[:, 1], -keys[:, 0], tail[edges]))
    agents, first = np.unique(tail[edges[order]], return_index=True)
    key, parent, stays = state.key.copy(), state.parent.copy(), np.ones(len(tail), dtype=bool)
    stays[np.isin(tail, agents)] = False
    parent[~stays] = False
    parent[edges[order[first]]] = True
    key[agents] = keys[order[first]]
    return _forget(replace(state, key=key, parent=parent), stays)


def _pass_on(state: GrowingTreeState, values: Array, transport: Transport) -> GrowingTreeState:
    """Send parent and children the sum less their message; accept what arrives if it is of the same tree."""
    tail, up = transport.shard.tail, transport.up
    edges = np.flatnonzero((state.parent | state.heard) & up)
    rows = np.empty((len(edges), 2 + values.shape[1]), dtype=values.dtype)
    rows[:, :2] = state.key[tail[edges]]
    rows[:, 2:] = _sums(state, values, tail)[tail[edges]] - state.inbox[edges]
    delivery = transport.send(rows, edges)
    mine = (delivery.rows[:, :2] == state.key[tail[delivery.edges]]).all(axis=1) & up[delivery.edges]
    delivery = Delivery(delivery.edges[mine], delivery.rows[mine]).newest()
    heard, inbox = state.heard.copy(), state.inbox.copy()
    heard[delivery.edges], inbox[delivery.edges] = True, delivery.rows[:, 2:]
    state = replace(state, heard=heard, inbox=inbox)
    return replace(state, sums=_sums(state, values, tail))


def _sums(state: GrowingTreeState, values: Array, tail: Array) -> Array:
    sums, edges = values.copy(), np.flatnonzero(state.heard)
    add_rows(sums, tail[edges], state.inbox[edges])
    return sums


def _forget(state: GrowingTreeState, stays: Array) -> GrowingTreeState:
    """The state without what arrived on edges where the mask ``[E]`` is false."""
    gone = state.heard & ~stays
    if not gone.any():
        return state
    inbox = state.inbox.copy()
    inbox[gone] = 0.0
    return replace(state, heard=state.heard & stays, inbox=inbox)


def _higher(key: Array, than: Array) -> Array:
    """Which keys ``[K, 2]`` are higher: a later epoch, or the same and a root of a higher id."""
    higher: Array = (key[:, 0] > than[:, 0]) | ((key[:, 0] == than[:, 0]) & (key[:, 1] > than[:, 1]))
    return higher


def _any_edge(mask: Array, transport: Transport) -> Array:
    """Which agents ``[A]`` have an edge where the mask ``[E]`` is true."""
    agents: Array = np.bincount(transport.shard.tail[mask], minlength=len(transport.shard.agents)) > 0
    return agents
