"""COLBI by parameters in one process: one surrogate for what all experts say, fitted by sums over the graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.queries.failure import ExpertFailed
from coolgp.agents.experts.surrogates.linear import FusedLinearSurrogates, LinearSurrogate
from coolgp.fusion.blackbox.group import Group, GroupAnswer
from coolgp.fusion.blackbox.imitation.parameters import PseudoLabels, begun, pseudo_labels, row_length, stepped
from coolgp.fusion.blackbox.imitation.settings import ImitationSettings, Pool
from coolgp.fusion.sums.carrier import RepeatedSums
from coolgp.network.links.faults import PERFECT
from coolgp.network.serial import SerialTransport

__all__ = ["ColbiParameters", "OneSurrogateGroup", "one_surrogate_group"]


@dataclass(frozen=True)
class ColbiParameters(RepeatedSums, ImitationSettings):
    """Settings of COLBI by parameters. climb: steps, each from one sum over the graph."""

    climb: Annotated[int, Field(ge=1)] = 20


def one_surrogate_group(group: Group, x: Array, settings: Mapping[str, Any]) -> OneSurrogateGroup:
    """See `Method`; x ``[U, D]``: where experts are asked, and none is after that."""
    if group.task.labels or settings.get("uncertainty", "gpoe") != "gpoe":
        raise ValueError(
            "colbi-parameters fits one surrogate to numbers: it takes no classes, and no other uncertainty"
        )
    own = {name: value for name, value in settings.items() if name != "uncertainty"}
    names = [each.name for each in fields(ColbiParameters) if not each.metadata.get("fitted")]
    unknown = [name for name in own if name not in names]
    if unknown:
        raise ValueError(f"colbi-parameters has no setting {unknown[0]!r}; needed {', '.join(names)}")
    rule = ColbiParameters(**own).fit(group.topology, PERFECT)
    transport = SerialTransport(rule.links(group.topology))
    pool = Pool.of(x, rule)
    labels = _labels(group, pool, transport.shard.agents.tolist())
    surrogate = begun(pool.features)
    for _ in range(rule.climb):
        surrogate = stepped(surrogate, rule.summed(_rows(labels, surrogate), transport)[0])
    return OneSurrogateGroup(rule, group, surrogate, _spent(transport))


@dataclass(frozen=True)
class OneSurrogateGroup:
    """See `GroupPredictor`. rule: fitted to the graph. surrogate: of all. spent: what fitting it took."""

    rule: ColbiParameters
    group: Group
    surrogate: LinearSurrogate
    spent: Mapping[str, float] = field(default_factory=dict)

    @property
    def model(self) -> FusedLinearSurrogates:
        """The surrogate as a model that files hold."""
        weights = (self.surrogate.mean_weights[None], self.surrogate.log_std_weights[None])
        return FusedLinearSurrogates(LinearSurrogate(self.surrogate.features, *weights), 1.0)

    def answer(self, x: Array) -> GroupAnswer:
        """See `GroupPredictor`; nobody is asked, and nothing is sent."""
        mean, std = self.surrogate.predict(x)
        answers = np.broadcast_to(mean, (len(self.group.boxes), len(x)))
        return GroupAnswer(mean, std, answers, np.ones(len(x), dtype=bool), trace=(self.spent,))

    def summed(self, rows: Array) -> Array:
        """See `GroupPredictor`."""
        transport = SerialTransport(self.rule.links(self.group.topology))
        total: Array = self.rule.summed(rows[transport.shard.agents], transport)[0]
        return total


def _labels(group: Group, pool: Pool, order: Sequence[int]) -> list[PseudoLabels | None]:
    """What each expert says at the inputs, in the order of the transport; None of one that failed."""

    def one(owner: int) -> PseudoLabels | None:
        try:
            return pseudo_labels(group.boxes[owner], pool.asked, pool.features)
        except ExpertFailed:
            return None

    return [one(owner) for owner in order]


def _rows(labels: Sequence[PseudoLabels | None], surrogate: LinearSurrogate) -> Array:
    empty = np.zeros(row_length(surrogate.features.count))
    return np.stack([empty if each is None else each.row(surrogate) for each in labels])


def _spent(transport: SerialTransport) -> Mapping[str, float]:
    meter = transport.meter
    return {"communication_rounds": meter.rounds, "messages": meter.messages, "bytes": meter.bytes}
