"""The calls into coolgp that benchmarks make, each in one place."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import signature

import numpy as np

from benchmarks.work import INPUTS, JITTER, LENGTHSCALE, NOISE_VARIANCE, SIGNAL_VARIANCE, Array
from coolgp.agents import population as rank
from coolgp.agents.basis import FunctionBasis
from coolgp.agents.encoding import ENCODINGS
from coolgp.agents.model import Batch, Model
from coolgp.agents.parameters import Layout
from coolgp.agents.population import Population
from coolgp.agents.prediction import Prediction, predict

__all__ = ["at_once", "batch_of", "forecast", "population", "take_in"]


def population(agents: int, inducing: Array, dtype: str = "float64") -> Population:
    """Agents that have seen nothing, with the work's hyper-parameters and inducing inputs ``[M, D]``; dtype: of sums.

    Raises TypeError where coolgp keeps no sums of that precision.
    """
    layout = Layout(INPUTS)
    theta = layout.pack(np.array(LENGTHSCALE), SIGNAL_VARIANCE, NOISE_VARIANCE)
    basis = FunctionBasis(inducing, layout.projection(theta), JITTER)
    model = Model(layout, basis, ENCODINGS["transport"]())
    if dtype == "float64":
        return rank.found(model, theta, agents)
    if "dtype" not in signature(rank.found).parameters:
        raise TypeError("this version of coolgp keeps sums in float64 alone")
    return rank.found(model, theta, agents, np.dtype(dtype).type)


def batch_of(x: Array, y: Array) -> Batch:
    """Batches ``[A, B, D]``, ``[A, B]`` without gaps."""
    return Batch(x, y, np.ones(y.shape))


def take_in(agents: Population, batches: Sequence[Batch]) -> None:
    """Observe batches one after another, folded as in a run; afterwards all of them are in the agents' sums."""
    if not hasattr(rank, "fold"):
        return at_once(agents, batches)
    for batch in batches:
        agents = rank.observe(agents, batch)
    rank.fold(agents)
    return None


def at_once(agents: Population, batches: Sequence[Batch]) -> None:
    """Add batches to the agents' sums one after another, none folded with another."""
    for batch in batches:
        rank.observe_in_place(agents, batch)


def forecast(agents: Population, x: Array, rows: slice = slice(None)) -> Prediction:
    """What some agents say of the function at ``[Q, D]``, from the evidence that their own sums are."""
    return predict(agents.model, agents.theta[rows], agents.evidence(rows), x)
