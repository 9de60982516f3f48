"""CIGAR as a rule: experts that answer queries alone agree on their predictions over the graph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coolgp.agents.experts.expert import Expert, Regressor
from coolgp.agents.experts.models.base import LocalRows
from coolgp.agents.experts.queries.black_box import BlackBox
from coolgp.agents.experts.task import Task
from coolgp.fusion.apart.alone import sizes
from coolgp.fusion.apart.members import Fused, Members, known_to_all
from coolgp.fusion.apart.pooled_classes import PooledClasses
from coolgp.fusion.apart.rule import State
from coolgp.fusion.blackbox.cigar import Cigar, Climb
from coolgp.fusion.blackbox.panel import Panel
from coolgp.network.transport import Transport

__all__ = ["ClimbedProduct"]


@dataclass(frozen=True)
class Climbing:
    """panel: the experts behind their answers. climb: where their agents stand."""

    panel: Panel
    climb: Climb


@dataclass(frozen=True)
class ClimbedProduct(Cigar):
    """The product of experts, found by queries alone (CIGAR); of class probabilities it takes one sum.

    See `Cigar` for the settings. In a communication round, agents say a part of one sum; their predictions move with
    each sum that is complete.
    """

    def check(self, task: Task) -> None:
        """Refuse nothing: numbers are climbed to, probabilities of classes add up."""

    def init(self, members: Members, transport: Transport) -> State:
        """See `ApartRule`. Raises ValueError on all ranks for an expert without a standard deviation."""
        if members.task.labels:
            return self._pool.init(members, transport)
        _require_stds(members, transport)
        panel = Panel([_box(expert, members.labelled) for expert in members.experts], members.queries)
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
        """See `ApartRule`; queries are densities that experts were asked for."""
        if members.task.labels:
            return self._pool.fused(state, members, transport)
        moments = [self.mean(state.climb, transport), self.variance(state.climb, transport)]
        everybody = np.full(len(moments[0]), transport.allsum(sizes(members)[:, None])[0])
        return Fused(np.stack(moments, axis=2), everybody, state.climb.queries)

    @property
    def _pool(self) -> PooledClasses:
        return PooledClasses(via=self.via, carrier=self.carrier, uncertainty=self.uncertainty)


def _box(expert: Expert, labelled: LocalRows | None) -> BlackBox:
    """The expert behind its answers, with the residuals of rows set aside for a standard deviation that it lacks."""
    box = BlackBox(expert, queries=None)  # counted and capped, if at all, where it came from
    if labelled is not None:
        box.calibrate(labelled.x, labelled.y)
    return box


def _require_stds(members: Members, transport: Transport) -> None:
    """Refuse, on all ranks, models that are no regressors, or have no standard deviation by any way."""
    aside = members.labelled is not None
    lacking = [
        float(not isinstance(expert, Regressor) or not (aside or np.isfinite(answers[:, 1]).all()))
        for expert, answers in zip(members.experts, members.answers, strict=True)
    ]
    of_all = known_to_all(lacking, transport)
    if of_all.any():
        raise ValueError(
            f'fusion.rule: "cigar" weighs experts by their standard deviations, and the model of agent '
            f"{int(np.flatnonzero(of_all)[0])} states none: set rows aside that tell (data.labelled_count), take a "
            'model that states one, or fusion.rule = "ensemble"'
        )
