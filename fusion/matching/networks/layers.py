"""Fully connected networks as fusion takes them: checked, made of plain arrays, reduced to some of their units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.experts.network import Network
from coolgp.agents.experts.weights import network_in

__all__ = ["Arrays", "HasWeights", "checked_networks", "from_arrays", "predicted_classes", "sub_network", "with_head"]

Arrays = Sequence[npt.ArrayLike]
"""``(W0 [D, L1], b0 [L1], W1 [L1, L2], b1, ..., W [LC, K], b [K])``: a row of a matrix is an input unit."""

HasWeights: TypeAlias = "Network | Arrays | Any"
"""What :func:`coolgp.agents.experts.weights.network_in` takes, or arrays."""


def from_arrays(arrays: Arrays, activation: str = "relu") -> Network:
    """A network of arrays ``W0, b0, W1, b1, ...``. Raises ValueError for arrays that make none.

    >>> from_arrays([np.zeros((3, 5)), np.zeros(5), np.zeros((5, 2)), np.zeros(2)]).widths
    (5,)
    """
    values = [np.asarray(array, dtype=float) for array in arrays]
    if len(values) % 2:
        raise ValueError(f"a network needs arrays W0, b0, W1, b1, ..., so an even number; got {len(values)}")
    return Network(tuple(values[::2]), tuple(values[1::2]), activation)


def checked_networks(models: Sequence[HasWeights], activation: str, least_hidden: int = 1) -> tuple[Network, ...]:
    """Networks of one depth, with equal inputs, outputs and activations, whose hidden widths may differ.

    activation: of those that come as arrays. least_hidden: hidden layers that they need. Raises ValueError naming the
    network that does not fit.
    """
    if not len(models):
        raise ValueError("Fusing networks needs at least one; got none")
    checked = tuple(_checked(model, place, activation, least_hidden) for place, model in enumerate(models))
    for place, network in enumerate(checked):
        for what, own, first in zip(_NAMES, _ends(network), _ends(checked[0]), strict=True):
            if own != first:
                raise ValueError(f"Networks need equal {what}; network {place} has {own}, network 0 has {first}")
    return checked


_NAMES = ("numbers of hidden layers", "inputs", "outputs", "activations", "classes")


def _ends(network: Network) -> tuple[object, ...]:
    classes = None if network.classes is None else network.classes.tolist()
    return len(network.widths), network.inputs, len(network.biases[-1]), network.activation, classes


def _checked(model: HasWeights, place: int, activation: str, least_hidden: int) -> Network:
    try:
        if isinstance(model, Sequence) and not isinstance(model, str):
            checked = from_arrays(model, activation)
        else:
            checked = network_in(model)
    except ValueError as error:
        raise ValueError(f"Network {place}: {error}") from error
    if len(checked.widths) < least_hidden:
        raise ValueError(f"Network {place} has no hidden layer: there is nothing to match")
    return checked


def predicted_classes(network: Network, x: Array) -> Indices:
    """The number ``[n]`` of the class with the largest output."""
    classes: Indices = network.outputs(x).argmax(axis=1)
    return classes


def sub_network(network: Network, labels: Sequence[Indices]) -> Network:
    """The network of some units: ``labels``, for each hidden layer those that stay, in their order."""
    stay = [np.arange(network.inputs), *labels, np.arange(len(network.biases[-1]))]
    weights = tuple(
        matrix[np.ix_(rows, columns)]
        for matrix, rows, columns in zip(network.weights, stay[:-1], stay[1:], strict=True)
    )
    biases = tuple(bias[own] for bias, own in zip(network.biases, stay[1:], strict=True))
    return replace(network, weights=weights, biases=biases)


def with_head(network: Network, weights: Array, biases: Array) -> Network:
    """The network with another output layer, ``[LC, K]`` and ``[K]``."""
    return replace(network, weights=(*network.weights[:-1], weights), biases=(*network.biases[:-1], biases))
