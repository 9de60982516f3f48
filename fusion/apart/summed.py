"""Rules that are sums over the agents, carried over the graph by any of the rules that add up rows.

What every agent adds is a row ``[P]``; each reads what it predicts from what it has of the sum. Faults do to the sum
what the carrying rule guarantees.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.task import Task
from coolgp.fusion.apart.alone import sizes
from coolgp.fusion.apart.members import Fused, Members
from coolgp.fusion.guarantee import Guarantee
from coolgp.fusion.sums.carrier import CarriedRule
from coolgp.fusion.sums.counted_once import counted_once
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.transport import Transport

__all__ = ["Carried", "CarriedRows", "SummedRule", "counted", "of_all_models"]


@dataclass(frozen=True)
class Carried:
    """rows ``[A, P]``: what agents add; inner: what the carrying rule keeps."""

    rows: Array
    inner: Any


@dataclass(frozen=True)
class CarriedRows(CarriedRule, ABC):
    """A rule whose agents each have a row that is carried over the graph.

    via: the rule that carries the rows. carrier: the rule itself, fitted to the network.
    """

    def fit(self, topology: Topology, faults: Faults) -> Self:
        """Fit what carries the rows, and let it count nobody twice."""
        fitted = super().fit(topology, faults)
        return replace(fitted, carrier=counted_once(fitted.carrier))

    @abstractmethod
    def rows(self, members: Members, transport: Transport) -> Array:
        """What each agent has to say ``[A, P]``. Collective."""

    def guarantee(self, topology: Topology, faults: Faults) -> Guarantee:
        """The carrier's."""
        return self.carrier.guarantee(topology, faults)

    def check(self, task: Task) -> None:
        """Refuse nothing: sums are of what either task has."""
        return

    def init(self, members: Members, transport: Transport) -> Carried:
        """See `ApartRule`."""
        rows = np.where(members.present[:, None], self.rows(members, transport), 0.0)
        return Carried(rows, self.carrier.begin(rows, transport))

    def exchange(self, state: Carried, members: Members, transport: Transport, rounds: int = 1) -> Carried:
        """See `ApartRule`."""
        return replace(state, inner=self.carrier.rounds(state.inner, state.rows, transport, rounds))

    def converge(self, state: Carried, members: Members, transport: Transport) -> Carried:
        """See `ApartRule`."""
        return replace(state, inner=self.carrier.settle(state.inner, state.rows, transport))


@dataclass(frozen=True)
class SummedRule(CarriedRows, ABC):
    """A rule whose agents sum their rows."""

    @abstractmethod
    def read(self, sums: Array, members: Members, transport: Transport) -> Fused:
        """What every agent predicts from what it has of the sum ``[A, P]``. Collective."""

    def fused(self, state: Carried, members: Members, transport: Transport) -> Fused:
        """See `ApartRule`."""
        return self.read(self.carrier.sums(state.inner), members, transport)


def of_all_models(combined: Array, members: Members, transport: Transport, besides: int = 0) -> Fused:
    """What agents predict by answers of all models ``[A, Q, C]``; who has none of them yet predicts by itself.

    besides: further rows that each model answered for others. Collective.
    """
    asked = (len(members.queries) + besides) * int(members.present.sum())
    sound = np.asarray(np.isfinite(combined[:, :, 0]).all(axis=1))
    answers = np.where(sound[:, None, None], combined, members.answers)
    parameters = np.full(len(members.experts), transport.allsum(sizes(members)[:, None])[0])
    return Fused(answers, parameters, asked * (transport.shard.size > 1))


def counted(rows: Array) -> Array:
    """The rows with a one behind each, so that agents know how many the sum has ``[A, P + 1]``."""
    return np.concatenate([rows, np.ones((len(rows), 1))], axis=1)
