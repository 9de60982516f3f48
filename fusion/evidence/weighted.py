"""An agent weights the evidence of others as its own data support it.

Where agents observe one function through projections of their own (``shared = "latent"``), statistics about ``u`` mean
the same only once projections are learned: until then a plain sum can be worse than an agent alone. Here an agent
raises the likelihood of all others' data to a power ``λ``, a power prior (Ibrahim & Chen, Statistical Science 2000),
and chooses the ``λ`` under which its own data are most probable: ``λ`` maximises ``p(y_own | E_others^λ)``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.learning import bound
from coolgp.agents.model import Model
from coolgp.agents.population import Population
from coolgp.agents.prediction import Prediction, predict
from coolgp.agents.statistics import Evidence
from coolgp.fusion.guarantee import Guarantee
from coolgp.fusion.sums.base import SumState
from coolgp.fusion.sums.carrier import CarriedRule
from coolgp.network.base.arrays import Indices
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.row_axes import PerAgent
from coolgp.network.transport import Transport

__all__ = ["Weighted", "WeightedState", "own_probability"]

POWERS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Powers of others' evidence to choose from: each costs an agent two factorisations."""


@dataclass(frozen=True)
class WeightedState:
    """inner: the carrier's; said ``[A, P]``: the agents' own evidence in the last exchange."""

    inner: SumState
    said: PerAgent


@dataclass(frozen=True)
class Weighted(CarriedRule):
    """Weighted evidence: sums by another rule, the others' part raised to the power that own data support."""

    def guarantee(self, topology: Topology, faults: Faults) -> Guarantee:
        """The carrier's sums; agents then weight the others' part differently."""
        carried = self.carrier.guarantee(topology, faults)
        why = f"each agent weights the others' evidence as its own data support it; {carried.why}"
        more = [replace(rows, per_agent=rows.per_agent + 2) for rows in (carried.exchanging, carried.settling)]
        return replace(carried, kind="approximate", why=why, exchanging=more[0], settling=more[1])

    def init(self, population: Population, transport: Transport) -> WeightedState:
        """State before the first message."""
        return self._state(self.carrier.init(population, transport), population)

    def exchange(
        self, state: WeightedState, population: Population, transport: Transport, rounds: int = 1
    ) -> WeightedState:
        """So many communication rounds of the carrier."""
        return self._state(self.carrier.exchange(state.inner, population, transport, rounds), population)

    def converge(self, state: WeightedState, population: Population, transport: Transport) -> WeightedState:
        """Communicate until the carrier's fixed point."""
        return self._state(self.carrier.converge(state.inner, population, transport), population)

    def _state(self, inner: SumState, population: Population) -> WeightedState:
        return WeightedState(inner, population.packed(slice(None)))

    def fused_evidence(self, state: WeightedState, population: Population, agents: slice | Indices) -> Evidence:
        """An agent's own evidence, and that of the others to the power that its own make most probable."""
        model, theta = population.model, population.theta[agents]
        own = population.heard(Evidence.unpack(state.said[agents], model.inducing), agents)
        others = (self.carrier.fused_evidence(state.inner, population, agents) - own).clipped()
        likely = np.stack([own_probability(model, theta, own, _raised(others, power)) for power in POWERS])
        return own + _raised(others, np.array(POWERS)[likely.argmax(axis=0)])

    def error(self, state: WeightedState, population: Population, transport: Transport) -> float:
        """How far the carrier's sums are from exact."""
        return self.carrier.error(state.inner, population, transport)

    def counted(self, state: WeightedState, agents: Indices) -> Array:
        """How many agents are in the carrier's sums."""
        return self.carrier.counted(state.inner, agents)

    def announced(self, state: WeightedState, population: Population) -> Array:
        """The average announcement as each agent knows it, ``[A, C]``."""
        return self.carrier.announced(state.inner, population)

    def predict(
        self, state: WeightedState, population: Population, probes: Indices, x: Array, transport: Transport
    ) -> Prediction:
        """Predictions of the probe agents from their weighted evidence."""
        evidence = self.fused_evidence(state, population, probes)
        prediction = predict(population.model, population.theta[probes], evidence, x, keeps_belief=True)
        return replace(prediction, forged=self.carrier.forged(state.inner, probes, transport))


def own_probability(model: Model, theta: Array, own: Evidence, others: Evidence) -> Array:
    """``log p(y_own | E_others) [A]`` nats, by the collapsed bound: of both together, less that of the others alone."""
    return bound(model, theta, own + others) - bound(model, theta, others)


def _raised(evidence: Evidence, power: float | Array) -> Evidence:
    """The evidence of data whose likelihood is raised to a power, one or ``[A]``."""
    scale = np.broadcast_to(power, evidence.count.shape)
    shift, precision = scale[:, None] * evidence.shift, scale[:, None, None] * evidence.precision
    return Evidence(precision, shift, scale * evidence.square, scale * evidence.count)
