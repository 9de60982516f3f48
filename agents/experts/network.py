"""Fully connected networks as lists of weights, to and from scikit-learn's multilayer perceptrons.

Axes: ``Q`` queries, ``D`` inputs, ``K`` outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, softmax
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.validation import check_is_fitted

from coolgp.agents.base.arrays import Array

__all__ = ["ACTIVATIONS", "Network", "NotFinite", "mlp_of", "network_of"]

ACTIVATIONS: Mapping[str, Callable[[Array], Array]] = {
    "relu": lambda values: np.maximum(values, 0.0),
    "tanh": np.tanh,
    "logistic": expit,
    "identity": lambda values: values,
}
"""Of hidden units, by scikit-learn's names."""


class NotFinite(ValueError):
    """Weights with NaN or infinity, as training leaves them that diverged."""


@dataclass(frozen=True)
class Network:
    """A fully connected network.

    weights: of each layer ``[in, out]``; biases ``[out]``; activation: of the hidden units, one of `ACTIVATIONS`.
    classes ``[K]``: labels of the outputs of a classifier, whose probabilities are their softmax; None for a regressor.
    Raises ValueError for layers that do not fit one another, numbers that are not finite, or an unknown activation.
    """

    weights: tuple[Array, ...]
    biases: tuple[Array, ...]
    activation: str = "relu"
    classes: Array | None = None

    def __post_init__(self) -> None:
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"a network needs an activation of {', '.join(ACTIVATIONS)}; got {self.activation!r}")
        if not self.weights or len(self.weights) != len(self.biases):
            raise ValueError(
                f"a network needs as many weight matrices as biases, at least one; "
                f"got {len(self.weights)} and {len(self.biases)}"
            )
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            _check_layer(number, weight, bias)
        for number, (before, after) in enumerate(zip(self.weights, self.weights[1:], strict=False)):
            if before.shape[1] != after.shape[0]:
                raise ValueError(
                    f"layer {number} of the network has {before.shape[1]} outputs and layer {number + 1} "
                    f"{after.shape[0]} inputs: they must be equal"
                )
        if self.classes is not None and len(self.classes) != len(self.biases[-1]):
            raise ValueError(f"a network with {len(self.biases[-1])} outputs got {len(self.classes)} classes")

    @property
    def inputs(self) -> int:
        """Number of inputs D."""
        return int(self.weights[0].shape[0])

    @property
    def widths(self) -> tuple[int, ...]:
        """Units of each hidden layer."""
        return tuple(len(bias) for bias in self.biases[:-1])

    @property
    def size(self) -> int:
        """Number of weights and biases."""
        return sum(weight.size + bias.size for weight, bias in zip(self.weights, self.biases, strict=True))

    def hidden(self, x: Array) -> Array:
        """What the last hidden layer makes of x ``[Q, D]``."""
        activate = ACTIVATIONS[self.activation]
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = activate(x @ weight + bias)
        return x

    def outputs(self, x: Array) -> Array:
        """Outputs ``[Q, K]`` at x ``[Q, D]``, before any softmax."""
        values: Array = self.hidden(x) @ self.weights[-1] + self.biases[-1]
        return values

    def predict_proba(self, x: Array) -> Array:
        """Class probabilities ``[Q, K]`` at x ``[Q, D]``."""
        shares: Array = softmax(self.outputs(x), axis=1)
        return shares


def network_of(model: Any) -> Network:
    """The weights of a fitted ``MLPClassifier`` or ``MLPRegressor``.

    The one logistic output ``z`` of a classifier of two classes becomes the two outputs ``∓z/2``, whose softmax gives
    the same probabilities. Raises ValueError for several labels a row, sklearn's NotFittedError before `fit`.
    """
    check_is_fitted(model)
    weights, biases = [np.array(part) for part in model.coefs_], [np.array(part) for part in model.intercepts_]
    if isinstance(model, MLPRegressor):
        return Network(tuple(weights), tuple(biases), model.activation)
    if model.out_activation_ == "logistic":
        if len(model.classes_) != 2:
            raise ValueError("a network needs one class a row; got a classifier of several labels a row")
        weights[-1] = np.hstack([-0.5 * weights[-1], 0.5 * weights[-1]])
        biases[-1] = np.hstack([-0.5 * biases[-1], 0.5 * biases[-1]])
    return Network(tuple(weights), tuple(biases), model.activation, np.array(model.classes_))


def mlp_of(network: Network) -> MLPClassifier | MLPRegressor:
    """A fitted scikit-learn model with these weights; it predicts at once, and `partial_fit` goes on from them."""
    weights, biases = list(network.weights), list(network.biases)
    if network.classes is None:
        return _fitted(
            MLPRegressor(hidden_layer_sizes=network.widths, activation=network.activation), weights, biases, "identity"
        )
    output = "softmax"
    if len(network.classes) == 2:
        output = "logistic"
        weights[-1], biases[-1] = np.diff(weights[-1], axis=1), np.diff(biases[-1])
    model = MLPClassifier(hidden_layer_sizes=network.widths, activation=network.activation)
    model.classes_ = np.array(network.classes)
    model._label_binarizer = LabelBinarizer().fit(model.classes_)
    return _fitted(model, weights, biases, output)


def _fitted(model: Any, weights: Sequence[Array], biases: Sequence[Array], output: str) -> Any:
    model.coefs_, model.intercepts_ = [part.copy() for part in weights], [part.copy() for part in biases]
    model.n_features_in_, model.n_outputs_ = weights[0].shape[0], weights[-1].shape[1]
    model.n_layers_, model.out_activation_ = len(weights) + 1, output
    model.n_iter_, model.t_, model.loss_curve_, model.best_loss_ = 0, 0, [], np.inf
    model._no_improvement_count = 0
    model._random_state = np.random.RandomState(0)
    return model


def _check_layer(number: int, weight: Array, bias: Array) -> None:
    if weight.ndim != 2 or bias.shape != (weight.shape[1],) or 0 in weight.shape:
        raise ValueError(
            f"layer {number} of the network needs weights [in, out] and biases [out], at least one of each; "
            f"got {weight.shape} and {bias.shape}"
        )
    if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
        raise NotFinite(f"layer {number} of the network has numbers that are not finite")
