"""Flooding: every agent forwards to every neighbour each row of another agent that the neighbour does not have yet.

No sums are sent, so no agent is counted twice, whatever path its row takes: exact on any connected graph after as many
rounds as its diameter, at the price of N rows over every link. In the manner of a link-state protocol:
J. McQuillan, I. Richer, E. Rosen, "The new routing algorithm for the ARPANET", IEEE Trans. Communications 1980.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from coolgp.fusion.guarantee import FaultTolerance, Guarantee, Rows
from coolgp.fusion.sums.base import FITTED, SumRule
from coolgp.fusion.sums.edges import furthest
from coolgp.network.base.arrays import Array
from coolgp.network.graphs.search import breadth_first
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.row_axes import PerAgent, PerEdge
from coolgp.network.transport import Transport

__all__ = ["Flood", "FloodState"]

WHY = "every agent receives every other's row by itself"
OFFERED_AGAIN = f"{WHY}, and what is lost is offered again"
STANDS = FaultTolerance(
    reaches="exact",
    why=WHY,
    stands=dict.fromkeys(("loss", "delay", "bandwidth", "moving links", "one-way links"), OFFERED_AGAIN),
    breaks={
        "byzantine agents": "neighbours cannot tell what a byzantine agent makes up of others from what it received",
        "total loss": "no message ever arrives",
        **dict.fromkeys(("churn", "absence"), "of an agent that is away, the others have its last row only"),
    },
)
MOST_BYTES = 4 * 10**9  # of all rows that all agents keep


@dataclass(frozen=True)
class FloodState:
    """The rows that each agent has of all agents, and what it knows of its neighbours.

    values ``[A, N, P]``: newest contribution of each agent that arrived, by global id; version ``[A, N]`` int32: its
    number, 0 where none arrived; told ``[E, N]`` int32: newest version that the neighbour on the edge is known to have;
    wait ``[E, N]`` int32: rounds before a row is offered to it again; sums ``[A, P]``.
    """

    values: PerAgent
    version: PerAgent
    told: PerEdge
    wait: PerEdge
    sums: PerAgent


@dataclass(frozen=True)
class Flood(SumRule):
    """Every agent forwards every row: exact after diameter rounds, also where links are lossy or one-way.

    Where messages may fail, neighbours send each other in every round which versions they have (tag ``have``, 4N bytes
    on every link); a row that a neighbour does not have is offered to it, and again after more than ``patience``
    rounds.

    patience: rounds before a row that was not acknowledged is offered again. instead: what a user can take where all
    rows would not fit in memory.
    """

    patience: int = 3
    instead: str = field(default='fusion.rule = "tree" or "push-sum", which keep one row a link', metadata=FITTED)

    def __post_init__(self) -> None:
        if self.patience < 0:
            raise ValueError(f"flood needs patience of 0 rounds or more; got {self.patience}")

    def stands(self) -> FaultTolerance:
        """Rows are passed on one by one, so a row that is lost can be sent again, and none is counted twice."""
        return STANDS

    def guarantee(self, topology: Topology, faults: Faults) -> Guarantee:
        """Exact on any connected graph, at a price."""
        kind, why = self.stands().under(faults)
        price = f"costs {topology.size} rows over every link for each new set of statistics"
        rows = _rows(topology)
        return Guarantee(
            kind,
            f"{why}; {price}",
            rounds=furthest(topology),
            messages=2.0 * topology.edge_count,
            exchanging=rows,
            settling=rows,
        )

    def begin(self, values: Array, transport: Transport) -> FloodState:
        """Every agent has its own contribution. Raises ValueError where all rows would not fit in memory."""
        shard, (agents, row) = transport.shard, values.shape
        _check_memory(shard.size, row, values.itemsize, self.instead)
        state = FloodState(
            values=np.zeros((agents, shard.size, row), dtype=values.dtype),
            version=np.zeros((agents, shard.size), dtype=np.int32),
            told=np.zeros((len(shard.tail), shard.size), dtype=np.int32),
            wait=np.zeros((len(shard.tail), shard.size), dtype=np.int32),
            sums=np.zeros((agents, row), dtype=values.dtype),
        )
        return _learn_own(state, values, transport)

    def round(self, state: FloodState, values: Array, transport: Transport) -> FloodState:
        """Send the rows that neighbours do not have; store those that arrive."""
        state = _learn_own(state, values, transport)
        if not transport.faultless:
            state = _compare(state, transport)
        return _hand_on(state, self.patience, transport)

    def settle(self, state: FloodState, values: Array, transport: Transport) -> FloodState:
        """Rounds until all agents have all rows; where nothing fails, checked in every round."""
        settled: FloodState = SumRule.settle(
            replace(self, look_every=1) if transport.faultless else self, state, values, transport
        )
        return settled

    def sums(self, state: FloodState) -> Array:
        """The sum of all rows, added in the order of the agents' ids: agents with the same rows have the same bits."""
        return state.sums


def _rows(topology: Topology) -> Rows:
    """All rows four times, and three times those that are handed on in the round in which most are.

    Every agent sends over each edge what is new to it: in one round, the rows of agents at one distance.
    """
    start = int(topology.degree.argmax())
    ring = np.bincount(breadth_first(topology.matrix(), start)[1]).max() / topology.size
    return Rows(3.0, per_pair=4.0 + 3.0 * ring * float(topology.degree.mean()))


def _learn_own(state: FloodState, values: Array, transport: Transport) -> FloodState:
    """Own contributions ``[A, P]``: a new version where one has changed."""
    agents, own = np.arange(len(values)), transport.shard.agents
    new = (state.version[agents, own] == 0) | (state.values[agents, own] != values).any(axis=1)
    version = state.version[agents, own] + 1
    return _learn(state, agents[new], own[new], version[new], values[new], transport)


def _compare(state: FloodState, transport: Transport) -> FloodState:
    """Exchange versions with all neighbours; what was offered over a link that is down counts as not offered."""
    delivery = transport.send(state.version[transport.shard.tail], tag="have").newest()
    known_there = state.told.copy()
    known_there[delivery.edges] = np.maximum(known_there[delivery.edges], delivery.rows)
    wait = np.where(transport.up[:, None], np.maximum(state.wait - 1, 0), 0)
    return replace(state, told=known_there, wait=wait)


def _hand_on(state: FloodState, patience: int, transport: Transport) -> FloodState:
    """Send the rows (origin, version, values) that neighbours are not known to have, and store those that arrive."""
    tail = transport.shard.tail
    offer = (state.version[tail] > state.told) & (state.wait == 0) & transport.up[:, None]
    edges, origin = np.nonzero(offer)
    rows = np.empty((len(edges), 2 + state.values.shape[2]), dtype=state.values.dtype)
    rows[:, 0], rows[:, 1] = origin, state.version[tail[edges], origin]
    rows[:, 2:] = state.values[tail[edges], origin]
    delivery = transport.send(rows, edges)
    known_there, wait = state.told.copy(), state.wait.copy()
    if transport.faultless:
        known_there[offer] = rows[:, 1]
    else:
        wait[offer] = patience + 1
    sound = _sound(delivery.rows, transport.shard.size)
    edges, origin, version = delivery.edges[sound], *delivery.rows[sound, :2].T.astype(np.int32)
    np.maximum.at(known_there, (edges, origin), version)  # of any order
    state = replace(state, told=known_there, wait=wait)
    return _learn(state, tail[edges], origin, version, delivery.rows[sound, 2:], transport)


def _sound(rows: Array, size: int) -> Array:
    """Which rows name an agent and a version: those of a byzantine agent need not."""
    named = (rows[:, 0] >= 0) & (rows[:, 0] < size) & (rows[:, 1] >= 1) & (rows[:, 1] < 2**31)
    sound: Array = named & (rows[:, :2] == np.floor(rows[:, :2])).all(axis=1)
    return sound


def _learn(
    state: FloodState, agent: Array, origin: Array, version: Array, rows: Array, transport: Transport
) -> FloodState:
    """Local agents ``[K]`` store rows ``[K, P]`` of others: for each, the newest that is newer than its own."""
    newer = np.flatnonzero(version > state.version[agent, origin])
    if not len(newer):
        return state
    pick = newer[np.lexsort((version[newer], origin[newer], agent[newer]))]
    who, of = agent[pick], origin[pick]
    pick = pick[np.append((who[1:] != who[:-1]) | (of[1:] != of[:-1]), True)]
    values, versions, sums = state.values.copy(), state.version.copy(), state.sums.copy()
    values[agent[pick], origin[pick]], versions[agent[pick], origin[pick]] = rows[pick], version[pick]
    learned = np.unique(agent[pick])
    sums[learned] = np.add.reduce(values[learned], axis=1)
    tail = transport.shard.tail
    wait = np.where(versions[tail] > state.version[tail], 0, state.wait)  # what is new was never offered
    return FloodState(values=values, version=versions, told=state.told, wait=wait, sums=sums)


def _check_memory(size: int, row: int, itemsize: int, instead: str) -> None:
    needed = size * size * row * itemsize
    if needed > MOST_BYTES:
        raise ValueError(
            f"flood keeps a row of {row} numbers of each of {size} agents at each: {needed / 1e9:.1f} GB in all, more "
            f"than {MOST_BYTES / 1e9:g} GB; take {instead}"
        )
