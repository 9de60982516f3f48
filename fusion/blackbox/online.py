"""CIGAR in one process: experts stay online, and their owners fuse what they are asked about when they are asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from coolgp.agents.base.arrays import Array, Booleans, Indices
from coolgp.agents.experts.queries.failure import ExpertFailed
from coolgp.agents.experts.task import answers
from coolgp.fusion.blackbox.cigar import Cigar
from coolgp.fusion.blackbox.climb import Climb
from coolgp.fusion.blackbox.group import Group, GroupAnswer, GroupPredictor
from coolgp.fusion.blackbox.panel import Panel
from coolgp.fusion.blackbox.uncertainty import POOLS
from coolgp.network.links.faults import PERFECT
from coolgp.network.serial import SerialTransport

__all__ = ["OnlineGroup", "online_group"]


def online_group(group: Group, x: Array, settings: Mapping[str, Any]) -> GroupPredictor:
    """See `Method`; inputs without targets are not needed."""
    names = [each.name for each in fields(Cigar) if not each.metadata.get("fitted")]
    unknown = [name for name in settings if name not in names]
    if unknown:
        raise ValueError(f"cigar has no setting {unknown[0]!r}; needed {', '.join(names)}")
    return OnlineGroup(group, Cigar(**settings).fit(group.topology, PERFECT))


@dataclass(frozen=True)
class OnlineGroup:
    """See `GroupPredictor`. rule: fitted to the graph."""

    group: Group
    rule: Cigar

    def answer(self, x: Array) -> GroupAnswer:
        """See `GroupPredictor`."""
        return self._pooled(x) if self.group.task.labels else self._climbed(x)

    def summed(self, rows: Array) -> Array:
        """See `GroupPredictor`."""
        transport, order = self._connected()
        total: Array = self.rule.summed(rows[order], transport)[0]
        return total

    def _connected(self) -> tuple[SerialTransport, Indices]:
        """A transport, and the owners' numbers in its order."""
        transport = SerialTransport(self.rule.links(self.group.topology))
        return transport, transport.shard.agents

    def _climbed(self, x: Array) -> GroupAnswer:
        transport, order = self._connected()
        panel = Panel([self.group.boxes[owner] for owner in order.tolist()], x)
        before = self._densities
        climb, trace = self.rule.begin(panel, transport), []
        while not climb.done:
            climb = self.rule.summed_once(climb, panel, transport)
            trace.append(self._spent(climb, transport, self._densities - before))
        means, variances = self.rule.mean(climb, transport), self.rule.variance(climb, transport)
        place = np.abs(means - np.median(means, axis=0)).argmin(axis=0), np.arange(len(x))
        together = np.asarray(self.rule.consensus(climb, transport).all(axis=0))
        return GroupAnswer(
            mean=means[place],
            std=np.sqrt(variances[place]),
            answers=means[np.argsort(order)],
            consensus=together,
            trace=tuple(trace),
            remarks=_remarks(climb, together),
        )

    @property
    def _densities(self) -> int:
        return sum(box.density_queries for box in self.group.boxes)

    def _spent(self, climb: Climb, transport: SerialTransport, densities: int) -> Mapping[str, float]:
        spread = np.ptp(self.rule.mean(climb, transport), axis=0)
        return {
            "iteration": climb.iteration,
            "spread": float(spread.mean()) if spread.size else 0.0,
            "communication_rounds": transport.meter.rounds,
            "messages": transport.meter.messages,
            "bytes": transport.meter.bytes,
            "density_queries": densities,
        }

    def _pooled(self, x: Array) -> GroupAnswer:
        pool, transport = POOLS[self.rule.uncertainty], self._connected()[0]
        own = [self._probabilities(owner, x) for owner in self._connected()[1].tolist()]
        terms = [np.append(pool.term(each), 1.0) if each is not None else None for each in own]
        shape = (len(x), self.group.task.columns)
        rows = np.stack([np.zeros(shape[0] * shape[1] + 1) if each is None else each for each in terms])
        sums = self.rule.summed(rows, transport)[0]
        shares = pool.read(sums[:-1].reshape(shape), sums[-1])
        most = shares.argmax(axis=1).astype(float)
        trace = {"messages": transport.meter.messages, "bytes": transport.meter.bytes}
        return GroupAnswer(
            mean=most,
            std=np.full(len(x), np.nan),
            answers=np.broadcast_to(most, (len(own), len(x))),
            consensus=np.ones(len(x), dtype=bool),
            probabilities=shares,
            trace=({"iteration": 0, "communication_rounds": transport.meter.rounds, **trace},),
        )

    def _probabilities(self, owner: int, x: Array) -> Array | None:
        """Of an expert at all classes of the group; None of one that is out."""
        try:
            return answers(self.group.boxes[owner].expert, x, self.group.task)
        except ExpertFailed:
            return None


def _remarks(climb: Climb, together: Booleans) -> tuple[str, ...]:
    """What the user should know of the end of a climb."""
    apart = len(together) - int(together.sum())
    several = f"owners do not agree at {apart} of {len(together)} inputs: experts whose product has several modes, or"
    words = [f"{several} too few iterations"] if apart else []
    if climb.done == "queries":
        words.append(f"a cap on queries ended the climb after {climb.iteration} iterations")
    return tuple(words)
