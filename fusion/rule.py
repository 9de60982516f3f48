"""The contract of a fusion rule.

A rule is a frozen dataclass of its own settings; its state is opaque to the loop. It sees other agents through the
transport alone, and never asks for its rank. A new rule is one file and one line in ``coolgp.fusion.registry``.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from coolgp.agents.kernels import Array
from coolgp.agents.population import Population
from coolgp.agents.prediction import Prediction
from coolgp.agents.statistics import Evidence
from coolgp.network.topology import Topology
from coolgp.network.transport import Transport

__all__ = ["EvidenceRule", "FusionRule", "Indices", "State"]

State = Any
Indices = npt.NDArray[np.intp]


class FusionRule(Protocol):
    """How agents turn what they and their neighbours know into one prediction."""

    def links(self, topology: Topology) -> Topology:
        """The part of the graph that the rule speaks over: the transport is built on it."""
        ...

    def init(self, population: Population, transport: Transport) -> State:
        """State before the first message."""
        ...

    def exchange(self, state: State, population: Population, transport: Transport) -> State:
        """One communication round: every agent speaks to its neighbours once."""
        ...

    def converge(self, state: State, population: Population, transport: Transport) -> State:
        """Communicate until the fixed point for what the agents know now."""
        ...

    def predict(self, state: State, population: Population, probes: Indices, x: Array) -> Prediction:
        """Predictions ``[A', Q]`` of the probe agents (rows ``[A']`` of this rank) at queries ``x [Q, D]``."""
        ...


@runtime_checkable
class EvidenceRule(FusionRule, Protocol):
    """A rule whose agents end with evidence of their own: it can be stored, and hyper-parameters learned from it."""

    def belief(self, state: State, population: Population, agents: slice | Indices) -> Evidence:
        """What the agents know after the exchange, in common coordinates."""
        ...

    def announced(self, state: State, population: Population) -> Array:
        """The average over agents, as far as each knows it, of what they announced: ``[A, C]``."""
        ...
