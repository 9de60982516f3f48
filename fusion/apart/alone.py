"""No fusion: what every other rule is measured from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.expert import Expert
from coolgp.agents.experts.network import Network
from coolgp.agents.experts.task import Task
from coolgp.agents.sparse.gp import SparseGP
from coolgp.fusion.apart.members import Fused, Members
from coolgp.fusion.apart.rule import State
from coolgp.fusion.guarantee import Guarantee
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.transport import Transport

__all__ = ["Alone", "Best", "size_of", "sizes"]


@dataclass(frozen=True)
class Alone:
    """No messages: every agent predicts by its own model."""

    leaves_out: ClassVar[bool] = True

    def fit(self, topology: Topology, faults: Faults) -> Alone:
        """See `ApartRule`."""
        return self

    def guarantee(self, topology: Topology, faults: Faults) -> Guarantee:
        """See `ApartRule`."""
        return Guarantee("approximate", "agents say nothing to one another")

    def links(self, topology: Topology) -> Topology:
        """See `ApartRule`."""
        return topology

    def check(self, task: Task) -> None:
        """See `ApartRule`."""

    def init(self, members: Members, transport: Transport) -> State:
        """See `ApartRule`."""

    def exchange(self, state: State, members: Members, transport: Transport, rounds: int = 1) -> State:
        """See `ApartRule`."""

    def converge(self, state: State, members: Members, transport: Transport) -> State:
        """See `ApartRule`."""

    def fused(self, state: State, members: Members, transport: Transport) -> Fused:
        """Its own answers."""
        return Fused(members.answers, sizes(members))


@dataclass(frozen=True)
class Best(Alone):
    """The one model that is best on the test rows: known afterwards, so no method but a bound on choosing one."""

    def chosen(self, losses: Array) -> int:
        """See `KnownAfterwards`."""
        return int(np.nanargmin(losses))


def sizes(members: Members) -> Array:
    """Numbers that each agent's own model needs to predict ``[A]``, NaN where it does not say."""
    return np.array([size_of(expert) for expert in members.experts])


def size_of(expert: Expert) -> float:
    """Numbers that a model needs to predict, NaN where it does not say."""
    parameters = expert.parameters
    return float(parameters.size) if isinstance(parameters, Network | SparseGP) else np.nan
