"""COLBI in one process: experts are imitated when the group is put together, and never asked again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.queries.black_box import BlackBox
from coolgp.agents.experts.queries.failure import ExpertFailed
from coolgp.agents.experts.surrogates.linear import FusedLinearSurrogates
from coolgp.agents.experts.surrogates.softmax import SoftmaxSurrogate
from coolgp.fusion.blackbox.group import Group, GroupAnswer
from coolgp.fusion.blackbox.imitation.fusing import POWERS, fused_model, fusing, owner_rows
from coolgp.fusion.blackbox.imitation.imitate import Fidelity, imitate_classifier, imitate_regressor
from coolgp.fusion.blackbox.imitation.settings import ImitationSettings, Pool
from coolgp.fusion.blackbox.uncertainty import Uncertainty
from coolgp.fusion.sums.carrier import RepeatedSums
from coolgp.network.links.faults import PERFECT
from coolgp.network.serial import SerialTransport

__all__ = ["Colbi", "ImitatedGroup", "imitated_group"]


@dataclass(frozen=True)
class Colbi(RepeatedSums, ImitationSettings):
    """Settings of COLBI. uncertainty: of predictions; "mixture" is of numbers alone. via: what carries the sums."""

    uncertainty: Uncertainty = "gpoe"


def imitated_group(group: Group, x: Array, settings: Mapping[str, Any]) -> ImitatedGroup:
    """See `Method`; x ``[U, D]``: where experts are asked."""
    names = [each.name for each in fields(Colbi) if not each.metadata.get("fitted")]
    unknown = [name for name in settings if name not in names]
    if unknown:
        raise ValueError(f"colbi has no setting {unknown[0]!r}; needed {', '.join(names)}")
    rule = Colbi(**settings).fit(group.topology, PERFECT)
    rule.check_task(group.task.name)
    if group.task.labels and rule.uncertainty not in POWERS:
        raise ValueError(f'colbi: uncertainty "{rule.uncertainty}" of classes is no product: take {" | ".join(POWERS)}')
    pool = Pool.of(x, rule)
    fused = ImitatedGroup(group, rule, pool)
    for owner, box in enumerate(group.boxes):
        try:
            imitated = fused.imitate(box, owner)
        except ExpertFailed:
            continue
        fused.surrogates[owner], fused.fidelity[box.name] = imitated.surrogate, imitated.fidelity
    return fused


@dataclass(frozen=True)
class ImitatedGroup:
    """See `GroupPredictor`. rule: fitted to the graph. pool: where experts were asked.

    surrogates: by owner, of the experts that did not fail. fidelity: of each, by its expert's name.
    """

    group: Group
    rule: Colbi
    pool: Pool
    surrogates: dict[int, Any] = field(default_factory=dict)
    fidelity: dict[str, Fidelity] = field(default_factory=dict)

    @property
    def model(self) -> FusedLinearSurrogates | SoftmaxSurrogate:
        """All surrogates as one model, which files hold. Raises ValueError where they have no product."""
        return fused_model(list(self.surrogates.values()), self.rule.uncertainty)

    def imitate(self, box: BlackBox, owner: int) -> Any:
        """A surrogate with its report. Raises ValueError for an expert that cannot be imitated so."""
        if self.group.task.labels:
            return imitate_classifier(box, self.pool, self.rule, np.array(self.group.task.labels))
        return imitate_regressor(box, self.pool, self.rule, owner)

    def answer(self, x: Array) -> GroupAnswer:
        """See `GroupPredictor`; nobody is asked."""
        task, transport = self.group.task, SerialTransport(self.rule.links(self.group.topology))
        form = fusing(task, self.pool.features, x, self.rule.uncertainty)
        order = transport.shard.agents
        rows = owner_rows([self.surrogates.get(owner) for owner in order.tolist()], form)
        sums = self.rule.summed(rows, transport)[np.argsort(order)]
        answers = form.answers(sums[:, :-1], sums[:, -1])
        numbers = answers[:, :, 0] if not task.labels else answers.argmax(axis=2).astype(float)
        spent = {name: float(getattr(transport.meter, name)) for name in ("messages", "bytes")}
        return GroupAnswer(
            mean=numbers[0],
            std=np.full(len(x), np.nan) if task.labels else np.sqrt(answers[0, :, 1]),
            answers=numbers,
            consensus=np.ones(len(x), dtype=bool),
            probabilities=answers[0] if task.labels else np.empty((0, 0)),
            trace=({"iteration": 0, "communication_rounds": transport.meter.rounds, **spent},),
        )

    def summed(self, rows: Array) -> Array:
        """See `GroupPredictor`."""
        transport = SerialTransport(self.rule.links(self.group.topology))
        total: Array = self.rule.summed(rows[transport.shard.agents], transport)[0]
        return total
