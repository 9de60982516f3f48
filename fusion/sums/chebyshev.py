"""Chebyshev-accelerated consensus: rounds that grow with the root of the inverse spectral gap.

After k rounds the contributions have gone through the polynomial ``T_k(t(W)) / T_k(t(1))``, with ``t`` the line that
maps the interval ``[low, high]`` of W's other eigenvalues to ``[-1, 1]``: of all polynomials of that degree that keep
the mean, the one least in the worst case (E. Montijano, J. I. Montijano & C. Sagüés, "Chebyshev polynomials in
distributed consensus applications", IEEE TSP 2013; Golub & Varga, Numerische Mathematik 1961).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.fusion.guarantee import FaultTolerance, Guarantee, Rows
from coolgp.fusion.sums.averages import AveragingRule
from coolgp.fusion.sums.averaging import SYMMETRIC, Average, average_blocks, mix
from coolgp.fusion.sums.base import FITTED, Reader, multiples, take_in
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.mixing import Mixing, local_mixing, metropolis
from coolgp.network.row_axes import PerAgent
from coolgp.network.spectrum import interval, rounds_to, second_eigenvalue
from coolgp.network.transport import Transport

__all__ = ["Chebyshev", "ChebyshevState", "chebyshev_rounds"]


@dataclass(frozen=True)
class ChebyshevState:
    """estimate, before ``[A, P]``: of the mean, now and a round ago; values ``[A, P]``: contributions taken in.

    ratio ``[A]``: ``T_k(μ) / T_{k+1}(μ)`` of the last round, by the interval's half width; 0 before the first.
    """

    estimate: PerAgent
    before: PerAgent
    values: PerAgent
    ratio: PerAgent
    mixing: Mixing
    size: int


@dataclass(frozen=True)
class Chebyshev(AveragingRule):
    """Consensus with a momentum tuned to the graph's eigenvalues: exact in the limit on any connected graph.

    Every round keeps the sum. Where messages are lost, late, one-way or false the recursion can grow without bound (on
    a ring of 50 agents that loses 30 % of them tenfold in 20 rounds), and where links come and go its eigenvalues are
    not those that it was tuned to: there it goes on without momentum, as plain consensus.

    low, high: the interval of the eigenvalues other than 1, both 0 for no momentum; :meth:`fit` finds them.
    """

    low: float | None = field(default=None, metadata=FITTED)
    high: float | None = field(default=None, metadata=FITTED)
    remembers: ClassVar[int | None] = 1

    def fit(self, topology: Topology, faults: Faults) -> Chebyshev:
        """Find the interval of the eigenvalues of this graph's Metropolis weights."""
        low, high = interval(metropolis(topology)) if faults.perfect else (0.0, 0.0)
        return replace(self, low=low, high=high)

    def signed(self) -> bool:
        """The momentum overshoots."""
        return True

    def stands(self) -> FaultTolerance:
        """The sum is kept while whatever one agent takes, another gives."""
        return SYMMETRIC

    def guarantee(self, topology: Topology, faults: Faults) -> Guarantee:
        """Asymptotic; the momentum is tuned to the eigenvalues where every round multiplies by the same matrix."""
        kind, why = self.stands().under(faults)
        if faults.perfect:
            low, high = self._interval()
            rounds, gap = chebyshev_rounds(self.tolerance, low, high), 1.0 - high
            exchanging, settling = Rows(4.0, columns=160), Rows(4.3, columns=160)  # contributions, two estimates
        else:
            why = f"{why}; the momentum is left out, for it could diverge"
            rate = second_eigenvalue(metropolis(topology))
            rounds, gap = rounds_to(self.tolerance, rate), 1.0 - rate
            exchanging, settling = Rows(6.0, 3.0), Rows(7.0, 3.0)  # what is sent and received as well
        messages = float(len(topology.indices))
        return Guarantee(kind, why, rounds=rounds, gap=gap, messages=messages, exchanging=exchanging, settling=settling)

    def begin(self, values: Array, transport: Transport) -> ChebyshevState:
        """Every agent's estimate is its own contribution. Raises ValueError unless the rule was fitted."""
        self._interval()
        mixing, ratio = local_mixing(transport.shard, None, values.dtype), np.zeros(len(values))
        return ChebyshevState(
            estimate=values.copy(),
            before=values.copy(),
            values=values,
            ratio=ratio,
            mixing=mixing,
            size=transport.shard.size,
        )

    def round(self, state: ChebyshevState, values: Array, transport: Transport) -> ChebyshevState:
        """Take in what is new, then average with the neighbours and continue in the direction of the last step.

        With anything new, all start afresh together from where they are: agents share the clock by which contributions
        change. That it ticked, the simulator finds by a sum over all agents that is not counted as messages.
        """
        state = informed(state, values, transport)
        ((stride, momentum),), ratio = self._paces(state, 1)
        after = _stepped(mix(state.estimate, state.mixing, transport), state.estimate, state.before, stride, momentum)
        return replace(state, estimate=after, before=state.estimate, ratio=ratio)

    def rounds(self, state: ChebyshevState, values: Array, transport: Transport, count: int) -> ChebyshevState:
        """So many rounds: on a faultless network in one pass over memory, in place, with the same bits."""
        if not transport.faultless or not count:
            plain: ChebyshevState = super().rounds(state, values, transport, count)
            return plain
        state = informed(state, values, transport)
        paces, ratio = self._paces(state, count)
        estimate, before = state.estimate, state.before

        def several(columns: slice, average: Average) -> None:
            x, last = (np.ascontiguousarray(rows[:, columns]) for rows in (estimate, before))
            for stride, momentum in paces:
                x, last = _stepped(average(x), x, last, stride, momentum), x
            before[:, columns] = last  # first, for after a single round that is a part of the estimate
            estimate[:, columns] = x

        average_blocks(several, estimate, state.mixing, transport, count)
        return replace(state, ratio=ratio)

    def settle(self, state: ChebyshevState, values: Array, transport: Transport) -> ChebyshevState:
        """Restart from the present estimates, then repeat the round until all agents have the sum."""
        settled: ChebyshevState = super().settle(restarted(state, values), values, transport)
        return settled

    def sums(self, state: ChebyshevState) -> Array:
        """N times the estimate of the mean."""
        return state.estimate * state.size

    def reader(self, state: ChebyshevState) -> Reader:
        """The same, a part at a time."""
        return multiples(state.estimate, state.size)

    def own(self, state: ChebyshevState) -> Array:
        """The contributions that were taken in last."""
        return state.values

    def _interval(self) -> tuple[float, float]:
        if self.low is None or self.high is None:
            raise ValueError("Chebyshev consensus needs the graph's eigenvalues: call fit(topology, faults) first")
        return self.low, self.high

    def _paces(self, state: ChebyshevState, count: int) -> tuple[list[tuple[Array, Array]], Array]:
        """Stride and momentum of each of the next rounds, and the ratio ``[A]`` after them."""
        low, high = self._interval()
        rest, square, last = 1.0 - (low + high) / 2, ((high - low) / 2) ** 2, state.ratio
        paces, dtype = [], state.estimate.dtype
        for _ in range(count):
            first = last == 0
            ratio = 1.0 / (np.where(first, rest, 2.0 * rest) - square * last)
            stride, momentum = np.where(first, ratio, 2.0 * ratio), square * ratio * last
            paces.append((_shared(stride.astype(dtype)), _shared(momentum.astype(dtype))))
            last = ratio
        return paces, last


def _shared(pace: Array) -> Array:
    """Paces ``[A]`` as ``[A, 1]``, or as one number where all have the same: products with that run on."""
    return np.asarray(pace[0] if (pace == pace[0]).all() else pace[:, None])


def _stepped(mean: Array, x: Array, before: Array, stride: Array, momentum: Array) -> Array:
    """The estimates ``[A, P]`` after those of now, x, and of a round ago, in the memory of x's mean with neighbours.

    In this form of the recursion both steps add up to zero over the agents, so rounding does not move the sum.
    """
    mean -= x
    mean *= stride
    gone = x - before
    gone *= momentum
    mean += gone
    mean += x
    return mean


def informed(state: ChebyshevState, values: Array, transport: Transport) -> ChebyshevState:
    """The state that has taken in the contributions: restarted, in place, where anything is new. Collective."""
    before = state.values
    if values is before or not transport.allsum(lambda some: (values[some] != before[some]).any(axis=1)):
        return replace(state, values=values)
    return restarted(state, values)


def restarted(state: ChebyshevState, values: Array) -> ChebyshevState:
    """The state before a first round from the present estimates, in place, with the contributions' increments added."""
    take_in(state.estimate, values, state.values)
    np.copyto(state.before, state.estimate)
    return replace(state, values=values, ratio=np.zeros(len(values)))


def chebyshev_rounds(tolerance: float, low: float, high: float) -> int:
    """Rounds after which all eigenvectors with eigenvalues in the interval have shrunk to the tolerance.

    ``arccosh(1/tolerance) / arccosh(μ)`` with ``μ = (2-(low+high)) / (high-low)``, rounded up, at least 1. Raises
    ValueError for a highest eigenvalue of 1, or a tolerance that is not in (0, 1).

    >>> chebyshev_rounds(1e-9, -0.6, 0.6), chebyshev_rounds(1e-9, 0.0, 0.0)
    (20, 1)
    """
    if not 0 < tolerance < 1:
        raise ValueError(f"A tolerance must lie between 0 and 1; got {tolerance}")
    if not high < 1:
        raise ValueError(f"Consensus needs a second eigenvalue below 1, so a connected graph; got {high}")
    if high == low:
        return 1
    mu = (2 - (low + high)) / (high - low)
    return max(1, math.ceil(math.acosh(1 / tolerance) / math.acosh(mu)))
