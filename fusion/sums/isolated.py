"""No fusion: every agent has its own observations only."""

from __future__ import annotations

from dataclasses import dataclass

from coolgp.agents.base.arrays import Array
from coolgp.agents.own_inputs import OwnInputs, predict_alone
from coolgp.agents.population import Population
from coolgp.agents.prediction import Prediction
from coolgp.fusion.guarantee import FaultTolerance, Guarantee, Rows
from coolgp.fusion.sums.base import SumRule, SumState
from coolgp.network.base.arrays import Indices
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.transport import Transport

__all__ = ["Isolated"]


@dataclass(frozen=True)
class Isolated(SumRule):
    """No messages: every agent has its own observations only, the baseline of fusion."""

    def begin(self, values: Array, transport: Transport) -> Array:
        """Own contributions."""
        return values

    def round(self, state: Array, values: Array, transport: Transport) -> Array:
        """Own contributions."""
        return values

    def settle(self, state: Array, values: Array, transport: Transport) -> Array:
        """Own contributions."""
        return values

    def stands(self) -> FaultTolerance:
        """No sum is sought."""
        return FaultTolerance("approximate", "agents exchange nothing: each has its own observations only")

    def guarantee(self, topology: Topology, faults: Faults) -> Guarantee:
        """Each agent alone."""
        rows = Rows(2.0)  # contributions of the last round and this one
        return Guarantee(*self.stands().under(faults), exchanging=rows, settling=rows)

    def sums(self, state: Array) -> Array:
        """Own contributions."""
        return state

    def predict(
        self, state: SumState, population: Population, probes: Indices, x: Array, transport: Transport
    ) -> Prediction:
        """Predictions of the probe agents from their own contributions, at their own inducing inputs if they have any.

        Nobody else needs these in common ones.
        """
        if isinstance(population.model.encoding, OwnInputs):
            return predict_alone(population, probes, x)
        return super().predict(state, population, probes, x, transport)
