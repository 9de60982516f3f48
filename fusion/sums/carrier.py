"""Rules whose agents sum rows of their own, through any of the rules that sum rows: their carrier."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from coolgp.agents.base.arrays import Array
from coolgp.agents.population import Population
from coolgp.fusion.guarantee import Guarantee, Rows
from coolgp.fusion.registry import SUM_RULES
from coolgp.fusion.rule import State
from coolgp.fusion.sums.base import FITTED, SETTLED_ROUNDINGS, SumRule
from coolgp.fusion.sums.counted_once import counted_once
from coolgp.fusion.sums.deviation import attainable, deviation, spread
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.transport import Transport

__all__ = ["Announcements", "CarriedRule", "QueryRule", "RepeatedSums", "Via"]

Via = Literal["tree", "consensus", "chebyshev", "push-sum", "gossip", "flood", "server", "central"]


@dataclass(frozen=True)
class Announcements:
    """The carrier's state for the agents' announcements; None where they announce nothing."""

    inner: Any


@dataclass(frozen=True)
class CarriedRule:
    """A rule whose agents sum rows by another rule.

    via: the rule that carries the sums. carrier: the rule itself, fitted to the network.
    """

    via: Via = "tree"
    carrier: SumRule = field(default_factory=lambda: SUM_RULES["tree"](), metadata=FITTED)

    def fit(self, topology: Topology, faults: Faults) -> Self:
        """Fit what carries the sums."""
        carrier = SUM_RULES[self.via]().fit(topology, faults)
        assert isinstance(carrier, SumRule)
        return replace(self, carrier=carrier)

    def links(self, topology: Topology) -> Topology:
        """The carrier's."""
        return self.carrier.links(topology)


@dataclass(frozen=True)
class RepeatedSums(CarriedRule):
    """A rule whose agents sum rows again and again, each time anew.

    query_rounds: communication rounds spent on a sum, or until it is exact.
    """

    query_rounds: Annotated[int, Field(gt=0)] | Literal["converge"] = "converge"
    instead: ClassVar[str] = "take another rule"
    """What to do where messages are late, in words."""

    def fit(self, topology: Topology, faults: Faults) -> Self:
        """Fit what carries the sums. Raises ValueError where faults keep the sums from becoming exact, or late."""
        if not faults.timely:
            raise ValueError(
                f"the rule {type(self).__name__} sums terms at each query, and messages that are late would arrive "
                f"among those of the next: leave out network.delay and network.bandwidth, or {self.instead}"
            )
        fitted = super().fit(topology, faults)
        carrier = fitted.carrier
        if self.query_rounds == "converge" and carrier.guarantee(topology, faults).kind == "approximate":
            why = carrier.guarantee(topology, faults).why
            raise ValueError(
                f'fusion.query_rounds: needed a number of communication rounds, for with these faults "{self.via}" '
                f"need not reach exact sums ({why}); got {self.query_rounds!r}"
            )
        return fitted

    def summed(self, rows: Array, transport: Transport) -> Array:
        """Each agent's estimate of the sum of rows ``[A, P]`` over all agents, of which none is counted twice."""
        once = replace(self, carrier=counted_once(self.carrier))
        return once.carrier.sums(once.carried(once.carrier.begin(rows, transport), rows, transport))

    def carried(self, state: State, rows: Array, transport: Transport) -> State:
        """The carrier's state after all rounds that are spent on a sum."""
        if self.query_rounds == "converge":
            return self.carrier.settle(state, rows, transport)
        return self.carrier.rounds(state, rows, transport, self.query_rounds)

    def complete(self, state: State, rows: Array, spent: int, transport: Transport) -> bool:
        """Whether a sum of rows ``[A, P]`` is done after so many communication rounds. Collective.

        The simulator looks whether it is exact, by sums over all agents that are not counted as messages.
        """
        if self.query_rounds != "converge":
            return spent >= self.query_rounds
        target, scale = transport.allsum(rows), spread(rows, transport)
        tolerance = attainable(self.carrier.tolerance, rows, SETTLED_ROUNDINGS)
        return deviation(self.carrier.sums(state), target, scale, transport) <= tolerance


@dataclass(frozen=True)
class QueryRule(RepeatedSums):
    """A rule whose agents sum rows for each query."""

    instead: ClassVar[str] = 'take a rule that fuses evidence, as fusion.rule = "flood" does'

    def guarantee(self, topology: Topology, faults: Faults) -> Guarantee:
        """The carrier's, but approximate: sums of predictions are not evidence."""
        carried = self.carrier.guarantee(topology, faults)
        why = f"predictions are combined, not the evidence behind them; {carried.why}"
        return replace(carried, kind="approximate", why=why, exchanging=Rows(0.0), settling=Rows(0.0))

    def init(self, population: Population, transport: Transport) -> Announcements:
        """State before the first message."""
        rows = _announcements(population)
        return Announcements(self.carrier.begin(rows, transport) if rows.shape[1] > 1 else None)

    def exchange(
        self, state: Announcements, population: Population, transport: Transport, rounds: int = 1
    ) -> Announcements:
        """Average what agents announce, for so many communication rounds."""
        if state.inner is None:
            return state
        return Announcements(self.carrier.rounds(state.inner, _announcements(population), transport, rounds))

    def converge(self, state: Announcements, population: Population, transport: Transport) -> Announcements:
        """Average what agents announce until all have the mean."""
        if state.inner is None:
            return state
        return Announcements(self.carrier.settle(state.inner, _announcements(population), transport))

    def announced(self, state: Announcements, population: Population) -> Array:
        """The average announcement as each agent knows it, ``[A, C]``."""
        if state.inner is None:
            return population.announced
        sums = self.carrier.sums(state.inner).astype(np.float64)
        average: Array = sums[:, :-1] / sums[:, -1:]
        return average


def _announcements(population: Population) -> Array:
    """What agents announce and themselves, ``[A, C + 1]``."""
    ones = np.ones((population.size, 1))
    return np.concatenate([population.announced, ones], axis=1).astype(population.dtype)
