"""The median of all answers: no sum, so every agent's answers travel to every other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.fusion.apart.members import Fused, Members
from coolgp.fusion.apart.summed import Carried, CarriedRows, counted, of_all_models
from coolgp.network.transport import Transport

__all__ = ["Median"]


@dataclass(frozen=True)
class Median(CarriedRows):
    """The median of the models' means and of their variances at each query, or of the probabilities of each class.

    A few models that are far off do not move it. The price are N rows over every link in place of one. Of those that
    have arrived, until all have. Medians of probabilities are scaled to sum to one.
    """

    leaves_out: ClassVar[bool] = True

    via: Literal["flood"] = "flood"

    def rows(self, members: Members, transport: Transport) -> Array:
        """Each agent's answers, and a one ``[A, Q C + 1]``: zero of experts that are left out."""
        return counted(members.answers.reshape(len(members.answers), -1))

    def fused(self, state: Carried, members: Members, transport: Transport) -> Fused:
        """See `ApartRule`."""
        medians = [_median(arrived[arrived[:, -1] > 0, :-1]) for arrived in state.inner.values]
        combined = np.array(medians).reshape(members.answers.shape)
        if members.task.labels:
            combined = (combined + TINY) / (combined + TINY).sum(axis=2, keepdims=True)
        return of_all_models(combined, members, transport)


TINY = 1e-300
"""Where every class has the median 0, all are alike."""


def _median(rows: Array) -> Array:
    """Column by column; NaN of no rows."""
    return np.median(rows, axis=0) if len(rows) else np.full(rows.shape[1], np.nan)
