"""The calls into coolgp that benchmarks make, each in one place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from coolgp.agents.batches import Batch
from coolgp.agents.encoding import ENCODINGS
from coolgp.agents.features.basis import FunctionBasis
from coolgp.agents.model import Model
from coolgp.agents.parameters import Layout
from coolgp.agents.population import Population, fold, new_population, observe, observe_in_place
from coolgp.agents.prediction import Prediction, predict

from benchmarks.work import INPUTS, JITTER, LENGTHSCALE, NOISE_VARIANCE, SIGNAL_VARIANCE, Array

__all__ = ["at_once", "batch_of", "forecast", "population", "take_in"]


def population(
    agents: int, inducing: Array, dtype: str = "float64", coordinates: Literal["whitened", "kernel"] = "whitened"
) -> Population:
    """Agents that have seen nothing, with the work's hyper-parameters; inducing ``[M, D]``; dtype: of sums."""
    layout = Layout(INPUTS)
    theta = layout.pack(np.array(LENGTHSCALE), SIGNAL_VARIANCE, NOISE_VARIANCE)
    basis = FunctionBasis(inducing, layout.projection(theta), JITTER, coordinates)
    return new_population(Model(layout, basis, ENCODINGS["transport"]()), theta, agents, np.dtype(dtype).type)


def batch_of(x: Array, y: Array) -> Batch:
    """Batches ``[A, B, D]``, ``[A, B]`` without gaps."""
    return Batch(x, y, np.ones(y.shape))


def take_in(agents: Population, batches: Sequence[Batch]) -> None:
    """Observe batches one after another, folded as in a run; afterwards all of them are in the agents' sums."""
    for batch in batches:
        agents = observe(agents, batch)
    fold(agents)


def at_once(agents: Population, batches: Sequence[Batch]) -> None:
    """Add batches to the agents' sums one after another, none folded with another."""
    for batch in batches:
        observe_in_place(agents, batch)


def forecast(agents: Population, x: Array, rows: slice = slice(None)) -> Prediction:
    """What some agents say of the function at ``[Q, D]``, from the evidence that their own sums are."""
    return predict(agents.model, agents.theta[rows], agents.evidence(rows), x)
