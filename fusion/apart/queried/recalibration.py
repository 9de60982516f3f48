"""One temperature for all agents, from rows that were set aside and that the first agent has, agreed on by a sum.

Axes: ``A`` agents on this rank, ``Q`` queries, ``U`` rows set aside, ``C`` columns of an answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.models.base import LocalRows
from coolgp.agents.experts.task import Task
from coolgp.fusion.apart.members import Fused, Members, asked
from coolgp.fusion.blackbox.temperature import class_temperature, class_terms, number_terms, std_factor, tempered
from coolgp.fusion.sums.carrier import RepeatedSums
from coolgp.network.transport import Transport

__all__ = ["Recalibration", "begun", "recalibrated", "with_labelled"]


@dataclass(frozen=True)
class Recalibration:
    """The sum that agents agree by: rows ``[A, T]``, inner, spent, as of any sum. factors ``[A]``: None before."""

    task: Task
    rows: Array
    inner: Any
    spent: int = 0
    factors: Array | None = None

    def spoken(self, rule: RepeatedSums, transport: Transport) -> Recalibration:
        """After one communication round more. Collective."""
        if self.factors is not None:
            return self
        inner = rule.carrier.rounds(self.inner, self.rows, transport, 1)
        after = replace(self, inner=inner, spent=self.spent + 1)
        complete = rule.complete(inner, self.rows, after.spent, transport)
        return after._agreed(rule) if complete else after

    def settled(self, rule: RepeatedSums, transport: Transport) -> Recalibration:
        """After all communication of the sum. Collective."""
        return replace(self, inner=rule.carried(self.inner, self.rows, transport))._agreed(rule)

    def _agreed(self, rule: RepeatedSums) -> Recalibration:
        agreed = class_temperature if self.task.labels else std_factor
        with np.errstate(all="ignore"):
            factors = np.array([agreed(sums) for sums in rule.carrier.sums(self.inner)])
        return replace(self, factors=np.where(np.isfinite(factors) & (factors > 0), factors, 1.0))


def with_labelled(members: Members) -> Members:
    """The members, asked about the rows set aside too, behind the queries. Raises ValueError where there are none."""
    rows = _labelled(members)
    beside = replace(members, queries=rows.x)
    answers = np.concatenate([members.answers, asked(members.experts, beside)], axis=1)
    return replace(members, queries=np.concatenate([members.queries, rows.x]), answers=answers)


def begun(fused: Fused, members: Members, rule: RepeatedSums, transport: Transport) -> Recalibration:
    """Before the first message; fused: what agents predict at the queries, and then at the rows set aside."""
    rows = _labelled(members)
    terms = [_terms(answers[-len(rows.y) :], rows.y, members.task) for answers in fused.answers]
    first = (transport.shard.agents == 0)[:, None]
    own = np.where(first, np.array(terms).reshape(len(first), -1), 0.0)
    return Recalibration(members.task, own, rule.carrier.begin(own, transport))


def recalibrated(fused: Fused, members: Members, agreed: Recalibration | None) -> Fused:
    """What agents predict at the queries alone, by the temperature that they have agreed on."""
    answers = fused.answers[:, : len(members.queries)]
    if agreed is None or agreed.factors is None:
        return replace(fused, answers=answers)
    if members.task.labels:
        pairs = zip(answers, agreed.factors.tolist(), strict=True)
        return replace(fused, answers=np.array([tempered(*pair) for pair in pairs]).reshape(answers.shape))
    wider = np.stack([np.ones(len(answers)), np.square(agreed.factors)], axis=1)
    return replace(fused, answers=answers * wider[:, None])


def _terms(answers: Array, y: Array, task: Task) -> Array:
    if task.labels:
        return class_terms(y.astype(np.intp), answers)
    return number_terms(y, answers[:, 0], np.sqrt(answers[:, 1]))


def _labelled(members: Members) -> LocalRows:
    if members.labelled is None:
        raise ValueError("fusion.recalibrate needs rows with targets that nobody trained on: set data.labelled_count")
    return members.labelled
