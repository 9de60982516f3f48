"""Committees: every agent predicts alone, and at each query the predictions are combined.

What is combined are sums over all agents at the queries, of precisions and of means weighted by them. Any rule that
adds up rows carries these sums: a central server, a tree, or repeated averaging, which makes a committee decentralised
(Kontoudis & Stilwell, Decentralized nested Gaussian processes for multi-robot systems, ICRA-21). No message is sent
before there are queries, and new ones for each of them, where fused evidence is sent once.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.own_inputs import predict_alone
from coolgp.agents.population import Population
from coolgp.agents.prediction import Prediction
from coolgp.fusion.forged import forged
from coolgp.fusion.guarantee import SUMMED_BYTES, Guarantee
from coolgp.fusion.rule import State
from coolgp.fusion.sums.carrier import QueryRule
from coolgp.network.base.arrays import Indices
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.transport import Transport

__all__ = ["Committee", "Experts", "forecasts", "query_parts"]

AGENTS_AT_ONCE = 64
FLOOR = 1e-12
"""An expert's variance is at least this part of its prior's: no expert is infinitely sure."""


@dataclass(frozen=True)
class Experts:
    """Predictions of the function by experts: mean, variance ``[A, Q]`` and prior variance ``[A, 1]``."""

    mean: Array
    variance: Array
    prior: Array

    def __getitem__(self, queries: slice) -> Experts:
        return Experts(self.mean[:, queries], self.variance[:, queries], self.prior)

    def of(self, agents: Indices) -> Experts:
        """Some of them."""
        return Experts(self.mean[agents], self.variance[agents], self.prior[agents])

    @property
    def precision(self) -> Array:
        """``1/σ² [A, Q]``."""
        return 1.0 / self.variance

    @property
    def entropy_gain(self) -> Array:
        """``½(log σ_s² - log σ²) [A, Q]``: an expert's information at a query, in nats; not negative."""
        return np.maximum(0.5 * np.log(self.prior / self.variance), 0.0)


@dataclass(frozen=True)
class Committee(QueryRule):
    """A rule that combines predictions by a few sums over agents for each query."""

    sums_a_query: ClassVar[int] = 2
    """``T``."""
    numbers_a_query: ClassVar[float] = 2.0
    """Numbers of each expert."""

    @abstractmethod
    def terms(self, experts: Experts) -> Array:
        """What each expert adds to the sums: ``[A, T, Q]``."""

    @abstractmethod
    def combined(self, sums: Array, experts: Experts, count: Array) -> tuple[Array, Array]:
        """Mean and variance ``[A', Q]`` from sums ``[A', T, Q]`` over so many experts ``[A', 1]``.

        experts: the predictions of the probe agents themselves.
        """

    def guarantee(self, topology: Topology, faults: Faults) -> Guarantee:
        """All agents predict: means and variances stay, and terms while they are summed."""
        return replace(super().guarantee(topology, faults), asking=self.numbers_a_query, summing=self.sums_a_query)

    def predict(
        self, state: State, population: Population, probes: Indices, x: Array, transport: Transport
    ) -> Prediction:
        """Every agent predicts, the terms are summed, and each probe combines its estimates of the sums."""
        experts, asked = self.consulted(population, x, transport), []
        false = np.zeros(len(probes), dtype=bool)
        for queries in query_parts(len(x), transport.shard.size * self.sums_a_query):
            terms = self.terms(experts[queries])
            *answers, count = self._combined(terms, experts[queries].of(probes), probes, transport)
            asked.append(answers)
            false |= forged(count, transport.shard.size, whole=not self.carrier.averages)
        mean, variance = (np.concatenate(parts, axis=1) for parts in zip(*asked, strict=True))
        return Prediction(
            mean, variance, population.model.layout.noise_variance(population.theta[probes]), forged=false
        )

    def consulted(self, population: Population, x: Array, transport: Transport) -> Experts:
        """Predictions of all agents at queries ``x [Q, D]``, each from its own data."""
        return forecasts(population, lambda agents: predict_alone(population, agents, x), len(x))

    def _combined(
        self, terms: Array, asked: Experts, probes: Indices, transport: Transport
    ) -> tuple[Array, Array, Array]:
        """Mean and variance ``[A', Q]`` of the probes, and how many experts ``[A']`` are in their sums."""
        rows = np.concatenate([terms.reshape(len(terms), -1), np.ones((len(terms), 1))], axis=1)
        summed = self.summed(rows, transport)[probes]
        sums = summed[:, :-1].reshape(len(probes), *terms.shape[1:])
        with np.errstate(all="ignore"):
            mean, variance = self.combined(sums, asked, summed[:, -1:])
        sound = np.isfinite(mean) & np.isfinite(variance) & (variance > 0)  # a byzantine agent's terms
        return np.where(sound, mean, asked.mean), np.where(sound, variance, asked.variance), summed[:, -1]


def forecasts(population: Population, predicted: Callable[[slice], Prediction], queries: int) -> Experts:
    """Predictions of every agent at so many queries; predicted: makes those of some agents."""
    size = population.size
    mean, variance = np.empty((size, queries)), np.empty((size, queries))
    for start in range(0, size, AGENTS_AT_ONCE):
        agents = slice(start, min(start + AGENTS_AT_ONCE, size))
        prediction = predicted(agents)
        mean[agents], variance[agents] = prediction.mean, prediction.variance
    prior = population.model.layout.signal_variance(population.theta)[:, None]
    return Experts(mean, np.maximum(variance, FLOOR * prior), prior)


def query_parts(queries: int, numbers: int) -> Iterator[slice]:
    """Queries in parts whose sums fit in memory, of which each needs so many numbers."""
    step = max(1, int(SUMMED_BYTES / (8 * numbers)))
    return (slice(start, min(start + step, queries)) for start in range(0, queries, step))
