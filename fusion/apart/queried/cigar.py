"""CIGAR as a rule: experts that answer queries alone agree on their predictions over the graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Annotated, Any, ClassVar

from annotated_types import Gt, Lt

from coolgp.agents.experts.task import Task
from coolgp.fusion.apart.answers.committees import GeneralisedProduct, Product
from coolgp.fusion.apart.ensemble import Ensemble
from coolgp.fusion.apart.members import Fused, Members
from coolgp.fusion.apart.queried.climb import ClimbedNumbers, Climbing
from coolgp.fusion.apart.queried.recalibration import Recalibration, begun, recalibrated, with_labelled
from coolgp.fusion.apart.rule import State
from coolgp.fusion.apart.summed import Carried, SummedRule
from coolgp.fusion.blackbox.cigar import Cigar
from coolgp.fusion.blackbox.uncertainty import Uncertainty
from coolgp.network.transport import Transport

__all__ = ["ClimbedProduct"]

POOLS: Mapping[Uncertainty, Callable[[float], SummedRule]] = {
    "gpoe": lambda least: GeneralisedProduct(least=least),
    "product": lambda least: Product(least=least),
    "mixture": lambda least: Ensemble(),
}
"""Of class probabilities, which need one sum and no climb, by the least probability of a class."""


@dataclass(frozen=True)
class Recalibrated:
    """state: of the rule that fuses. members: asked about the rows set aside too, where a temperature is asked for.

    spent: communication rounds of that rule. temperature: None before its messages are over.
    """

    state: State
    members: Members
    spent: int = 0
    temperature: Recalibration | None = None


@dataclass(frozen=True)
class ClimbedProduct(Cigar):
    """The product of experts, found by queries alone (CIGAR); of class probabilities it takes one sum.

    In a communication round agents say a part of one sum, and predictions move with each sum that is complete. See
    `Cigar` for the settings. least: a class has at least this probability under every expert, but in a mixture.
    recalibrate: fit one temperature to the rows set aside, which the first agent has; all learn it by a last sum.
    """

    leaves_out: ClassVar[bool] = True
    by_queries: ClassVar[bool] = True

    least: Annotated[float, Gt(0), Lt(0.1)] = 1e-3
    recalibrate: bool = False

    def check(self, task: Task) -> None:
        """Refuse nothing: numbers are climbed to, probabilities of classes add up."""

    def init(self, members: Members, transport: Transport) -> Recalibrated:
        """See `ApartRule`. Raises ValueError on all ranks where experts or rows set aside do not fit."""
        asked = with_labelled(members) if self.recalibrate else members
        return Recalibrated(self._rule(members).init(asked, transport), asked)

    def exchange(self, state: Recalibrated, members: Members, transport: Transport, rounds: int = 1) -> Recalibrated:
        """See `ApartRule`."""
        if not self.recalibrate:
            return replace(state, state=self._rule(members).exchange(state.state, state.members, transport, rounds))
        for _ in range(rounds):
            state = self._exchanged_once(state, transport)
        return state

    def converge(self, state: Recalibrated, members: Members, transport: Transport) -> Recalibrated:
        """Until nobody moves any more, or all iterations are over; then once more for the temperature."""
        state = replace(state, state=self._rule(members).converge(state.state, state.members, transport))
        if not self.recalibrate or state.temperature is not None:
            return state
        return replace(state, temperature=self._temperature(state, transport).settled(self, transport))

    def fused(self, state: Recalibrated, members: Members, transport: Transport) -> Fused:
        """See `ApartRule`."""
        fused = self._rule(members).fused(state.state, state.members, transport)
        return recalibrated(fused, members, state.temperature)

    def _rule(self, members: Members) -> Any:
        """What fuses answers of this kind."""
        if members.task.labels:
            return replace(POOLS[self.uncertainty](self.least), via=self.via, carrier=self.carrier)
        settings = {each.name: getattr(self, each.name) for each in fields(Cigar)}
        return ClimbedNumbers(**settings)

    def _exchanged_once(self, state: Recalibrated, transport: Transport) -> Recalibrated:
        if state.temperature is not None:
            return replace(state, temperature=state.temperature.spoken(self, transport))
        inner = self._rule(state.members).exchange(state.state, state.members, transport, 1)
        state = replace(state, state=inner, spent=state.spent + 1)
        if not self._over(inner, state.spent, transport):
            return state
        return replace(state, temperature=self._temperature(state, transport))

    def _over(self, state: Climbing | Carried, spent: int, transport: Transport) -> bool:
        """Whether the messages of the rule that fuses are over. Collective."""
        if isinstance(state, Climbing):
            return bool(state.climb.done)
        return self.complete(state.inner, state.rows, spent, transport)

    def _temperature(self, state: Recalibrated, transport: Transport) -> Recalibration:
        fused = self._rule(state.members).fused(state.state, state.members, transport)
        return begun(fused, state.members, self, transport)
