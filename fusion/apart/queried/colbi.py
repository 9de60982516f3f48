"""COLBI: experts that only answer queries are imitated once, and their imitators are fused over the graph.

Source: Hoang, Hoang, Low & Kingsford, "Collective Model Fusion for Multiple Black-Box Experts", ICML 2019, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.task import Task
from coolgp.fusion.apart.members import Fused, Members
from coolgp.fusion.apart.queried.imitated import Imitations, imitations
from coolgp.fusion.apart.summed import Carried, CarriedRows
from coolgp.fusion.blackbox.imitation.fusing import FusedWeights, Fusing, fusing, owner_rows
from coolgp.fusion.blackbox.imitation.settings import LEAST, ImitationSettings
from coolgp.fusion.blackbox.uncertainty import Uncertainty
from coolgp.network.transport import Transport

__all__ = ["FusedSurrogates"]


@dataclass(frozen=True)
class Imitating(Carried):
    """imitations: of the experts of this rank."""

    imitations: Imitations


@dataclass(frozen=True)
class FusedSurrogates(CarriedRows, ImitationSettings):
    """The product of surrogates that imitate experts by queries (COLBI): after that, nobody asks an expert again.

    Surrogates of numbers add their answers at each input; those of classes add their weights, once for all inputs. See
    `ImitationSettings` for imitation, which needs inputs set aside (data.unlabelled_count). uncertainty: "gpoe", powers
    that sum to one; "product", which takes experts for independent; or "mixture", for numbers.
    """

    leaves_out: ClassVar[bool] = True
    by_queries: ClassVar[bool] = True
    least_inputs: ClassVar[int] = LEAST

    uncertainty: Uncertainty = "gpoe"

    def check(self, task: Task) -> None:
        """Weights of classes add up to a product; and sparse GPs are of numbers."""
        if task.labels and self.uncertainty == "mixture":
            raise ValueError(
                'fusion.uncertainty: "mixture" of classes is a mean of probabilities, no sum of weights: take "gpoe" | '
                '"product", or fusion.rule = "ensemble"'
            )
        self.check_task(task.name)

    def init(self, members: Members, transport: Transport) -> Imitating:
        """Imitate, each agent alone; nothing was sent yet. Raises as `imitations`."""
        imitated = imitations(members, self, transport)
        rows = self._rows(imitated, members)
        return Imitating(rows, self.carrier.begin(rows, transport), imitated)

    def rows(self, members: Members, transport: Transport) -> Array:
        """What each agent adds, by a surrogate that is imitated for it; zeros where the expert is out. Collective."""
        return self._rows(imitations(members, self, transport), members)

    def fused(self, state: Carried, members: Members, transport: Transport) -> Fused:
        """What follows from what each agent has of the sum; its own surrogate where that is nothing yet."""
        assert isinstance(state, Imitating)
        sums, form = self.carrier.sums(state.inner), self._form(state.imitations, members)
        with np.errstate(all="ignore"):
            of_sums, own = (form.answers(rows[:, :-1], rows[:, -1]) for rows in (sums, state.rows))
        sound = np.asarray(np.isfinite(of_sums).all(axis=(1, 2)))
        answers = np.where(sound[:, None, None], of_sums, own)
        size = form.like.size if isinstance(form, FusedWeights) else state.imitations.size(transport)
        parameters = np.full(len(sums), float(size))
        imitated = state.imitations
        return Fused(answers, parameters, imitated.queries, imitated.density_queries, fidelity=imitated.fidelity)

    def _rows(self, imitated: Imitations, members: Members) -> Array:
        return owner_rows(imitated.surrogates, self._form(imitated, members))

    def _form(self, imitated: Imitations, members: Members) -> Fusing:
        return fusing(members.task, imitated.pool.features, members.queries, self.uncertainty)
