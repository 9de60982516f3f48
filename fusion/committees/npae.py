"""Nested pointwise aggregation of experts (Rullière, Durrande, Bachoc & Chevalier, Statistics and Computing 2018).

The best linear combination of all experts' means at a query takes their joint covariance under the prior. For experts
that are sparse GPs on common inducing inputs it follows from their sums: with prior covariance ``S`` of common
coordinates ``v``, evidence ``(E_i, h_i)`` and a query's row ``a`` (``f = aᵀv`` and a remainder unknown to all), an
expert's mean is ``m_i = a_iᵀh_i`` with ``a_i = (S⁻¹+E_i)⁻¹a``, and

    ``m_i = b_iᵀv + noise``,   ``b_i = E_i a_i``,   noise variance ``d_i = a_iᵀE_i a_i``.

So every expert is one noisy linear observation of ``v``, and combining them is the posterior given all of these: the
nested formula ``k_Mᵀ K_M⁻¹ m`` by the matrix inversion lemma, as sums over agents of ``b bᵀ/d`` and ``b m/d``. That is
a message as long as an agent's whole evidence for every single query, which is why few queries can be served.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from pydantic import Field

from coolgp.agents.base.arrays import Array
from coolgp.agents.population import Population
from coolgp.agents.prediction import Prediction, prior_precision, query_rows
from coolgp.agents.statistics import Evidence, packed_length
from coolgp.fusion.committees.base import query_parts
from coolgp.fusion.guarantee import Guarantee
from coolgp.fusion.rule import State
from coolgp.fusion.sums.carrier import QueryRule
from coolgp.network.base.arrays import Indices
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.transport import Transport

__all__ = ["NPAE"]

APART = 0.1
"""Hyper-parameters further than this from their mean, in logarithms, are not shared; the joint prior is at the mean."""


@dataclass(frozen=True)
class NPAE(QueryRule):
    """Nested pointwise aggregation: the best linear combination of all experts' means, by their joint covariance.

    Needs hyper-parameters that all agents share. most_numbers: refuse to sum more than so many for all agents' queries.
    """

    most_numbers: Annotated[float, Field(gt=0)] = 2e10

    def guarantee(self, topology: Topology, faults: Faults) -> Guarantee:
        """As many queries at a time as fit into the memory for sums."""
        return replace(super().guarantee(topology, faults), summing=np.inf)

    def predict(
        self, state: State, population: Population, probes: Indices, x: Array, transport: Transport
    ) -> Prediction:
        """Every agent sends its observation of ``v`` at each query; the probes form the posterior given all of them.

        Raises ValueError where agents differ in hyper-parameters, or the messages are too long.
        """
        model, theta = population.model, _agreed(population, transport)
        length = packed_length(model.inducing)
        self._check_size(len(x), transport.shard.size, length)
        rows, rest = query_rows(model, theta, x)
        prior, evidence = prior_precision(model, theta)[0], population.evidence()
        mean, variance = np.empty((len(probes), len(x))), np.empty((len(probes), len(x)))
        for queries in query_parts(len(x), transport.shard.size * length):
            observations = _observations(evidence, prior, rows[queries])
            summed = self.summed(observations.reshape(population.size, -1), transport)[probes]
            summed = summed.reshape(len(probes), observations.shape[1], length)
            for probe, packed in enumerate(summed):
                if probe and np.array_equal(packed, summed[0]):
                    mean[probe, queries], variance[probe, queries] = mean[0, queries], variance[0, queries]
                else:
                    total = Evidence.unpack(packed, model.inducing)
                    mean[probe, queries], variance[probe, queries] = _given(total, prior, rows[queries], rest[queries])
        return Prediction(mean, variance, model.layout.noise_variance(population.theta[probes]))

    def _check_size(self, queries: int, agents: int, length: int) -> None:
        numbers = float(queries) * agents * length
        if numbers > self.most_numbers:
            raise ValueError(
                f"npae sums {length:,} numbers an agent for every query: {agents:,} agents and {queries:,} queries "
                f"make {numbers:.2g}, more than fusion.most_numbers = {self.most_numbers:.2g}: take fewer test rows "
                "(data.test_count), fewer agents.inducing or fewer agents, or another rule"
            )


def _agreed(population: Population, transport: Transport) -> Array:
    """The mean ``[1, K]`` of hyper-parameters that all agents share; raises ValueError where they do not."""
    mean = transport.allsum(population.theta) / transport.shard.size
    apart = int(transport.total(np.array([(np.abs(population.theta - mean) > APART).sum()]))[0])
    if apart:
        raise ValueError(
            "npae needs hyper-parameters that all agents share, for their joint prior; these differ: take "
            'agents.hyperparameters = "fixed" or "collective", or another rule'
        )
    return mean[None]


def _observations(evidence: Evidence, prior: Array, rows: Array) -> Array:
    """Messages of agents for queries with rows ``a [q, M]``: packed ``(b bᵀ/d, b m/d)``, ``[A, q, P]``."""
    weights = np.linalg.solve(prior + evidence.precision, np.broadcast_to(rows.T, (len(evidence.shift), *rows.T.shape)))
    design = (evidence.precision @ weights).swapaxes(-1, -2)  # b [A, q, M]
    noise = (design * weights.swapaxes(-1, -2)).sum(-1)
    mean = (weights.swapaxes(-1, -2) @ evidence.shift[..., None])[..., 0]
    share = np.divide(1.0, noise, out=np.zeros_like(noise), where=noise > 0)
    scaled, (rows_, columns) = share[..., None] * design, np.tril_indices(design.shape[-1])
    packed = np.zeros((*noise.shape, packed_length(design.shape[-1])))
    np.multiply(scaled[..., rows_], design[..., columns], out=packed[..., : len(rows_)])
    np.multiply(mean[..., None], scaled, out=packed[..., len(rows_) : -2])
    return packed


def _given(evidence: Evidence, prior: Array, rows: Array, rest: Array) -> tuple[Array, Array]:
    """Mean and variance ``[q]`` at queries with rows ``a [q, M]``, each given observations of its own."""
    right = np.stack([evidence.shift, rows], axis=-1)
    mean, spread = np.moveaxis(np.linalg.solve(prior + evidence.precision, right), -1, 0)
    return (rows * mean).sum(-1), rest + (rows * spread).sum(-1)
