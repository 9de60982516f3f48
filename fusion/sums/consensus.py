"""Average consensus: repeated averaging with the neighbours, exact in the limit on any connected graph.

``X ← WX`` with symmetric weights keeps the mean of the contributions, and every row tends to it at the graph's spectral
gap; the sum is N times the mean. New contributions enter as increments, so that the mean tracks streams (Xiao & Boyd,
Systems & Control Letters 2004; Zhu & Martínez, Automatica 2010). Or the mean is trimmed, against byzantine agents
(W-MSR: LeBlanc, Zhang, Koutsoukos & Sundaram, IEEE JSAC 2013).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.fusion.guarantee import FaultTolerance, Guarantee, Rows
from coolgp.fusion.sums.averages import AveragingRule
from coolgp.fusion.sums.averaging import SYMMETRIC, Average, average_blocks, mix, symmetric
from coolgp.fusion.sums.base import FITTED, Reader, SumState, multiples
from coolgp.fusion.sums.deviation import attainable, deviation, spread
from coolgp.network.base.arrays import Indices
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.mixing import Mixing, local_mixing, metropolis
from coolgp.network.row_axes import PerAgent
from coolgp.network.spectrum import laplacian_interval, rounds_to, second_eigenvalue
from coolgp.network.transport import Transport

__all__ = ["Consensus", "ConsensusState", "trimmed_mean"]

PIECE = 1 << 22  # numbers that are sorted at a time
STILL_ROUNDINGS = 50.0  # by which trimmed means go on moving where they have settled


@dataclass(frozen=True)
class ConsensusState:
    """estimate ``[A, P]``: of the mean; values ``[A, P]``: contributions it has taken in; mixing: the weights."""

    estimate: PerAgent
    values: PerAgent
    mixing: Mixing
    size: int


@dataclass(frozen=True)
class Consensus(AveragingRule):
    """Repeated averaging with the neighbours: exact in the limit on any connected graph.

    weights: ``metropolis`` (``1/(1+max(d_i, d_j))``: agents need to know their neighbours' degrees), ``max-degree``
    (``1/(1+d_max)``) or ``optimal-constant`` (``2/(λ_2+λ_N)`` of the Laplacian: the best single weight; no more than
    that of ``max-degree`` where messages fail, for agents that weigh themselves negatively would then diverge).

    trim: byzantine neighbours that an agent may have. Where it is not 0, every agent drops in each column up to so many
    of the neighbours' values above its own and as many below, and averages the rest equally with its own, whatever the
    weights. Honest agents then stay within the range of what honest agents contributed, but no longer end with the
    exact mean, and what only one of them knows is dropped too: it looks like a false value. Columns are trimmed one by
    one, so that a matrix in them need not stay positive definite.

    weight, eigenvalue: the constant weight and the eigenvalue that decides its rate; :meth:`fit` finds them.
    """

    weights: Literal["metropolis", "max-degree", "optimal-constant"] = "metropolis"
    trim: int = 0
    weight: float | None = field(default=None, metadata=FITTED)
    eigenvalue: float | None = field(default=None, metadata=FITTED)
    remembers: ClassVar[int | None] = 1

    def __post_init__(self) -> None:
        if self.weights not in ("metropolis", "max-degree", "optimal-constant"):
            raise ValueError(f"weights must be metropolis, max-degree or optimal-constant; got {self.weights!r}")
        if self.trim < 0:
            raise ValueError(f"trim must be a number of neighbours, 0 or more; got {self.trim}")

    def fit(self, topology: Topology, faults: Faults) -> Consensus:
        """Find the constant weight for this graph."""
        if self.weights == "metropolis" or topology.size == 1:
            return self
        low, high = laplacian_interval(topology)
        best, safe = 2.0 / (low + high), 1.0 / (1.0 + float(topology.degree.max()))
        weight = safe if self.weights == "max-degree" else best if symmetric(faults) else min(best, safe)
        return replace(self, weight=weight, eigenvalue=max(1.0 - weight * low, weight * high - 1.0))

    def counted(self, state: SumState, agents: Indices) -> Array:
        """See `SumRule`; of trimmed means, in which columns have different agents, how many the sums are scaled to."""
        if not self.trim or state.members is None or state.totals is None or state.totals.shape[1] == 1:
            return super().counted(state, agents)
        ones = -state.totals.shape[1] - 1
        return self._sums(state, agents, slice(ones, ones + 1))[:, 0]

    def signed(self) -> bool:
        """The best constant weight can leave an agent with a negative one for itself."""
        return self.weights == "optimal-constant"

    def stands(self) -> FaultTolerance:
        """The sum is kept while whatever one agent takes, another gives; a trimmed mean is another one."""
        why = f"up to {self.trim} false values among an agent's neighbours are dropped, and true extremes with them"
        return FaultTolerance("approximate", why) if self.trim else SYMMETRIC

    def guarantee(self, topology: Topology, faults: Faults) -> Guarantee:
        """Asymptotic at the rate of the spectral gap."""
        messages, (kind, why) = float(len(topology.indices)), self.stands().under(faults)
        if self.trim:
            return Guarantee(kind, why, messages=messages, exchanging=Rows(5.0, 2.0), settling=Rows(7.0, 2.0))
        rate = second_eigenvalue(metropolis(topology)) if self.eigenvalue is None else self.eigenvalue
        # Contributions of two rounds and the estimates; where messages fail, what is sent and received as well.
        rows = (Rows(3.0, columns=96), Rows(3.3, columns=96)) if faults.perfect else (Rows(5.0, 3.0), Rows(6.0, 3.0))
        return Guarantee(
            kind,
            why,
            rounds=rounds_to(self.tolerance, rate),
            gap=1.0 - rate,
            messages=messages,
            exchanging=rows[0],
            settling=rows[1],
        )

    def begin(self, values: Array, transport: Transport) -> ConsensusState:
        """Every agent's estimate is its own contribution. Raises ValueError where :meth:`fit` was needed and missed."""
        if self.weights != "metropolis" and self.weight is None and transport.shard.size > 1:
            raise ValueError(f"{self.weights} weights depend on the whole graph: call fit(topology, faults) first")
        mixing = local_mixing(transport.shard, self.weight, values.dtype)
        return ConsensusState(values.copy(), values, mixing, transport.shard.size)

    def round(self, state: ConsensusState, values: Array, transport: Transport) -> ConsensusState:
        """Take in what is new, then average with the neighbours."""
        fresh = state.estimate + (values - state.values)
        mean = trimmed_mean(fresh, self.trim, transport) if self.trim else mix(fresh, state.mixing, transport)
        return ConsensusState(mean, values, state.mixing, state.size)

    def rounds(self, state: ConsensusState, values: Array, transport: Transport, count: int) -> ConsensusState:
        """So many rounds: on a faultless network in one pass over memory, in place, with the same bits."""
        if self.trim or not transport.faultless or not count:
            plain: ConsensusState = super().rounds(state, values, transport, count)
            return plain
        estimate, news = state.estimate, values is not state.values

        def several(columns: slice, average: Average) -> None:
            block = np.ascontiguousarray(estimate[:, columns])
            if news:  # after one round there are none: x + 0 is x, for sums that began with 0 are never -0
                block = block + (values[:, columns] - state.values[:, columns])
            for _ in range(count):
                block = average(block)
            estimate[:, columns] = block

        average_blocks(several, estimate, state.mixing, transport, count)
        return ConsensusState(estimate, values, state.mixing, state.size)

    def settle(self, state: ConsensusState, values: Array, transport: Transport) -> ConsensusState:
        """Repeat the round until all agents have the sum; a trimmed one, until estimates stop moving."""
        if not self.trim:
            settled: ConsensusState = super().settle(state, values, transport)
            return settled
        scale = spread(values, transport)
        tolerance = attainable(self.tolerance, values, STILL_ROUNDINGS)
        for _ in range(self.most):
            before, state = state, self.round(state, values, transport)
            transport.meter.rounds += 1
            moved = deviation(state.estimate - before.estimate, np.zeros_like(scale), scale / state.size, transport)
            if moved <= tolerance:
                return state
        raise ValueError(
            f"trimmed consensus still moved by {moved:.2g} after {self.most} communication rounds: take a number for "
            "fusion.rounds_per_step, a larger fusion.tolerance, or a better connected graph"
        )

    def sums(self, state: ConsensusState) -> Array:
        """N times the estimate of the mean."""
        return state.estimate * state.size

    def reader(self, state: ConsensusState) -> Reader:
        """The same, a part at a time."""
        return multiples(state.estimate, state.size)

    def own(self, state: ConsensusState) -> Array:
        """The contributions that were taken in last."""
        return state.values


def trimmed_mean(values: Array, trim: int, transport: Transport) -> Array:
    """Each agent's mean ``[A, P]`` of its own and its neighbours' values, less the extremes of the neighbours'.

    In each column up to ``trim`` of the neighbours' values above its own are dropped, and up to as many below. What is
    no number counts as above.
    """
    delivery = transport.send(values[transport.shard.tail]).newest()
    count = np.bincount(transport.shard.tail[delivery.edges], minlength=len(values))
    start, mean = np.cumsum(count) - count, values.copy()
    for received in np.unique(count[count > 0]).tolist():
        agents = np.flatnonzero(count == received)
        for group in np.array_split(agents, 1 + agents.size * received * values.shape[1] // PIECE):
            mean[group] = _trimmed(values[group], delivery.rows[start[group][:, None] + np.arange(received)], trim)
    return mean


def _trimmed(own: Array, others: Array, trim: int) -> Array:
    """Own ``[G, P]``, others ``[G, d, P]``; added in rising order, one by one: the bits depend on no grouping."""
    below = np.minimum((others < own[:, None]).sum(1), trim)[:, None]
    above = np.minimum((~(others <= own[:, None])).sum(1), trim)[:, None]
    place = np.arange(others.shape[1])[:, None]
    within = (place >= below) & (place < others.shape[1] - above)
    total = np.where(within, np.sort(others, axis=1), 0.0).cumsum(axis=1)[:, -1]
    return np.asarray((own + total) / (1 + within.sum(1)))
