"""Push-sum with running sums: the exact sum in the limit over links that lose messages or go one way.

Every agent divides its values, and a weight that starts at 1, equally among itself and the neighbours that it can
reach; the quotient of the two tends to the mean at all agents (Kempe, Dobra & Gehrke, FOCS 2003). On a link that may
fail a message carries the running sum of all that was pushed on the link, and the receiver takes the difference to what
it had received: the next message makes up for a lost one (Hadjicostis, Vaidya & Domínguez-García, IEEE TAC 2016).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike
from scipy.sparse import csr_array

from coolgp.agents.base.arrays import Array
from coolgp.fusion.guarantee import Conflict, FaultTolerance, Guarantee, Rows
from coolgp.fusion.sums.averages import AveragingRule
from coolgp.fusion.sums.averaging import Average, average_blocks, mix
from coolgp.fusion.sums.base import Reader, take_in
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.mixing import Mixing, edge_sums, local_mixing
from coolgp.network.row_axes import PerAgent, PerEdge
from coolgp.network.shard import Shard
from coolgp.network.spectrum import interval, rounds_to
from coolgp.network.transport import Transport

__all__ = ["PushSum", "PushSumState", "push_sum_eigenvalue"]

WHY = "the next message on a link makes up for a lost one, so no mass is ever lost"
LINKED = f"{WHY}, and the sum is reached as far as all stay linked in the end"
STANDS = FaultTolerance(
    reaches="asymptotic",
    why=WHY,
    stands=dict.fromkeys(("loss", "delay", "bandwidth", "one-way links"), "")
    | dict.fromkeys(("churn", "absence", "moving links"), LINKED),
    breaks={
        "byzantine agents": "a byzantine agent adds mass",
        "total loss": "no message ever arrives",
    },
    conflicts=(
        Conflict(
            frozenset({"moving links"}),
            frozenset({"loss", "delay", "bandwidth"}),
            "what has not arrived when a link goes for good is lost with it",
        ),
    ),
)
LEAST_WEIGHT = 2.0**-10
"""An agent with less than this has pushed nearly all its mass and received none for long: it waits for more. Otherwise
delays or bursts of a hundred rounds would leave it without mass, and the quotient would be rounding errors."""


@dataclass(frozen=True)
class PushSumState:
    """The mass of agents, and on links that may fail the running sums of what went over them.

    mass ``[A, P+1]``: contributions, then the weight. pushed, received ``[E, P+1]``: sums of all that was pushed on
    each edge, and of all that arrived on it from its head; None where nothing fails. Over all agents, mass and
    ``pushed - received`` add up to the contributions ``values [A, P]`` and to N, in every round. everyone: ones
    for an agent itself and its neighbours, in place of weights.
    """

    mass: PerAgent
    values: PerAgent
    pushed: PerEdge | None
    received: PerEdge | None
    everyone: Mixing
    size: int


@dataclass(frozen=True)
class PushSum(AveragingRule):
    """Shares of all mass with the neighbours: exact in the limit under loss, delay, one-way links and outages."""

    remembers: ClassVar[int | None] = 1

    def stands(self) -> FaultTolerance:
        """No mass is lost as long as every link delivers another message in the end."""
        return STANDS

    def guarantee(self, topology: Topology, faults: Faults) -> Guarantee:
        """Asymptotic at the rate of the second eigenvalue of the shares."""
        rate, (kind, why) = push_sum_eigenvalue(topology), self.stands().under(faults)
        # Where links may fail: what was pushed and received, of the first state, the last, this one and the next.
        rows = (Rows(3.0, columns=96), Rows(3.3, columns=96)) if faults.perfect else (Rows(7.0, 7.6), Rows(8.0, 9.6))
        return Guarantee(
            kind,
            why,
            rounds=rounds_to(self.tolerance, rate),
            gap=1.0 - rate,
            messages=float(len(topology.indices)),
            exchanging=rows[0],
            settling=rows[1],
        )

    def begin(self, values: Array, transport: Transport) -> PushSumState:
        """Every agent starts with its own contribution and the weight 1."""
        shard = transport.shard
        mass = np.concatenate([values, np.ones((len(values), 1), dtype=values.dtype)], axis=1)
        nothing = None if transport.faultless else np.zeros((len(shard.tail), mass.shape[1]), dtype=mass.dtype)
        return PushSumState(
            mass=mass,
            values=values,
            pushed=nothing,
            received=nothing,
            everyone=_everyone(shard, mass.dtype),
            size=shard.size,
        )

    def round(self, state: PushSumState, values: Array, transport: Transport) -> PushSumState:
        """Take in what is new, then share it with all neighbours that can be reached."""
        take_in(state.mass[:, :-1], values, state.values)
        if state.pushed is None or state.received is None:
            mass = mix(state.mass / _parts(state, transport), state.everyone, transport)
            return replace(state, mass=mass, values=values)
        mass, pushed, received = push(state.mass, state.pushed, state.received, transport)
        return PushSumState(
            mass=mass, values=values, pushed=pushed, received=received, everyone=state.everyone, size=state.size
        )

    def rounds(self, state: PushSumState, values: Array, transport: Transport, count: int) -> PushSumState:
        """So many rounds: on a faultless network in one pass over memory, in place, with the same bits."""
        if state.pushed is not None or not count:
            plain: PushSumState = super().rounds(state, values, transport, count)
            return plain
        mass, parts = state.mass, _parts(state, transport)
        take_in(mass[:, :-1], values, state.values)

        def several(columns: slice, average: Average) -> None:
            block = np.ascontiguousarray(mass[:, columns])
            for _ in range(count):
                block = average(block / parts)
            mass[:, columns] = block

        average_blocks(several, mass, state.everyone, transport, count)
        return replace(state, values=values)

    def sums(self, state: PushSumState) -> Array:
        """N times the quotient of contributions and weight."""
        return self.reader(state)(slice(None), slice(None))

    def reader(self, state: PushSumState) -> Reader:
        """The same, a part at a time."""
        mass, weight = state.mass[:, :-1], state.mass[:, -1:]
        return lambda agents, columns: np.asarray(mass[agents, columns] / weight[agents] * state.size)

    def own(self, state: PushSumState) -> Array:
        """The contributions that were taken in last."""
        return state.values


def _everyone(shard: Shard, dtype: DTypeLike) -> Mixing:
    """Own share and the neighbours', in the order of the graph."""
    mixing = local_mixing(shard, dtype=dtype)
    for matrix in (mixing.matrix, mixing.inner, mixing.outer):
        matrix.data[:] = 1.0
    return mixing


def _parts(state: PushSumState, transport: Transport) -> Array:
    """Into how many parts each agent divides its mass ``[A, 1]``."""
    return np.asarray(1 + transport.shard.degree[: len(state.mass), None]).astype(state.mass.dtype)


def push(mass: Array, pushed: Array, received: Array, transport: Transport) -> tuple[Array, Array, Array]:
    """One round over links that may fail: returns mass, pushed and received after it."""
    tail, up = transport.shard.tail, transport.up
    parts = 1 + np.bincount(tail[up], minlength=len(mass))[:, None]
    share = np.where(mass[:, -1:] < LEAST_WEIGHT, 0.0, mass / parts.astype(mass.dtype))
    after = share[tail]
    after[~up] = 0.0
    after += pushed
    # Large running sums round off a part of a share: it stays at home, or it would be lost.
    left = mass - edge_sums(tail, after - pushed, len(mass))
    delivery = transport.send(after).newest()
    if len(delivery.edges) == len(tail):
        return left + edge_sums(tail, delivery.rows - received, len(mass)), after, delivery.rows
    increments = received[delivery.edges]
    np.subtract(delivery.rows, increments, out=increments)
    left += edge_sums(tail[delivery.edges], increments, len(mass))
    received = received.copy()
    received[delivery.edges] = delivery.rows
    return left, after, received


def push_sum_eigenvalue(topology: Topology) -> float:
    """The second eigenvalue's modulus of the shares ``1/(1+d_j)`` that each agent j gives where nothing fails.

    That matrix is column-stochastic and similar to a symmetric one, ``S_ij = (d_i+1)^-½ (d_j+1)^-½`` on links and at
    home, with the eigenvector ``(d_i+1)^½``.
    """
    root = np.sqrt(1.0 + topology.degree)
    data = 1.0 / (root[topology.tail] * root[topology.indices])
    shape, diagonal = (topology.size, topology.size), np.arange(topology.size)
    links = csr_array((data, topology.indices, topology.indptr), shape=shape)
    low, high = interval(csr_array(links + csr_array((root**-2, (diagonal, diagonal)), shape=shape)), root)
    return max(abs(low), abs(high))
