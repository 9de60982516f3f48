"""CIGAR as a rule: experts that answer queries alone agree on their predictions over the graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Gt, Lt

from coolgp.agents.experts.expert import Regressor
from coolgp.agents.experts.models.base import LocalRows
from coolgp.agents.experts.queries.black_box import BlackBox
from coolgp.agents.experts.task import Task
from coolgp.fusion.apart.alone import sizes
from coolgp.fusion.apart.answers.committees import GeneralisedProduct, Product
from coolgp.fusion.apart.ensemble import Ensemble
from coolgp.fusion.apart.members import Fused, Members, known_to_all
from coolgp.fusion.apart.rule import State
from coolgp.fusion.apart.summed import SummedRule
from coolgp.fusion.blackbox.cigar import Cigar, Climb
from coolgp.fusion.blackbox.panel import Panel
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
class Climbing:
    """panel: the experts behind their answers. climb: where their agents stand."""

    panel: Panel
    climb: Climb


@dataclass(frozen=True)
class ClimbedProduct(Cigar):
    """The product of experts, found by queries alone (CIGAR); of class probabilities it takes one sum.

    In a communication round agents say a part of one sum, and predictions move with each sum that is complete. See
    `Cigar` for the settings. least: a class has at least this probability under every expert, but in a mixture.
    """

    leaves_out: ClassVar[bool] = True
    by_queries: ClassVar[bool] = True

    least: Annotated[float, Gt(0), Lt(0.1)] = 1e-3

    def check(self, task: Task) -> None:
        """Refuse nothing: numbers are climbed to, probabilities of classes add up."""

    def init(self, members: Members, transport: Transport) -> State:
        """See `ApartRule`. Raises ValueError on all ranks for an expert without a standard deviation."""
        if members.task.labels:
            return self._pool.init(members, transport)
        panel = Panel(members.boxes or [BlackBox(expert, queries=None) for expert in members.experts], members.queries)
        _require_stds(panel, members, transport)
        return Climbing(panel, self.begin(panel, transport))

    def exchange(self, state: State, members: Members, transport: Transport, rounds: int = 1) -> State:
        """See `ApartRule`."""
        if members.task.labels:
            return self._pool.exchange(state, members, transport, rounds)
        return Climbing(state.panel, self.spoken(state.climb, state.panel, transport, rounds))

    def converge(self, state: State, members: Members, transport: Transport) -> State:
        """Until nobody moves any more, or all iterations are over."""
        if members.task.labels:
            return self._pool.converge(state, members, transport)
        climb = state.climb
        while not climb.done:
            climb = self.summed_once(climb, state.panel, transport)
        return Climbing(state.panel, climb)

    def fused(self, state: State, members: Members, transport: Transport) -> Fused:
        """See `ApartRule`."""
        if members.task.labels:
            return self._pool.fused(state, members, transport)
        moments = [self.mean(state.climb, transport), self.variance(state.climb, transport)]
        everybody = np.full(len(moments[0]), transport.allsum(sizes(members)[:, None])[0])
        asked, densities = (
            sum(getattr(box, what) for box in state.panel.boxes) for what in ("used", "density_queries")
        )
        return Fused(np.stack(moments, axis=2), everybody, asked, densities)

    @property
    def _pool(self) -> SummedRule:
        return replace(POOLS[self.uncertainty](self.least), via=self.via, carrier=self.carrier)


def _require_stds(panel: Panel, members: Members, transport: Transport) -> None:
    """Take rows set aside for the standard deviation of experts that state none.

    Raises ValueError, on all ranks, for models that are no regressors or have none by any way. Collective.
    """
    states = [bool(np.isfinite(answers[:, 1]).all()) for answers in members.answers]
    lacking = [
        float(not isinstance(expert, Regressor) or not (stated or _calibrated(box, members.labelled)))
        for expert, box, stated in zip(members.experts, panel.boxes, states, strict=True)
    ]
    of_all = known_to_all(lacking, transport)
    if of_all.any():
        raise ValueError(
            f'fusion.rule: "cigar" weighs experts by their standard deviations, and the model of agent '
            f"{int(np.flatnonzero(of_all)[0])} states none: set rows aside that tell (data.labelled_count), take a "
            'model that states one, or fusion.rule = "ensemble"'
        )


def _calibrated(box: BlackBox, labelled: LocalRows | None) -> bool:
    """Whether an expert has a standard deviation now, or is out and needs none."""
    if box.failure is not None or box.std is not None:
        return True
    if labelled is None:
        return False
    try:
        box.calibrate(labelled.x, labelled.y)
    except ValueError:
        return box.failure is not None
    return True
