"""Generalised robust Bayesian committee machine (Liu, Cai, Wang & Ong, ICML-18)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from coolgp.agents.base.arrays import Array
from coolgp.agents.population import Population
from coolgp.agents.prediction import Prediction, predict
from coolgp.agents.statistics import Evidence, packed_length
from coolgp.fusion.committees.base import Committee, Experts, forecasts
from coolgp.network.base.arrays import Indices
from coolgp.network.transport import Transport

__all__ = ["GRBCM"]


@dataclass(frozen=True)
class Informed(Experts):
    """Experts that know the communication set besides their own data.

    base: the prediction of each from the communication set alone. rank ``[A, 1]``: 0 for agents whose data are that
    set, which add nothing; 1 for the first of the others, whose weight is 1; 2 for the rest.
    """

    base: Experts
    rank: Array

    def __getitem__(self, queries: slice) -> Informed:
        return Informed(self.mean[:, queries], self.variance[:, queries], self.prior, self.base[queries], self.rank)

    def of(self, agents: Indices) -> Informed:
        """Some of them."""
        own = super().of(agents)
        return Informed(own.mean, own.variance, own.prior, self.base.of(agents), self.rank[agents])

    @property
    def power(self) -> Array:
        """``β_i [A, Q]``: an expert's information beyond the communication set, in nats."""
        gain = np.maximum(0.5 * np.log(self.base.variance / self.variance), 0.0)
        return np.where(self.rank == 0, 0.0, np.where(self.rank == 1, 1.0, gain))


@dataclass(frozen=True)
class GRBCM(Committee):
    """Generalised robust Bayesian committee machine: experts share a communication set, and correct it: consistent.

    ``1/σ² = Σ β_i/σ_i² + (1-Σβ_i)/σ_c²`` and ``μ = σ²(Σ β_i μ_i/σ_i² + (1-Σβ_i) μ_c/σ_c²)``, where ``μ_c, σ_c²`` are
    from the communication set alone and ``μ_i, σ_i²`` from it and an expert's own data; ``β = 1`` for the first expert
    and ``½(log σ_c² - log σ_i²)`` for the others. communicators: the first so many agents, whose data are that set.
    """

    sums_a_query: ClassVar[int] = 3
    numbers_a_query: ClassVar[float] = 4.0
    communicators: Annotated[int, Field(gt=0)] = 1

    def consulted(self, population: Population, x: Array, transport: Transport) -> Informed:
        """Send the evidence of the communication set to all; each predicts with and without its own data."""
        agents, inducing = transport.shard.agents[:, None], population.model.inducing
        rank = np.clip(agents - self.communicators + 1, 0, 2)
        shared = self.summed(np.where(rank == 0, population.packed(slice(None)), 0.0), transport)
        shared = shared[:, : packed_length(inducing)]

        def predicted(block: slice, rows: Array) -> Prediction:
            evidence = population.heard(Evidence.unpack(rows, inducing), block)
            return predict(population.model, population.theta[block], evidence, x)

        def base(block: slice) -> Prediction:
            return predicted(block, shared[block])

        def informed(block: slice) -> Prediction:
            own = population.packed(block)
            return predicted(block, np.where(rank[block] == 0, shared[block], shared[block] + own))

        alone, both = forecasts(population, base, len(x)), forecasts(population, informed, len(x))
        return Informed(both.mean, both.variance, both.prior, alone, rank)

    def terms(self, experts: Experts) -> Array:
        """Weight, weighted precision, and mean weighted by it."""
        assert isinstance(experts, Informed)
        precision = experts.power * experts.precision
        return np.stack([experts.power, precision, precision * experts.mean], axis=1)

    def combined(self, sums: Array, experts: Experts, count: Array) -> tuple[Array, Array]:
        """The prediction from the communication set, and every expert's correction."""
        assert isinstance(experts, Informed)
        rest = (1.0 - sums[:, 0]) * experts.base.precision
        precision = sums[:, 1] + rest
        return (sums[:, 2] + rest * experts.base.mean) / precision, 1.0 / precision
