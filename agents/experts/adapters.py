"""Any fitted model as an expert: one table of adapters, tried in order.

A new kind of model is a function here, which returns None for what it does not know, and an entry of `ADAPTERS`.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.expert import Classifier, Expert, Regressor
from coolgp.agents.experts.network import Network
from coolgp.agents.experts.pipelines import network_behind, sparse_gp_behind
from coolgp.agents.experts.queries.remote import RemoteModel, remote_expert
from coolgp.agents.experts.surrogates.linear import FusedLinearSurrogates
from coolgp.agents.experts.surrogates.softmax import SoftmaxSurrogate
from coolgp.agents.sparse.gp import SparseGP

__all__ = ["ADAPTERS", "expert_of"]

Forest = RandomForestRegressor | ExtraTreesRegressor
LEAST = 1e-3
"""Of the variance of a forest's target: its own is at least that."""


def expert_of(model: Any, name: str = "", classes: Sequence[Any] | None = None) -> Expert:
    """The model as an expert; one that is an expert already stays as it is.

    model: a fitted scikit-learn regressor, classifier or pipeline; a :class:`Network`; fused surrogates; a list of
    arrays ``[W0, b0, W1, b1, ...]``, a network with ReLU units; or a function from x ``[Q, D]`` to means ``[Q]``, to
    means and standard deviations, each ``[Q]``, or, with classes, to their probabilities ``[Q, K]``. name: for
    messages, that of the model's class by default. classes: labels of a list's or function's outputs, where these are
    of a classifier. Raises ValueError for anything else, or where the model is not fitted.

    >>> expert_of(lambda x: x.sum(axis=1), "total").predict(np.ones((1, 2)))
    (array([2.]), array([nan]))
    """
    labels = None if classes is None else np.asarray(classes)
    for adapt in ADAPTERS:
        expert = adapt(model, name or type(model).__name__, labels)
        if expert is not None:
            return expert
    raise ValueError(
        f"needed a fitted scikit-learn model, a network, a list of arrays or a function; got {type(model).__name__}"
    )


def _expert(model: Any, name: str, classes: Array | None) -> Expert | None:
    return model if isinstance(model, Regressor | Classifier) else None


def _remote(model: Any, name: str, classes: Array | None) -> Expert | None:
    return remote_expert(model, name, classes) if isinstance(model, RemoteModel) else None


def _network(model: Any, name: str, classes: Array | None) -> Expert | None:
    if not isinstance(model, Network):
        return None
    if model.classes is not None:
        return Classifier(name, model.predict_proba, model.classes, model.inputs, model)
    return Regressor(name, lambda x: _without_std(model.outputs(x)), model.inputs, model)


def _arrays(model: Any, name: str, classes: Array | None) -> Expert | None:
    if not isinstance(model, Sequence) or isinstance(model, str) or not model:
        return None
    arrays = [np.asarray(array, dtype=float) for array in model]
    return _network(Network(tuple(arrays[::2]), tuple(arrays[1::2]), classes=classes), name, classes)


def _surrogate(model: Any, name: str, classes: Array | None) -> Expert | None:
    if isinstance(model, SoftmaxSurrogate):
        return Classifier(name, model.predict_proba, model.classes, model.inputs)
    if isinstance(model, FusedLinearSurrogates):
        return Regressor(name, model.predict, model.inputs)
    return None


def _estimator(model: Any, name: str, classes: Array | None) -> Expert | None:
    if not hasattr(model, "predict") or not hasattr(model, "fit") or not (is_classifier(model) or is_regressor(model)):
        return None
    check_is_fitted(model)
    inputs = getattr(model, "n_features_in_", None)
    features = tuple(map(str, getattr(model, "feature_names_in_", ())))
    parameters = _parameters(model)
    if is_classifier(model):
        if not hasattr(model, "predict_proba"):
            raise ValueError(f"{name}: needed a classifier with predict_proba; calibrate it (CalibratedClassifierCV)")
        classes = np.asarray(model.classes_)
        probability = _of_arrays(model.predict_proba, features)
        return Classifier(name, probability, classes, inputs, parameters, features=features)
    return Regressor(name, _of_arrays(_moments_of(model), features), inputs, parameters, features=features)


def _of_arrays(ask: Callable[[Array], Any], features: tuple[str, ...]) -> Callable[[Array], Any]:
    """What asks a model that was fitted to named columns: arrays have them in this order, which is no news."""
    return partial(_quietly, ask) if features else ask


def _quietly(ask: Callable[[Array], Any], x: Array) -> Any:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X does not have valid feature names")
        return ask(x)


def _moments_of(model: Any) -> Callable[[Array], tuple[Array, Array]]:
    if _tells_std(model):
        return lambda x: model.predict(x, return_std=True)
    if isinstance(model, Forest) and model.n_outputs_ == 1 and model.criterion == "squared_error":
        return lambda x: _forest_moments(model, x)
    return lambda x: _without_std(model.predict(x))


def _forest_moments(model: Any, x: Array) -> tuple[Array, Array]:
    """Mean, and spread of a row in a random leaf of a random tree (Hutter et al., Artificial Intelligence 2014, 4.3).

    The variance between the trees and the mean variance within their leaves; trees that agree by chance are not sure:
    at least so much of the target's variance as `LEAST` says. NaN of a constant target.
    """
    leaves = model.apply(x)  # [Q, trees]
    parts = [(tree.tree_.value[:, 0, 0], tree.tree_.impurity) for tree in model.estimators_]
    means, variances = (np.stack([part[i][leaf] for part, leaf in zip(parts, leaves.T, strict=True)]) for i in (0, 1))
    variance = means.var(axis=0) + np.maximum(variances, 0.0).mean(axis=0)
    target = float(np.mean([impurity[0] for _, impurity in parts]))
    std = np.sqrt(np.maximum(variance, LEAST * target)) if target > 0 else np.full(len(x), np.nan)
    return model.predict(x), std


def _parameters(model: Any) -> Network | SparseGP | None:
    """What fusion by parameters works on, where the model has it."""
    network = network_behind(model)
    return sparse_gp_behind(model) if network is None else network


def _function(model: Any, name: str, classes: Array | None) -> Expert | None:
    if not callable(model):
        return None
    if classes is not None:
        return Classifier(name, model, classes)
    return Regressor(name, lambda x: _moments(model(x)))


def _moments(answer: Any) -> tuple[Array, Array]:
    if isinstance(answer, tuple) and len(answer) == 2:
        return np.asarray(answer[0]), np.asarray(answer[1])
    return _without_std(answer)


def _tells_std(model: Any) -> bool:
    last = model.steps[-1][1] if isinstance(model, Pipeline) else model
    return "return_std" in inspect.signature(last.predict).parameters


def _without_std(mean: Any) -> tuple[Array, Array]:
    values = np.asarray(mean, dtype=float)
    values = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
    return values, np.full(len(values), np.nan)


Adapter = Callable[[Any, str, Array | None], Expert | None]
ADAPTERS: tuple[Adapter, ...] = (_expert, _remote, _network, _arrays, _surrogate, _estimator, _function)
