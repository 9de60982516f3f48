"""Agents that chose their inducing inputs apart: sums about these, carried into common ones where messages add up.

Agent ``a`` keeps sums about ``f(Z_a) = R_a v_a`` at inducing inputs of its own. What they say of ``f(Z_a)`` becomes
evidence about the common inducing inputs ``Z`` by the prior mean of one given the other,

    f(Z_a) ≈ K(Z_a, Z) K(Z, Z)⁻¹ f(Z)        v_a = T_a v        G = T_aᵀ G_a T_a        b = T_aᵀ b_a

which ignores the variance that is left over, as DTC does. In messages such an agent is like all others: only this map
is not the identity, so that every rule carries it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.batches import Batch
from coolgp.agents.encoding import Transport
from coolgp.agents.features.basis import FunctionBasis
from coolgp.agents.features.crossing import crossing
from coolgp.agents.model import Encoding, Model, agreed
from coolgp.agents.population import Population
from coolgp.agents.prediction import Prediction, predict_from_rows
from coolgp.agents.statistics import Statistics

__all__ = ["OwnInputs", "predict_alone"]


@dataclass(frozen=True)
class OwnInputs(Encoding):
    """Sums about the function at inducing inputs ``[A, M, D]`` of each agent's own; the model's are the common ones.

    They speak of ``f`` itself, so that they stay valid when hyper-parameters move.
    """

    inputs: Array

    def of(self, agents: slice | Indices) -> OwnInputs:
        """That of some of the agents."""
        return OwnInputs(self.inputs[agents])

    def alone(self, model: Model) -> Model:
        """The model with the agents' own inducing inputs in place of the common ones."""
        return replace(model, basis=replace(_function_basis(model), inducing=self.inputs), encoding=Transport())

    def zeros(self, model: Model, agents: int, dtype: type[np.floating[Any]] = np.float64) -> Statistics:
        """Statistics of agents without data."""
        return Transport().zeros(self.alone(model), agents, dtype)

    def encode(self, model: Model, theta: Array, batch: Batch) -> Statistics:
        """Sums of a batch about ``f(Z_a)``."""
        return Transport().encode(self.alone(model), theta, batch)

    def packed(self, model: Model, theta: Array, statistics: Statistics, out: Array | None = None) -> Array:
        """Evidence about the common inducing inputs."""
        own = Transport().evidence(self.alone(model), theta, statistics)
        rows = own.carried(self._map(model, theta)).pack()
        if out is None:
            return rows.astype(statistics.rows.dtype, copy=False)
        out[:, : rows.shape[1]] = rows
        return out[:, : rows.shape[1]]

    def move(self, model: Model, statistics: Statistics, anchor: Array, theta: Array) -> tuple[Statistics, Array]:
        """Nothing moves."""
        return statistics, anchor

    def _map(self, model: Model, theta: Array) -> Array:
        """``T [A, M, L]``; inputs that are common already share their jitter too, so that nothing is lost there."""
        projection = model.layout.projection(agreed(theta))
        own, common = _function_basis(self.alone(model)), _function_basis(model)
        return crossing(own, common, projection, model.geometry(theta))


def predict_alone(population: Population, agents: slice | Indices, x: Array) -> Prediction:
    """Predictions of some agents at queries ``x [Q, D]`` from their own sums alone, at their own inducing inputs."""
    model, theta = population.model, population.theta[agents]
    if not isinstance(model.encoding, OwnInputs):
        return predict_from_rows(model, theta, population.evidence(agents), x)
    sums, inputs = population.sums(agents), model.encoding.inputs[agents]
    parts = []
    for row in range(len(inputs)):
        own, one = OwnInputs(inputs[row]).alone(model), slice(row, row + 1)
        parts.append(predict_from_rows(own, theta[one], own.encoding.evidence(own, theta[one], sums[one]), x))
    columns = ([getattr(part, name) for part in parts] for name in ("mean", "variance", "noise_variance"))
    empty = (np.empty((0, len(x))), np.empty((0, len(x))), np.empty(0))
    mean, variance, noise = (np.concatenate([none, *rows]) for none, rows in zip(empty, columns, strict=True))
    return Prediction(mean, variance, noise)


def _function_basis(model: Model) -> FunctionBasis:
    assert isinstance(model.basis, FunctionBasis)
    return model.basis
