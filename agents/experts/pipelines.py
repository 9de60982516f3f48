"""A pipeline of scalers and a model with parameters as one model, which takes rows as they were before scaling."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.network import Network, network_of
from coolgp.agents.experts.sparse_gp import SparseGPRegressor
from coolgp.agents.sparse.gp import SparseGP

__all__ = ["network_behind", "sparse_gp_behind"]


def network_behind(model: Any) -> Network | None:
    """The network of a fitted perceptron, or of a pipeline that ends with one; None of any other model.

    Scalers before it, ``z = a x + c``, go into the first layer: ``W a`` and ``b + cᵀ W``.
    """
    scalers, last = _steps(model)
    if not isinstance(last, MLPClassifier | MLPRegressor):
        return None
    network = network_of(last)
    for step in reversed(scalers):
        scaling = _scaling(step)
        if scaling is None:
            return None
        factor, offset = scaling
        first = factor[:, None] * network.weights[0]
        bias = network.biases[0] + offset @ network.weights[0]
        network = replace(network, weights=(first, *network.weights[1:]), biases=(bias, *network.biases[1:]))
    return network


def sparse_gp_behind(model: Any) -> SparseGP | None:
    """The record of a fitted ``SparseGPRegressor``, or of a pipeline that ends with one; None of any other model.

    Scalers before it, ``z = a x + c``, are taken back: inducing inputs ``(z - c) / a``, lengthscales divided by ``a``.
    """
    scalers, last = _steps(model)
    if not isinstance(last, SparseGPRegressor):
        return None
    gp = last.to_sparse_gp()
    for step in reversed(scalers):
        scaling = _scaling(step)
        if scaling is None or not scaling[0].all():
            return None
        factor, offset = scaling
        inputs = (gp.parameters.inducing_inputs - offset) / factor
        lengthscale = gp.parameters.lengthscale / np.abs(factor)
        gp = replace(gp, parameters=replace(gp.parameters, inducing_inputs=inputs, lengthscale=lengthscale))
    return gp


def _steps(model: Any) -> tuple[list[Any], Any]:
    """The steps before the last of a pipeline, and the last; a model that is no pipeline is its own."""
    steps = [step for _, step in model.steps] if isinstance(model, Pipeline) else [model]
    return steps[:-1], steps[-1]


def _scaling(step: Any) -> tuple[Array, Array] | None:
    """Factor and offset ``[D]`` of a scaler; None of a step that does anything else."""
    if isinstance(step, MinMaxScaler) and not step.clip:
        return step.scale_, step.min_
    if not isinstance(step, StandardScaler):
        return None
    width = int(step.n_features_in_)
    mean = np.zeros(width) if step.mean_ is None else step.mean_
    factor = np.ones(width) if step.scale_ is None else 1.0 / step.scale_
    return factor, -mean * factor
