"""Fully connected networks with ReLU units as flat vectors of numbers, with derivatives written by hand.

All nets of an embedding are one vector, so that Adam is one step for all of them. Axes: ``B`` rows, ``P`` numbers.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from coolgp.agents.base.arrays import Array

__all__ = ["Adam", "backward", "forward", "initial", "size"]

Units = Sequence[int]
"""Inputs, units of each hidden layer, outputs."""


def size(units: Units) -> int:
    """Numbers in a network, biases included.

    >>> size((3, 2))
    8
    """
    return sum((inputs + 1) * outputs for inputs, outputs in itertools.pairwise(units))


def initial(units: Units, random: np.random.Generator) -> Array:
    """Starting weights ``[P]``: normal, with variance 2 over a layer's inputs (He et al., ICCV 2015); biases 0."""
    layers = []
    for inputs, outputs in itertools.pairwise(units):
        weights = random.normal(size=(inputs, outputs)) * np.sqrt(2.0 / inputs)
        layers += [weights.ravel(), np.zeros(outputs)]
    return np.concatenate(layers)


def forward(numbers: Array, units: Units, x: Array) -> tuple[Array, list[Array]]:
    """Outputs ``[B, O]`` at x ``[B, I]``, linear in the last layer; and what goes into each layer, for `backward`."""
    entering, layers = [x], _layers(numbers, units)
    for weights, bias in layers[:-1]:
        entering.append(np.maximum(entering[-1] @ weights + bias, 0.0))
    weights, bias = layers[-1]
    return entering[-1] @ weights + bias, entering


def backward(numbers: Array, units: Units, entering: list[Array], slope: Array) -> tuple[Array, Array]:
    """Derivatives by the numbers ``[P]`` and by the inputs ``[B, I]``, of what has this slope ``[B, O]`` by outputs."""
    gradient: list[Array] = []
    for (weights, _), values in zip(reversed(_layers(numbers, units)), reversed(entering), strict=True):
        gradient = [(values.T @ slope).ravel(), slope.sum(axis=0), *gradient]
        slope = slope @ weights.T
        if values is not entering[0]:
            slope = slope * (values > 0.0)
    return np.concatenate(gradient), slope


def _layers(numbers: Array, units: Units) -> list[tuple[Array, Array]]:
    """Weights ``[I, O]`` and bias ``[O]`` of each layer, as views."""
    layers, at = [], 0
    for inputs, outputs in itertools.pairwise(units):
        end = at + inputs * outputs
        layers.append((numbers[at:end].reshape(inputs, outputs), numbers[end : end + outputs]))
        at = end + outputs
    return layers


@dataclass(frozen=True)
class Adam:
    """Kingma & Ba, ICLR 2015: moments of a gradient ``[P]``, and how many steps were made."""

    rate: float
    first: Array = field(default_factory=lambda: np.zeros(1))
    second: Array = field(default_factory=lambda: np.zeros(1))
    steps: int = 0

    def step(self, gradient: Array) -> tuple[Array, Adam]:
        """What to add ``[P]`` to go up, and the moments afterwards."""
        steps = self.steps + 1
        first = 0.9 * self.first + 0.1 * gradient
        second = 0.999 * self.second + 0.001 * np.square(gradient)
        scaled = first / (1 - 0.9**steps) / (np.sqrt(second / (1 - 0.999**steps)) + 1e-8)
        return self.rate * scaled, replace(self, first=first, second=second, steps=steps)
