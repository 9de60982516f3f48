"""An online Bayesian ensemble over kernels: several length-scales at once, weighted by their predictions.

Incremental ensembles (Lu, Karanikolas, Shen & Giannakis, AISTATS-20) in their decentralised form: every agent keeps
statistics for each expert, an expert being the agents' model with all lengthscales times a factor. Before a batch is
added, each expert computes its predictive log density; sums of these over agents and time are the log weights:

    ``log w_j = Σ_t Σ_a Σ_n log p_j(y_n | x_n, evidence of agent a before batch t) + constant``.

Rows of a batch, and batches of one round, count as independent given the evidence before: the weights follow Bayes'
rule where observations come one at a time. Evidence of all experts and the sums of their log densities travel in one
row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from coolgp.agents.base.arrays import Array
from coolgp.agents.batches import Batch
from coolgp.agents.blocks import map_blocks
from coolgp.agents.model import Model
from coolgp.agents.population import Population
from coolgp.agents.prediction import Prediction, predict
from coolgp.agents.predictive_scores import log_loss, predict_rows
from coolgp.agents.statistics import Evidence, Statistics, packed_length
from coolgp.fusion.forged import forged
from coolgp.fusion.guarantee import Guarantee, Rows
from coolgp.fusion.sums.base import SumRule
from coolgp.fusion.sums.carrier import CarriedRule
from coolgp.fusion.sums.counted_once import CountedOnce, Sharing, counted_once
from coolgp.fusion.sums.rows import evidence_from_sums
from coolgp.network.base.arrays import Indices
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.row_axes import PerAgent
from coolgp.network.transport import Transport

__all__ = ["Ensemble", "EnsembleState"]


@dataclass(frozen=True)
class EnsembleState:
    """models: of the ``J`` experts. inner: what carries their rows; totals ``[A, K]``, members ``[K]``: see `Sharing`.

    sums ``[A, J, ...]`` and anchor ``[A, J, K]``: statistics of each agent's experts, and under what they were encoded.
    log_density ``[A, J]``: of what the agent itself observed, relative to the mean over experts.
    """

    models: tuple[Model, ...]
    inner: Any
    sums: PerAgent
    anchor: PerAgent
    log_density: PerAgent
    totals: PerAgent | None = None
    members: Array | None = None


@dataclass(frozen=True)
class Ensemble(CarriedRule):
    """Online Bayesian ensemble over kernels: models with other length-scales, weighted by their predictions.

    scales: factors of the agents' lengthscales, one for each expert. The variances, and lengthscales where they are
    learned, follow the agent's own hyper-parameters.
    """

    scales: Annotated[Sequence[Annotated[float, Field(gt=0)]], Field(min_length=1)] = (0.5, 1.0, 2.0)

    def guarantee(self, topology: Topology, faults: Faults) -> Guarantee:
        """The carrier's, for rows as long as those of all experts together; each agent's own sums come on top."""
        carried, experts = self.carrier.guarantee(topology, faults), len(self.scales)
        exchanging, settling = (_longer(rows, experts) for rows in (carried.exchanging, carried.settling))
        messages = experts * carried.messages
        return replace(carried, messages=messages, exchanging=exchanging, settling=settling)

    def init(self, population: Population, transport: Transport) -> EnsembleState:
        """Experts without observations. Raises ValueError where the projection is uncertain."""
        model, size = population.model, population.size
        if model.expects:
            raise ValueError(
                "an ensemble weights predictions under one projection, not under a distribution q(W): set "
                'agents.projection_std to 0, agents.encoding to "transport", or take another rule'
            )
        models = tuple(replace(model, basis=model.basis.stretched(scale)) for scale in self.scales)
        nothing = model.encoding.zeros(model, size, population.dtype.type).rows
        sums = np.stack([nothing] * len(models), axis=1)
        anchor = np.stack([self._theta(population, expert) for expert in range(len(models))], axis=1)
        fresh = EnsembleState(
            models=models, inner=None, sums=sums, anchor=anchor, log_density=np.zeros((size, len(models)))
        )
        return _after(fresh, self._carrier(fresh).begin(self._rows(fresh, population), transport))

    def observe(self, state: EnsembleState, population: Population, batch: Batch) -> EnsembleState:
        """Add each expert's predictive log density of the batch, then the batch itself; reuses the state's memory."""
        self._follow(state, population)
        belief = self._reader(state, population)
        log_densities = np.empty_like(state.log_density)

        def update(agents: slice) -> None:
            for expert, model in enumerate(state.models):
                theta, seen = self._theta(population, expert, agents), batch[agents]
                log_densities[agents, expert] = _log_density(model, theta, belief(expert, agents), seen)
                state.sums[agents, expert] += model.encoding.of(agents).encode(model, theta, seen).rows

        size = population.model.inducing + 1
        map_blocks(update, population.size, 8 * size * (size + 3 * batch.y.shape[1]))
        log_density = state.log_density + log_densities - log_densities.mean(axis=1, keepdims=True)
        return replace(state, log_density=log_density)

    def forgotten(self, state: EnsembleState, share: float) -> EnsembleState:
        """Sums and log densities of the experts count less; so weights follow who predicts well of late.

        Raftery, Kárný & Ettler, "Online prediction under model uncertainty", Technometrics 2010. Reuses memory.
        """
        np.multiply(state.sums, share, out=state.sums)
        return replace(state, log_density=share * state.log_density)

    def exchange(
        self, state: EnsembleState, population: Population, transport: Transport, rounds: int = 1
    ) -> EnsembleState:
        """So many communication rounds."""
        self._follow(state, population)
        rows = self._rows(state, population)
        return _after(state, self._carrier(state).rounds(_carried(state), rows, transport, rounds))

    def converge(self, state: EnsembleState, population: Population, transport: Transport) -> EnsembleState:
        """Communicate until all agents have the sums."""
        self._follow(state, population)
        rows = self._rows(state, population)
        return _after(state, self._carrier(state).settle(_carried(state), rows, transport))

    def announced(self, state: EnsembleState, population: Population) -> Array:
        """Average announcement as each agent knows it, ``[A, C]``."""
        begin = len(state.models) * (packed_length(population.model.inducing) + 1)
        tail = self._sums(state)[0][:, begin:].astype(np.float64)
        average: Array = tail[:, :-1] / tail[:, -1:]
        return average

    def weights(self, state: EnsembleState, agents: slice | Indices) -> Array:
        """Posterior probabilities of the experts as some agents know them, ``[A', J]``; a priori all are equal."""
        begin = len(state.models) * packed_length(state.models[0].inducing)
        log_weights = self._sums(state)[0][agents, begin : begin + len(state.models)].astype(np.float64)
        weights = np.exp(log_weights - log_weights.max(axis=1, keepdims=True))
        share: Array = weights / weights.sum(axis=1, keepdims=True)
        return share

    def predict(
        self, state: EnsembleState, population: Population, probes: Indices, x: Array, transport: Transport
    ) -> Prediction:
        """Mean and variance of the mixture of all experts."""
        belief = self._reader(state, population)
        predictions = [
            predict(model, self._theta(population, expert, probes), belief(expert, probes), x)
            for expert, model in enumerate(state.models)
        ]
        weights = self.weights(state, probes).T[..., None]
        means, variances = (
            np.stack([prediction.mean for prediction in predictions]),
            np.stack([prediction.variance for prediction in predictions]),
        )
        mean = (weights * means).sum(0)
        variance = (weights * (variances + np.square(means - mean))).sum(0)
        false = forged(self._sums(state)[0][probes, -1], transport.shard.size, whole=not self.carrier.averages)
        return Prediction(mean, variance, predictions[0].noise_variance, forged=false)

    def _carrier(self, state: EnsembleState) -> SumRule:
        """The carrier, which counts nobody twice. A state that was stored without totals goes on without."""
        stored_without = state.members is not None and state.totals is None
        once = self.carrier if stored_without else counted_once(self.carrier)
        counts = packed_length(state.models[0].inducing) - 1  # the observations of the first expert
        return replace(once, observed=counts) if isinstance(once, CountedOnce) else once

    def _sums(self, state: EnsembleState) -> tuple[Array, Array | None]:
        """Each agent's estimate of the sums ``[A, P]``, and what it contributed to them, where that matters."""
        carrier, carried = self._carrier(state), _carried(state)
        return carrier.sums(carried), carrier.own(carried)

    def _theta(self, population: Population, expert: int, agents: slice | Indices = slice(None)) -> Array:
        """Hyper-parameters ``[A', K]`` of an expert: the agents' own, with longer lengthscales."""
        return population.model.layout.stretched(population.theta[agents], self.scales[expert])

    def _teller(self, population: Population, expert: int, agents: slice | Indices) -> Array:
        """Hyper-parameters ``[A', K]`` under which agents tell evidence of an expert."""
        return population.model.layout.stretched(population.teller(agents), self.scales[expert])

    def _reader(self, state: EnsembleState, population: Population) -> Callable[[int, slice | Indices], Evidence]:
        """What returns some agents' estimates of the summed evidence of an expert."""
        sums, own = self._sums(state)

        def belief(expert: int, agents: slice | Indices) -> Evidence:
            model, length = state.models[expert], packed_length(population.model.inducing)
            columns = slice(expert * length, (expert + 1) * length)
            alone = None if own is None else own[:, columns]
            told = evidence_from_sums(sums[:, columns], alone, agents, model.inducing)
            return model.reread(told, self._teller(population, expert, agents), self._theta(population, expert, agents))

        return belief

    def _follow(self, state: EnsembleState, population: Population) -> None:
        """Move the experts' sums to the agents' present hyper-parameters; in place."""
        for expert, model in enumerate(state.models):
            statistics, anchor = Statistics(state.sums[:, expert]), state.anchor[:, expert]
            moved, anchored = model.encoding.move(model, statistics, anchor, self._theta(population, expert))
            state.sums[:, expert], state.anchor[:, expert] = moved.rows, anchored

    def _rows(self, state: EnsembleState, population: Population) -> Array:
        """What each agent adds: ``J`` packed evidences, ``J`` log densities, announcements, itself."""
        experts, length = len(state.models), packed_length(population.model.inducing)
        begin = experts * length
        rows = np.empty((population.size, begin + experts + population.announced.shape[1] + 1), dtype=population.dtype)

        def fill(agents: slice) -> None:
            for expert, model in enumerate(state.models):
                theta, statistics = self._teller(population, expert, agents), Statistics(state.sums[agents, expert])
                columns = slice(expert * length, (expert + 1) * length)
                model.encoding.of(agents).packed(model, theta, statistics, rows[agents, columns])

        map_blocks(fill, population.size, 8 * begin)
        rows[:, begin : begin + experts] = state.log_density
        rows[:, begin + experts : -1] = population.announced
        rows[:, -1] = 1.0
        return rows


def _carried(state: EnsembleState) -> Any:
    """The carrier's state."""
    if state.totals is None or state.members is None:
        return state.inner
    return Sharing(state.inner, state.totals, state.members)


def _after(state: EnsembleState, carried: Any) -> EnsembleState:
    """The state after the carrier's."""
    if isinstance(carried, Sharing):
        return replace(state, inner=carried.inner, totals=carried.totals, members=carried.members)
    return replace(state, inner=carried)


def _log_density(model: Model, theta: Array, belief: Evidence, batch: Batch) -> Array:
    """``Σ_n log p(y_n | x_n, belief)`` over the rows of each agent's batch, ``[A]``."""
    loss = log_loss(predict_rows(model, theta, belief, batch.x), batch.y)
    total: Array = -np.where(batch.mask > 0, loss, 0.0).sum(axis=1)
    return total


def _longer(rows: Rows, experts: int) -> Rows:
    """Rows of all experts, and what each agent keeps and adds besides."""
    return Rows(
        per_agent=experts * (rows.per_agent + 2.0),
        per_edge=experts * rows.per_edge,
        per_pair=experts * rows.per_pair,
        columns=experts * rows.columns,
    )
