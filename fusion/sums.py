"""Rules that add up evidence: what they share, leaving each only how it reaches the sum.

With evidence a commutative group, fusing all agents is one sum ``Σ_a E_a`` and the prior enters once, at prediction:
``R_F = Σ_a R_a - (A-1) R0``, COOL-GP (AAAI-19), equation 11. Beside their evidence agents may announce a few numbers
(hyper-parameters and gradients), and each counts itself, so that sums of announcements become averages.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from coolgp.agents.blocks import map_blocks
from coolgp.agents.kernels import Array
from coolgp.agents.population import Population
from coolgp.agents.prediction import Prediction, predict
from coolgp.agents.statistics import Evidence, packed_length
from coolgp.fusion.rule import Indices, State
from coolgp.network.topology import Topology
from coolgp.network.transport import Transport

__all__ = ["SumRule", "contributions"]


class SumRule(ABC):
    """A rule that estimates, at every agent, the sum over all agents of a row ``[P]`` that each contributes."""

    def links(self, topology: Topology) -> Topology:
        """All links."""
        return topology

    @abstractmethod
    def begin(self, values: Array, transport: Transport) -> State:
        """State before the first message, for contributions ``[A, P]``."""

    @abstractmethod
    def round(self, state: State, values: Array, transport: Transport) -> State:
        """One communication round, with the contributions ``[A, P]`` of the moment."""

    @abstractmethod
    def settle(self, state: State, values: Array, transport: Transport) -> State:
        """Communicate until every agent's sum is that of these contributions."""

    @abstractmethod
    def sums(self, state: State) -> Array:
        """What each agent holds for the sum, ``[A, P]``."""

    def init(self, population: Population, transport: Transport) -> State:
        """State before the first message."""
        return self.begin(contributions(population), transport)

    def exchange(self, state: State, population: Population, transport: Transport) -> State:
        """One communication round."""
        return self.round(state, contributions(population), transport)

    def converge(self, state: State, population: Population, transport: Transport) -> State:
        """Communicate until the fixed point."""
        return self.settle(state, contributions(population), transport)

    def belief(self, state: State, population: Population, agents: slice | Indices) -> Evidence:
        """The summed evidence of some agents."""
        packed = packed_length(population.model.inducing)
        return Evidence.unpack(self.sums(state)[agents, :packed], population.model.inducing)

    def announced(self, state: State, population: Population) -> Array:
        """Average announcement as each agent knows it, ``[A, C]``."""
        tail = self.sums(state)[:, packed_length(population.model.inducing) :]
        average: Array = tail[:, :-1] / tail[:, -1:]
        return average

    def predict(self, state: State, population: Population, probes: Indices, x: Array) -> Prediction:
        """Predictions of the probe agents from their summed evidence."""
        return predict(population.model, population.theta[probes], self.belief(state, population, probes), x)


def contributions(population: Population) -> Array:
    """What each agent adds to the sums, ``[A, P + C + 1]``: packed evidence, announcements, and itself."""
    packed = packed_length(population.model.inducing)
    announced = population.announced
    rows = np.empty((population.size, packed + announced.shape[1] + 1))

    def fill(agents: slice) -> None:
        rows[agents, :packed] = population.evidence(agents).pack()

    map_blocks(fill, population.size, population.model.inducing)
    rows[:, packed:-1] = announced
    rows[:, -1] = 1.0
    return rows
