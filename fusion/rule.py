"""The contract of a fusion rule.

A rule is a frozen dataclass of its own settings; its state is opaque to the loop. It sees other agents through the
transport alone, and never asks for its rank. A new rule is one file and one line in ``coolgp.fusion.registry``.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Protocol, TypeGuard, runtime_checkable

from coolgp.agents.base.arrays import Array
from coolgp.agents.batches import Batch
from coolgp.agents.population import Population
from coolgp.agents.prediction import Prediction
from coolgp.agents.statistics import Evidence
from coolgp.fusion.guarantee import Guarantee
from coolgp.network.base.arrays import Indices
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.transport import Transport

__all__ = [
    "AveragesParameters",
    "EvidenceRule",
    "Forgets",
    "FusionRule",
    "SeesData",
    "State",
    "TeachesFrom",
    "averages_parameters",
    "forgets",
    "has_evidence",
    "sees_data",
    "teaches_from",
]

State = Any


class FusionRule(Protocol):
    """How agents combine their own evidence or predictions with those of others."""

    def fit(self, topology: Topology, faults: Faults) -> FusionRule:
        """The rule fitted to this network: all that it needs to know of the whole graph is computed here."""
        ...

    def guarantee(self, topology: Topology, faults: Faults) -> Guarantee:
        """What the fitted rule guarantees on this network."""
        ...

    def links(self, topology: Topology) -> Topology:
        """The part of the graph that the rule sends messages over: the transport is built on it."""
        ...

    def init(self, population: Population, transport: Transport) -> State:
        """State before the first message."""
        ...

    def exchange(self, state: State, population: Population, transport: Transport, rounds: int = 1) -> State:
        """So many communication rounds: in each, every agent sends to its neighbours once."""
        ...

    def converge(self, state: State, population: Population, transport: Transport) -> State:
        """Communicate until the fixed point for what the agents know now."""
        ...

    def predict(
        self, state: State, population: Population, probes: Indices, x: Array, transport: Transport
    ) -> Prediction:
        """Predictions ``[A', Q]`` of the probe agents (rows ``[A']`` of this rank) at queries ``x [Q, D]``. Collective.

        Agents of a rule that fuses predictions, not evidence, exchange messages here.
        """
        ...


@runtime_checkable
class AveragesParameters(FusionRule, Protocol):
    """A rule that also averages what agents announce: with it they learn hyper-parameters together."""

    def announced(self, state: State, population: Population) -> Array:
        """The average over agents, as far as each knows it, of what they announced: ``[A, C]``."""
        ...


@runtime_checkable
class SeesData(FusionRule, Protocol):
    """A rule that needs to see the data themselves, not only what becomes of them in the population's sums."""

    def observe(self, state: State, population: Population, batch: Batch) -> State:
        """The state once agents have seen a batch ``[A, B]``, which is not yet part of the population's sums."""
        ...


@runtime_checkable
class Forgets(SeesData, Protocol):
    """A rule that sees the data, and can forget what it keeps of them as the population forgets its sums."""

    def forgotten(self, state: State, share: float) -> State:
        """The state in which what was observed so far counts by this share, in (0, 1)."""
        ...


@runtime_checkable
class TeachesFrom(FusionRule, Protocol):
    """A rule whose agents learn hyper-parameters from other evidence than they predict with."""

    def training_evidence(self, state: State, population: Population, agents: slice | Indices) -> Evidence:
        """The evidence that these agents learn from, in common coordinates."""
        ...


@runtime_checkable
class EvidenceRule(AveragesParameters, Protocol):
    """A rule whose agents end with evidence of their own: it can be stored, and hyper-parameters learned from it."""

    def fused_evidence(self, state: State, population: Population, agents: slice | Indices) -> Evidence:
        """What the agents know after the exchange, in common coordinates."""
        ...

    def error(self, state: State, population: Population, transport: Transport) -> float:
        """How far agents are from the sum over all of them (0: exact): see :mod:`coolgp.fusion.sums.deviation`."""
        ...

    def counted(self, state: State, agents: Indices) -> Array:
        """How many agents each of these ``[A']`` has counted, itself among them."""
        ...


def averages_parameters(rule: FusionRule) -> TypeGuard[AveragesParameters]:
    """Whether it is such a rule: `isinstance`, which takes 50 µs before Python 3.12, once for each class."""
    return _provides(type(rule), AveragesParameters)


def sees_data(rule: FusionRule) -> TypeGuard[SeesData]:
    """Whether it is such a rule."""
    return _provides(type(rule), SeesData)


def forgets(rule: FusionRule) -> TypeGuard[Forgets]:
    """Whether it is such a rule."""
    return _provides(type(rule), Forgets)


def teaches_from(rule: FusionRule) -> TypeGuard[TeachesFrom]:
    """Whether it is such a rule."""
    return _provides(type(rule), TeachesFrom)


def has_evidence(rule: FusionRule) -> TypeGuard[EvidenceRule]:
    """Whether it is such a rule."""
    return _provides(type(rule), EvidenceRule)


@cache
def _provides(kind: type, protocol: type) -> bool:
    return issubclass(kind, protocol)
