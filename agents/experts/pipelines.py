"""A pipeline of scalers and a multilayer perceptron as one network, which takes rows as they were before scaling."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.network import Network, network_of

__all__ = ["network_behind"]


def network_behind(model: Any) -> Network | None:
    """The network of a fitted perceptron, or of a pipeline that ends with one; None of any other model.

    Scalers before it, ``z = a x + c``, go into the first layer: ``W a`` and ``b + cᵀ W``.
    """
    steps = [step for _, step in model.steps] if isinstance(model, Pipeline) else [model]
    if not isinstance(steps[-1], MLPClassifier | MLPRegressor):
        return None
    network = network_of(steps[-1])
    for step in reversed(steps[:-1]):
        scaling = _scaling(step)
        if scaling is None:
            return None
        factor, offset = scaling
        first = factor[:, None] * network.weights[0]
        bias = network.biases[0] + offset @ network.weights[0]
        network = replace(network, weights=(first, *network.weights[1:]), biases=(bias, *network.biases[1:]))
    return network


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
