"""Randomised gossip: in every round agents pair up at random, and each pair takes its mean.

S. Boyd, A. Ghosh, B. Prabhakar & D. Shah, "Randomized gossip algorithms", IEEE Transactions on Information Theory 2006,
in parallel rounds. A coin makes each agent caller or listener; a caller calls a random neighbour that it can reach and
sends a number that it drew; a listener answers the caller with the least number by its value; that caller sends half of
the difference back. One agent gives what the other takes: the sum is kept unless this hand-over is lost.

Where messages are late a listener that answered takes part in nothing else until the hand-over arrives: otherwise many
agents would use one old value, and differences would grow without bound (on a ring of 10 agents with messages 5 rounds
late).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike

from coolgp.fusion.guarantee import Conflict, FaultTolerance, Guarantee, Rows
from coolgp.fusion.sums.averages import AveragingRule
from coolgp.fusion.sums.base import FITTED, Reader, multiples
from coolgp.network.base.arrays import Array
from coolgp.network.base.randomness import generator
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.mixing import edge_sums, weighted
from coolgp.network.row_axes import PerAgent
from coolgp.network.spectrum import interval, rounds_to
from coolgp.network.transport import Transport

__all__ = ["Gossip", "GossipState", "meeting_probability"]

LATE, UNSTEADY = ("delay", "bandwidth"), ("churn", "absence", "moving links")
DRIFTS = "where a hand-over is lost, one of a pair gave what the other never received: the mean drifts"
STANDS = FaultTolerance(
    reaches="asymptotic",
    why="pairs take their mean, so the sum is kept, and in time everyone meets every neighbour",
    stands=dict.fromkeys((*LATE, *UNSTEADY, "one-way links"), ""),
    breaks={"byzantine agents": "one byzantine agent moves the mean of all", "loss": DRIFTS, "total loss": DRIFTS},
    conflicts=(Conflict(frozenset(LATE), frozenset(UNSTEADY), DRIFTS),),  # a link that goes down loses what it carries
)
FOREVER = 1 << 62  # rounds
SLOW = 5  # rounds that a message is assumed to take where bandwidth is limited


@dataclass(frozen=True)
class GossipState:
    """estimate, values ``[A, P]``: of the mean, and contributions taken in; turn ``[A]``: rounds so far.

    waiting ``[A]``: rounds for which an agent that answered goes on waiting for the hand-over, 0 for one that is free.
    """

    estimate: PerAgent
    values: PerAgent
    turn: PerAgent
    waiting: PerAgent
    size: int


@dataclass(frozen=True)
class Gossip(AveragingRule):
    """Means of random pairs of neighbours: few messages a round, exact in the limit.

    seed: of the coins and calls.

    patience: rounds that an agent which answered waits for a late hand-over; :meth:`fit` finds it.
    """

    seed: int = 0
    patience: int = field(default=0, metadata=FITTED)
    remembers: ClassVar[int | None] = 1

    def fit(self, topology: Topology, faults: Faults) -> Gossip:
        """Wait for a late hand-over: for ever where it must arrive, else for a multiple of the usual time."""
        if faults.timely:
            return replace(self, patience=0)
        usual = math.ceil(faults.delay) + (0 if faults.bandwidth is None else SLOW)
        return replace(self, patience=FOREVER if faults.lossless and faults.steady else 3 * usual)

    def stands(self) -> FaultTolerance:
        """The sum is kept while nothing that one agent hands over is lost."""
        return STANDS

    def guarantee(self, topology: Topology, faults: Faults) -> Guarantee:
        """Asymptotic at the rate of the mean averaging matrix.

        rounds: by which the mean square of the disagreement is below the tolerance's square, after Boyd et al.: with
        second eigenvalue λ of the mean ``E[W]`` of a round's averaging matrix (a projection, so ``WᵀW = W``) it shrinks
        at least by λ a round. On rings and the like half as many are enough. ``E[W]`` is in closed form, see
        :func:`meeting_probability`. gap: ``1-λ``.
        """
        meet = meeting_probability(topology)
        rate = interval(weighted(topology, meet / 2))[1]
        messages = np.count_nonzero(topology.degree) / 2 + meet.sum()
        kind, why = self.stands().under(faults)
        return Guarantee(
            kind,
            why,
            rounds=rounds_to(self.tolerance**2, rate),
            gap=1.0 - rate,
            messages=float(messages),
            exchanging=Rows(8.0),
            settling=Rows(9.0),
        )

    def begin(self, values: Array, transport: Transport) -> GossipState:
        """Every agent's estimate is its own contribution."""
        turn, waiting = np.zeros((2, len(values)), dtype=np.int64)
        return GossipState(estimate=values.copy(), values=values, turn=turn, waiting=waiting, size=transport.shard.size)

    def round(self, state: GossipState, values: Array, transport: Transport) -> GossipState:
        """Take in what is new, pair up, and take the mean of each pair."""
        fresh, waiting = state.estimate + (values - state.values), np.maximum(state.waiting - 1, 0)
        draws = self._draws(int(state.turn.max(initial=0)), transport)
        answering = accepted_calls(draws, waiting == 0, transport, values.dtype)
        waiting[transport.shard.tail[answering]] = self.patience
        fresh, paid = hand_over(fresh, waiting > 0, answering, transport)
        waiting[paid] = 0
        return GossipState(estimate=fresh, values=values, turn=state.turn + 1, waiting=waiting, size=state.size)

    def sums(self, state: GossipState) -> Array:
        """N times the estimate of the mean."""
        return state.estimate * state.size

    def reader(self, state: GossipState) -> Reader:
        """The same, a part at a time."""
        return multiples(state.estimate, state.size)

    def own(self, state: GossipState) -> Array:
        """The contributions that were taken in last."""
        return state.values

    def _draws(self, turn: int, transport: Transport) -> Array:
        """Three numbers in [0, 1) for each agent ``[A, 3]``, drawn for all N: coin, neighbour to call, urgency."""
        drawn = generator(self.seed, "gossip", 0, turn).random((transport.shard.size, 3))
        return np.asarray(drawn[transport.shard.agents])


def accepted_calls(draws: Array, free: Array, transport: Transport, kind: DTypeLike = np.float64) -> Array:
    """The edges ``[K]``, ascending and one an agent at most, on which listeners answer the callers that they take.

    Only agents that are free ``[A]`` call or listen. kind: dtype of the number that a caller sends.
    """
    tail, open_edges = transport.shard.tail, np.flatnonzero(transport.up)
    degree = np.bincount(tail[open_edges], minlength=len(draws))
    coin = draws[:, 0] < 0.5
    callers = np.flatnonzero(coin & free & (degree > 0))
    choice = (draws[callers, 1] * degree[callers]).astype(np.int64)
    called = open_edges[(np.cumsum(degree) - degree)[callers] + choice]
    calls = transport.send(draws[callers, 2:].astype(kind, copy=False), called, "call").newest()
    listens = np.asarray(free & ~coin)[tail[calls.edges]] & transport.up[calls.edges]  # it can answer
    edges, urgency = calls.edges[listens], calls.rows[listens, 0]
    edges = edges[np.lexsort((urgency, tail[edges]))]
    return np.asarray(edges[np.unique(tail[edges], return_index=True)[1]])


def hand_over(values: Array, waiting: Array, answering: Array, transport: Transport) -> tuple[Array, Array]:
    """Listeners send their values ``[A, P]`` on the edges ``[K]``; callers hand over half of the difference.

    A caller that by now is waiting ``[A]`` itself hands over nothing, which sets the listener free. Returns the values
    after it, and the agents that received a hand-over.
    """
    tail = transport.shard.tail
    answers = transport.send(values[tail[answering]], answering, "answer").newest()
    going = transport.up[answers.edges]  # an answer can be late, and its link gone
    edges, rows = answers.edges[going], answers.rows[going]
    at = tail[edges]
    parts = 1 + np.bincount(at, minlength=len(values))[at, None]  # two, unless late answers arrive together
    given = np.where(waiting[at][:, None], 0.0, (values[at] - rows) / parts.astype(values.dtype))
    received = transport.send(given, edges, "values")
    left = values - edge_sums(at, given, len(values))
    left += edge_sums(tail[received.edges], received.rows, len(values))
    return left, tail[received.edges]


def meeting_probability(topology: Topology) -> Array:
    """The probability ``[E_all]`` that the two ends of each edge take their mean in a round where nothing fails.

    With ``q_i = 1/(2 d_i)`` that i calls a given neighbour, i calls a listening j and is taken before all other callers
    with probability ``½ q_i ∫_0^1 Π_{k∈N(j)\\i} (1 - q_k u) du``, u being the number that i drew; the two may also call
    the other way round. The integral is summed over panels that halve towards 0.

    >>> from coolgp.network.graphs.generate import generate
    >>> meeting_probability(generate("ring", 2, seed=0)).tolist()  # one calls, the other does not
    [0.5, 0.5]
    """
    tail, head, size = topology.tail, topology.indices, topology.size
    q = 0.5 / np.maximum(topology.degree, 1)[tail]
    taken = np.zeros(len(tail))
    for u, width in zip(*_quadrature(int(topology.degree.max())), strict=True):
        alone = np.log1p(-q * u)
        taken += width * np.exp(np.bincount(head, weights=alone, minlength=size)[head] - alone)
    one_way = 0.5 * q * taken
    return np.asarray(one_way + one_way[np.lexsort((tail, head))])


def _quadrature(degree: int) -> tuple[Array, Array]:
    """Nodes and weights on [0, 1] for products of so many factors ``1 - q u``."""
    x, w = np.polynomial.legendre.leggauss(8)
    stop = 0.5 ** np.arange(1 + max(degree, 1).bit_length())
    start = np.append(stop[1:], 0.0)
    half, middle = (stop - start)[:, None] / 2, (stop + start)[:, None] / 2
    return (middle + half * x).ravel(), (half * w).ravel()
