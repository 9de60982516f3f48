"""Fused surrogates as named arrays, as ``.npz`` files hold them: numbers and short texts alone.

``surrogate`` says of which kind they are; ``inducing_inputs [M, D]``, ``lengthscale [D]`` and ``kernel`` are the common
features. A regressor has ``mean_weights`` and ``log_std_weights [J, P]`` of J owners and their ``power``; a classifier
``weights [P, K]`` and ``classes [K]``.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.surrogates.features import InducingFeatures
from coolgp.agents.experts.surrogates.linear import FusedLinearSurrogates, LinearSurrogate
from coolgp.agents.experts.surrogates.softmax import SoftmaxSurrogate
from coolgp.agents.kernels.registry import KERNELS

__all__ = ["KIND", "FusedSurrogate", "arrays_of_surrogate", "holds_surrogates", "surrogate_of_arrays"]

KIND = "surrogate"
"""The array by which a file of surrogates is told from one of a network."""
FusedSurrogate = FusedLinearSurrogates | SoftmaxSurrogate


def arrays_of_surrogate(model: FusedSurrogate) -> dict[str, Any]:
    """Named arrays, as `surrogate_of_arrays` reads them."""
    if isinstance(model, SoftmaxSurrogate):
        return {KIND: "softmax", **_features(model.features), "weights": model.weights, "classes": model.classes}
    weights = {name: getattr(model.surrogates, name) for name in ("mean_weights", "log_std_weights")}
    return {KIND: "linear", **_features(model.surrogates.features), **weights, "power": model.power}


def surrogate_of_arrays(arrays: Mapping[str, Any]) -> FusedSurrogate:
    """The model in named arrays. Raises ValueError for those that are missing, not finite, or do not fit."""
    kind = str(arrays[KIND])
    if kind not in READERS:
        raise ValueError(f"has surrogates of the kind {kind!r}; needed {' or '.join(READERS)}")
    try:
        return READERS[kind](arrays)
    except (KeyError, np.linalg.LinAlgError) as problem:
        raise ValueError(f"needs all arrays of surrogates, as they were written; wrong: {problem}") from problem


def holds_surrogates(path: Path) -> bool:
    """Whether a file is one of fused surrogates; false where it cannot be read."""
    try:
        with zipfile.ZipFile(path) as file:
            return f"{KIND}.npy" in file.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def _linear(arrays: Mapping[str, Any]) -> FusedLinearSurrogates:
    features = _read_features(arrays)
    mean, log_std = (_numbers(arrays, name, 2) for name in ("mean_weights", "log_std_weights"))
    _check(mean.shape == log_std.shape and mean.shape[1] == features.count and len(mean) > 0, "weights")
    power = float(_numbers(arrays, "power", 0))
    _check(power > 0, "power")
    return FusedLinearSurrogates(LinearSurrogate(features, mean, log_std), power)


def _softmax(arrays: Mapping[str, Any]) -> SoftmaxSurrogate:
    features, weights = _read_features(arrays), _numbers(arrays, "weights", 2)
    classes = np.asarray(arrays["classes"])
    _check(weights.shape == (features.count, len(classes)) and len(classes) > 1, "weights")
    return SoftmaxSurrogate(features, weights, classes)


def _features(features: InducingFeatures) -> dict[str, Any]:
    return {name: getattr(features, name) for name in ("inducing_inputs", "lengthscale", "kernel")}


def _read_features(arrays: Mapping[str, Any]) -> InducingFeatures:
    inputs, lengthscale = _numbers(arrays, "inducing_inputs", 2), _numbers(arrays, "lengthscale", 1)
    kernel = str(arrays["kernel"])
    _check(inputs.shape[1] == len(lengthscale) and kernel in KERNELS and bool((lengthscale > 0).all()), "features")
    return InducingFeatures(inputs, lengthscale, kernel)


def _numbers(arrays: Mapping[str, Any], name: str, axes: int) -> Array:
    values = np.asarray(arrays[name])
    _check(values.ndim == axes and values.dtype.kind == "f" and bool(np.isfinite(values).all()), name)
    return values


def _check(sound: bool, name: str) -> None:
    if not sound:
        raise KeyError(name)


READERS: Mapping[str, Callable[[Mapping[str, Any]], FusedSurrogate]] = {"linear": _linear, "softmax": _softmax}
