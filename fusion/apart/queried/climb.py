"""Agents that climb the product of experts of numbers, with the verbs of a rule: see `coolgp.fusion.blackbox.cigar`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.queries.black_box import BlackBox
from coolgp.agents.experts.task import Task
from coolgp.fusion.apart.alone import sizes
from coolgp.fusion.apart.members import Fused, Members
from coolgp.fusion.apart.queried.imitated import asked_of_all, boxes_of
from coolgp.fusion.blackbox.cigar import Cigar
from coolgp.fusion.blackbox.climb import Climb
from coolgp.fusion.blackbox.panel import Panel
from coolgp.network.transport import Transport

__all__ = ["ClimbedNumbers", "Climbing"]


@dataclass(frozen=True)
class Climbing:
    """panel: the experts behind their answers. climb: where their agents stand."""

    panel: Panel
    climb: Climb


@dataclass(frozen=True)
class ClimbedNumbers(Cigar):
    """The product of experts that state a mean and a standard deviation, found by queries alone."""

    leaves_out: ClassVar[bool] = True
    by_queries: ClassVar[bool] = True

    def check(self, task: Task) -> None:
        """Refuse nothing."""

    def init(self, members: Members, transport: Transport) -> Climbing:
        """See `ApartRule`. Raises ValueError on all ranks for an expert without a standard deviation."""

        def stated(box: BlackBox, agent: int) -> Array:
            std = box.predict(members.queries)[1]
            if not np.isfinite(std).all():
                raise ValueError(
                    "states no standard deviation, which weighs experts: set rows aside that tell "
                    '(data.labelled_count), take a model that states one, or fusion.rule = "ensemble"'
                )
            return std

        asked_of_all(members, stated, transport)
        panel = Panel(boxes_of(members), members.queries)
        return Climbing(panel, self.begin(panel, transport))

    def exchange(self, state: Climbing, members: Members, transport: Transport, rounds: int = 1) -> Climbing:
        """See `ApartRule`; points move with each sum that is complete."""
        return Climbing(state.panel, self.spoken(state.climb, state.panel, transport, rounds))

    def converge(self, state: Climbing, members: Members, transport: Transport) -> Climbing:
        """Until nobody moves any more, or all iterations are over."""
        climb = state.climb
        while not climb.done:
            climb = self.summed_once(climb, state.panel, transport)
        return Climbing(state.panel, climb)

    def fused(self, state: Climbing, members: Members, transport: Transport) -> Fused:
        """See `ApartRule`."""
        moments = [self.mean(state.climb, transport), self.variance(state.climb, transport)]
        everybody = np.full(len(moments[0]), transport.allsum(sizes(members)[:, None])[0])
        asked = sum(box.used for box in state.panel.boxes)
        return Fused(np.stack(moments, axis=2), everybody, asked, sum(box.density_queries for box in state.panel.boxes))
