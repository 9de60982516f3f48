"""What rules that sum evidence share: each adds only how it reaches the sum.

With evidence a commutative group, fusing all agents is one sum ``Σ_a E_a`` and the prior enters once, at prediction:
``R_F = Σ_a R_a - (A-1) R0``, COOL-GP (AAAI-19), equation 11. What is summed: :mod:`coolgp.fusion.sums.rows`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeAlias

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.blocks import map_blocks
from coolgp.agents.population import Population
from coolgp.agents.prediction import Prediction, predict
from coolgp.agents.statistics import Evidence, packed_length, repeated
from coolgp.fusion.forged import forged
from coolgp.fusion.guarantee import FaultTolerance, Guarantee
from coolgp.fusion.rule import FusionRule, State
from coolgp.fusion.sums.deviation import attainable, deviation, sampled, sampled_columns, spread
from coolgp.fusion.sums.rows import contributions, evidence_from_sums, row_length
from coolgp.fusion.sums.shares import Bools, Mixed, group_members, mixed, share_count, with_amounts
from coolgp.network.base.arrays import Indices
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.row_axes import PerAgent
from coolgp.network.rows import row_bytes
from coolgp.network.transport import Transport

__all__ = ["FITTED", "SETTLED_ROUNDINGS", "Reader", "SumRule", "SumState", "multiples", "take_in"]

Pick: TypeAlias = slice | Indices
Reader: TypeAlias = Callable[[Pick, Pick], Array]
"""What returns some columns ``[P']`` of some agents ``[A']`` of an array ``[A, P]``, which need not be in memory."""

FITTED = {"fitted": True}
"""Marks a field that `fit` fills in: no setting of the rule's."""
SETTLED_ROUNDINGS = 1000.0
"""Repeated averaging reaches this accuracy: on a ring of 60 agents single precision stays 520 roundings away."""


@dataclass(frozen=True)
class SumState:
    """inner: the rule's own state; sample ``[A, C]``: a few columns of the last contributions.

    totals ``[A, K]``: what has been observed, by column of shares and the same in each row, where the rule carries
    shares; ``[A, 1]`` before it has averaged anything; None for rules that count agents one by one, and after
    convergence. members ``[K]``: agents of each column.

    recent: the last contributions, as many as the rule refers to and one more, the newest last: memory for the next.
    kept: rows of data of a rule that sees the data. The reader of the sums is kept too, for blocks of agents.
    """

    inner: Any
    sample: PerAgent
    totals: PerAgent | None = None
    members: Array | None = None
    recent: tuple[Array, ...] = ()
    kept: Any = None
    _reader: list[Reader] = field(default_factory=list, init=False, repr=False, compare=False)


@dataclass(frozen=True)
class SumRule(ABC):
    """A rule that estimates, at every agent, the sum over all agents of a row ``[P]`` that each contributes.

    tolerance: settled once :func:`deviation` is this small, or as small as the precision allows. most: communication
    rounds after which settling is given up with an error. look_every: rounds between two checks.
    """

    tolerance: float = 1e-12
    most: int = 100_000
    look_every: int = 10
    remembers: ClassVar[int | None] = None
    """The number of rounds whose contributions the rule's state may refer to: the memory of older ones is used again.
    None: any number, so that contributions always take new memory."""
    averages: ClassVar[bool] = False
    """Whether sums are N times a mean: they then count some agents more than once until all are mixed in."""

    def fit(self, topology: Topology, faults: Faults) -> FusionRule:
        """The rule as it is: it needs to know nothing of the whole graph."""
        return self

    def stands(self) -> FaultTolerance:
        """The faults under which the rule reaches the sum; a rule that does not state them guarantees nothing."""
        return FaultTolerance("approximate", "the rule does not state what it guarantees")

    def guarantee(self, topology: Topology, faults: Faults) -> Guarantee:
        """What :meth:`stands` gives under these faults, for a message on every link in each round."""
        return Guarantee(*self.stands().under(faults), messages=len(topology.indices))

    def links(self, topology: Topology) -> Topology:
        """All links."""
        return topology

    @abstractmethod
    def begin(self, values: Array, transport: Transport) -> State:
        """State before the first message, for contributions ``[A, P]``."""

    @abstractmethod
    def round(self, state: State, values: Array, transport: Transport) -> State:
        """One communication round, with the contributions ``[A, P]`` of the moment; may reuse the state's memory."""

    def rounds(self, state: State, values: Array, transport: Transport, count: int) -> State:
        """So many rounds with the same contributions, counted by the meter; to be overridden where it pays."""
        for _ in range(count):
            state = self.round(state, values, transport)
            transport.meter.rounds += 1
        return state

    @abstractmethod
    def sums(self, state: State) -> Array:
        """Each agent's estimate of the sum, ``[A, P]``."""

    def reader(self, state: State) -> Reader:
        """:meth:`sums`, a few agents or columns at a time; to be overridden where that saves making all of them."""
        sums = self.sums(state)

        def read(agents: Pick, columns: Pick) -> Array:
            rows = sums[agents, columns]
            return np.broadcast_to(sums[:1, columns], rows.shape) if repeated(sums) else rows

        return read

    def own(self, state: State) -> Array | None:
        """The agents' own contributions ``[A, P]`` where estimates of sums can leave the range of evidence; or None.

        They can by negative weights, by columns that are trimmed separately, and by increments: these are negative
        where hyper-parameters move, and appear first at the agent that contributes them.
        """
        return None

    def settle(self, state: State, values: Array, transport: Transport) -> State:
        """Repeat the round until every agent's sum is within the tolerance, checked every few rounds.

        The simulator checks, by sums over all agents that are not counted as messages. Raises ValueError when
        that takes more than ``most`` rounds.
        """
        target, scale = transport.allsum(values), spread(values, transport)
        tolerance = attainable(self.tolerance, values, SETTLED_ROUNDINGS)
        for rounds in range(0, self.most, self.look_every):
            state = self.rounds(state, values, transport, self.look_every if rounds else 1)
            off = deviation(_whole(self.reader(state)), target, scale, transport)
            if off <= tolerance:
                return state
        raise ValueError(
            f"{type(self).__name__.lower()} has not settled to {tolerance:g} after {self.most} communication "
            f"rounds (deviation {off:.2g}): the graph mixes too slowly, or messages fail; take a number for "
            'fusion.rounds_per_step, a larger fusion.tolerance, fusion.rule = "tree", or a better connected graph'
        )

    def initial_memory(self, population: Population) -> Any:
        """The empty memory of a rule that keeps rows of data; None for other rules."""
        return None

    def contributions(self, population: Population, memory: Any, room: Array | None = None) -> Array:
        """What each agent adds to the sums: see :func:`contributions`. kept: of the data, see :class:`SumState`."""
        return contributions(population, room)

    def init(self, population: Population, transport: Transport) -> SumState:
        """State before the first message."""
        memory = self.initial_memory(population)
        values = self.contributions(population, memory)
        columns = self.share_numbers(transport.shard.size)
        return self._state(
            inner=self.begin(values, transport),
            sample=sampled(values, transport),
            totals=np.zeros((len(values), 1), dtype=values.dtype) if columns else None,
            members=group_members(transport.shard.size, columns) if columns else None,
            recent=(values,),
            kept=memory,
        )

    def exchange(self, state: SumState, population: Population, transport: Transport, rounds: int = 1) -> SumState:
        """So many communication rounds."""
        inner, totals = state.inner, state.totals
        recent = self._contribute(state, population, transport, totals is not None)
        values, length = recent[-1], row_length(population)
        if totals is not None:
            inner = self.begin(values, transport) if totals.shape[1] == 1 else inner  # nothing was sent before
            totals = np.broadcast_to(transport.allsum(values[:, length:]), (len(values), values.shape[1] - length))
        return self._state(
            inner=self.rounds(inner, values, transport, rounds),
            sample=sampled(values[:, :length], transport),
            totals=totals,
            members=state.members,
            recent=recent,
            kept=state.kept,
        )

    def converge(self, state: SumState, population: Population, transport: Transport) -> SumState:
        """Communicate until the fixed point."""
        shares = _carried_shares(state)
        recent = self._contribute(state, population, transport, bool(shares))
        values = recent[-1]
        return self._state(
            inner=self.settle(state.inner, values, transport),
            sample=sampled(values[:, : row_length(population)], transport),
            totals=state.totals if shares else None,
            members=state.members if shares else None,
            recent=recent,
            kept=state.kept,
        )

    def share_numbers(self, size: int) -> int:
        """Numbers by which so many agents also mix what each has observed: see :mod:`coolgp.fusion.sums.shares`."""
        return share_count(size, None) if self.averages else 0

    def signed(self) -> bool:
        """Whether an agent's contribution can be in another's estimate with a negative weight."""
        return False

    def _state(self, *, recent: tuple[Array, ...], **of_state: Any) -> SumState:
        return SumState(**of_state, recent=() if self.remembers is None else recent)

    def _contribute(
        self, state: SumState, population: Population, transport: Transport, shares: bool
    ) -> tuple[Array, ...]:
        """The contributions of the last rounds and of this one, in the memory of those that are too old."""
        remembered = len(state.recent) if self.remembers is None else self.remembers
        spare = state.recent[: len(state.recent) - remembered]
        if not shares:
            return (*state.recent[len(spare) :], self.contributions(population, state.kept, *spare))
        shard, length = transport.shard, row_length(population)
        columns = self.share_numbers(shard.size)
        room = next((rows for rows in spare if rows.shape[1] == length + columns), None)
        wide = np.zeros((population.size, length + columns), dtype=population.dtype) if room is None else room
        rows = self.contributions(population, state.kept, wide[:, :length])
        observed = rows[:, packed_length(population.model.inducing) - 1]
        return (*state.recent[len(spare) :], with_amounts(rows, observed, shard.agents, shard.size, columns, wide))

    def _read(self, state: SumState) -> Reader:
        if not state._reader:
            state._reader.append(self.reader(state.inner))
        return state._reader[0]

    def fused_evidence(self, state: SumState, population: Population, agents: Pick) -> Evidence:
        """The summed evidence of some agents, of which none is counted more than once."""
        packed, inducing = packed_length(population.model.inducing), population.model.inducing
        own = self.own(state.inner)
        sums = self._sums(state, agents, slice(packed))
        told = evidence_from_sums(sums, None if own is None else own[agents, :packed], slice(None), inducing)
        return population.heard(told, agents)

    def error(self, state: SumState, population: Population, transport: Transport) -> float:
        """:func:`deviation` of all agents' sums, in the sampled columns."""
        total, scale = transport.allsum(state.sample), spread(state.sample, transport)
        sums = self._sums(state, slice(None), sampled_columns(row_length(population), transport))
        return deviation(sums.astype(np.float64), total, scale, transport)

    def counted(self, state: SumState, agents: Indices) -> Array:
        """The number of agents in each one's sum: those that are in it by a part are counted by that part."""
        shares, totals, members = _carried_shares(state), state.totals, state.members
        if not shares or totals is None or members is None:
            return self._read(state)(agents, slice(-1, None))[:, 0]
        return self._mixed(state, agents).counted(
            self._read(state)(agents, slice(-shares, None)), totals[agents], members
        )

    def announced(self, state: SumState, population: Population) -> Array:
        """Average announcement as each agent knows it, ``[A, C]``."""
        announced = slice(packed_length(population.model.inducing), row_length(population))
        tail = self._read(state)(slice(None), announced).astype(np.float64)
        average: Array = tail[:, :-1] / tail[:, -1:]
        return average

    def _sums(self, state: SumState, agents: Pick, columns: Pick) -> Array:
        """Some columns of some agents' sums, of which none is counted more than once."""
        sums, own = self._read(state)(agents, columns), self.own(state.inner)
        if not _carried_shares(state) or own is None:
            return sums
        return self._mixed(state, agents).of(sums, own[agents, columns])

    def _mixed(self, state: SumState, agents: Pick) -> Mixed:
        """How the sums of some agents count nobody more than once, in a state that carries shares."""
        shares, own, totals, members = _carried_shares(state), self.own(state.inner), state.totals, state.members
        assert own is not None, "a rule that averages knows its own contributions"
        assert totals is not None
        assert members is not None
        tail = self._read(state)(agents, slice(-shares - 1, None))
        slack = members.sum() * attainable(self.tolerance, tail, SETTLED_ROUNDINGS)  # of sums that have settled
        return mixed(tail[:, 1:], tail[:, :1], own[agents, -shares:], totals[agents], members, slack, self.signed())

    def predict(
        self, state: SumState, population: Population, probes: Indices, x: Array, transport: Transport
    ) -> Prediction:
        """Predictions of the probe agents from their summed evidence."""
        evidence = self.fused_evidence(state, population, probes)
        prediction = predict(population.model, population.theta[probes], evidence, x, keeps_belief=True)
        return replace(prediction, forged=self.forged(state, probes, transport))

    def forged(self, state: SumState, agents: Indices, transport: Transport) -> Bools:
        """Which agents' sums are none that honest agents make, ``[A']``."""
        ones = self._read(state)(agents, slice(-_carried_shares(state) - 1, None))[:, 0]
        return forged(ones, transport.shard.size, whole=True)


def multiples(values: Array, factor: float) -> Reader:
    """The values ``[A, P]`` times a factor."""
    return lambda agents, columns: np.asarray(values[agents, columns] * factor)


def take_in(estimate: Array, values: Array, before: Array) -> None:
    """Add to the estimates ``[A, P]``, in place, what is new in the contributions since those of before."""

    def add(agents: slice) -> None:
        estimate[agents] += values[agents] - before[agents]

    if values is not before:
        map_blocks(add, len(values), 4 * row_bytes(values))


def _whole(read: Reader) -> Callable[[Indices], Array]:
    return lambda agents: read(agents, slice(None))


def _carried_shares(state: SumState) -> int:
    """The agents whose shares a state carries: all, or 0."""
    return 0 if state.totals is None or state.totals.shape[1] == 1 else int(state.totals.shape[1])
