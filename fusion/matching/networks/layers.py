"""Fully connected networks as plain arrays, and what is done with them: predict, take some units, check.

A network with C hidden layers is ``(W0 [D, L1], b0 [L1], W1 [L1, L2], b1, ..., WC [LC, K], bC [K])``: a row of a matrix
is an input unit, as in scikit-learn's ``coefs_``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import expit, log_softmax

from coolgp.agents.base.arrays import Array, Indices

__all__ = [
    "ACTIVATIONS",
    "Network",
    "checked_networks",
    "hidden_widths",
    "log_probabilities",
    "logits",
    "predicted_classes",
    "sub_network",
    "top_features",
]

Network = tuple[Array, ...]

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "relu": lambda inputs: np.maximum(inputs, 0.0),
    "tanh": np.tanh,
    "logistic": expit,
    "identity": lambda inputs: inputs,
}
"""By the names that scikit-learn has for them."""


def checked_networks(networks: Sequence[Sequence[npt.ArrayLike]]) -> tuple[Network, ...]:
    """Networks of one depth, with equal inputs and outputs, whose hidden widths may differ.

    Raises ValueError naming the network and the array that do not fit, or are not finite.
    """
    checked: tuple[Network, ...] = tuple(tuple(np.asarray(array, dtype=float) for array in own) for own in networks)
    if not checked:
        raise ValueError("Fusing networks needs at least one; got none")
    for place, network in enumerate(checked):
        _check(network, place, checked[0])
    for layer, widths in enumerate(zip(*(hidden_widths(network) for network in checked), strict=True)):
        if not any(widths):
            raise ValueError(f"Fusing networks needs hidden units; none has any in hidden layer {layer}")
    return checked


def _check(network: Network, place: int, first: Network) -> None:
    if len(network) < 4 or len(network) % 2:
        raise ValueError(
            f"Network {place} needs a hidden layer at least, so arrays W0, b0, W1, b1, ...; got {len(network)} arrays"
        )
    if len(network) != len(first):
        depths = len(network) // 2 - 1, len(first) // 2 - 1
        raise ValueError(f"Networks need equally many hidden layers; network {place} has {depths[0]}, not {depths[1]}")
    if any(not np.isfinite(array).all() for array in network):
        raise ValueError(f"Networks need finite weights; network {place} has NaN or infinity")
    matrices, biases = network[::2], network[1::2]
    if any(matrix.ndim != 2 for matrix in matrices):
        raise ValueError(f"Network {place} needs matrices [in, out]; got {[matrix.shape for matrix in matrices]}")
    for above, matrix, bias in zip((*matrices[1:], None), matrices, biases, strict=True):
        if bias.shape != matrix.shape[1:] or (above is not None and above.shape[0] != matrix.shape[1]):
            shapes = [array.shape for array in network]
            raise ValueError(f"Network {place} has arrays that do not fit each other: {shapes}")
    ends, expected = (network[0].shape[0], network[-1].shape[0]), (first[0].shape[0], first[-1].shape[0])
    if ends != expected:
        raise ValueError(f"Networks need {expected[0]} inputs and {expected[1]} outputs; network {place} has {ends}")


def hidden_widths(network: Network) -> tuple[int, ...]:
    """Units of every hidden layer, from the first.

    >>> hidden_widths((np.zeros((3, 5)), np.zeros(5), np.zeros((5, 2)), np.zeros(2)))
    (5,)
    """
    return tuple(len(bias) for bias in network[1:-1:2])


def top_features(network: Network, x: Array, activation: str = "relu") -> Array:
    """What the units of the last hidden layer put out ``[n, LC]`` for inputs ``[n, D]``."""
    nonlinear, values = ACTIVATIONS[activation], x
    for matrix, bias in zip(network[:-2:2], network[1:-2:2], strict=True):
        values = nonlinear(values @ matrix + bias)
    return values


def logits(network: Network, x: Array, activation: str = "relu") -> Array:
    """Outputs ``[n, K]`` before any softmax."""
    return top_features(network, x, activation) @ network[-2] + network[-1]


def log_probabilities(network: Network, x: Array, activation: str = "relu") -> Array:
    """Log softmax of the outputs ``[n, K]``."""
    values: Array = log_softmax(logits(network, x, activation), axis=1)
    return values


def predicted_classes(network: Network, x: Array, activation: str = "relu") -> Indices:
    """The class ``[n]`` with the largest output."""
    classes: Indices = logits(network, x, activation).argmax(axis=1)
    return classes


def sub_network(network: Network, labels: Sequence[Indices]) -> Network:
    """The network of some units: ``labels``, for each hidden layer those that stay, in their order."""
    arrays, rows = [], np.arange(network[0].shape[0])
    for layer, columns in enumerate([*labels, np.arange(len(network[-1]))]):
        arrays += [network[2 * layer][np.ix_(rows, columns)], network[2 * layer + 1][columns]]
        rows = columns
    return tuple(arrays)
