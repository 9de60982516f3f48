"""First-order MAML: a start for networks that a few steps on a few examples bring far. It needs others' own rows.

It stands beside methods that ask black boxes, as the price of not sharing. Source: Finn, Abbeel & Levine,
"Model-Agnostic Meta-Learning for Fast Adaptation of Deep Networks", ICML 2017, without second derivatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from coolgp.agents.base.arrays import Array, Indices
from coolgp.fusion.prototypes.embedding.mlp import Adam, backward, forward, initial

__all__ = ["Maml"]


@dataclass(frozen=True)
class Maml:
    """How a start is learned. ways, shots: of a training task; steps, rate: of its gradient descent; meta_rate: Adam's.

    adapt_steps: on a new task's examples. On digits more training tasks than 200 were worse: two owners have few.
    """

    ways: int = 2
    shots: int = 5
    hidden: int = 50
    tasks: int = 200
    steps: int = 5
    rate: float = 0.1
    meta_rate: float = 2e-3
    adapt_steps: int = 50

    def start(self, own: Sequence[tuple[Array, Indices]], random: np.random.Generator) -> Array:
        """Weights from tasks drawn from owners' rows: of each owner x ``[n, D]`` and labels ``[n]``."""
        numbers, adam = initial(self._units(own[0][0]), random), Adam(self.meta_rate)
        for _ in range(self.tasks):
            x, labels = own[int(random.integers(len(own)))]
            x, places = self._task(x, labels, random)
            support = np.arange(len(x)) % (2 * self.shots) < self.shots
            adapted = self._descended(numbers, x[support], places[support], self.steps)
            gradient, _ = self._gradient(adapted, x[~support], places[~support])
            move, adam = adam.step(-gradient)
            numbers = numbers + move
        return numbers

    def predict(self, numbers: Array, x: Array, places: Indices, queries: Array) -> Indices:
        """Places ``[Q]`` of classes at queries ``[Q, D]``, after steps on examples x ``[M, D]`` at places ``[M]``."""
        adapted = self._descended(numbers, x, places, self.adapt_steps)
        outputs, _ = forward(adapted, self._units(x), queries)
        return np.asarray(outputs.argmax(axis=1), dtype=np.intp)

    def _units(self, x: Array) -> tuple[int, ...]:
        return (x.shape[1], self.hidden, self.hidden, self.ways)

    def _task(self, x: Array, labels: Indices, random: np.random.Generator) -> tuple[Array, Indices]:
        """Rows of some of an owner's classes in random order, twice as many as shots of each, class by class."""
        rows = [
            random.choice(np.flatnonzero(labels == name), 2 * self.shots)
            for name in random.permutation(np.unique(labels))[: self.ways]
        ]
        return x[np.concatenate(rows)], np.arange(self.ways).repeat(2 * self.shots)

    def _descended(self, numbers: Array, x: Array, places: Indices, steps: int) -> Array:
        for _ in range(steps):
            gradient, _ = self._gradient(numbers, x, places)
            numbers = numbers - self.rate * gradient
        return numbers

    def _gradient(self, numbers: Array, x: Array, places: Indices) -> tuple[Array, Array]:
        """Of the mean cross-entropy."""
        units = self._units(x)
        outputs, entering = forward(numbers, units, x)
        slope = (softmax(outputs, axis=1) - np.eye(self.ways)[places]) / len(x)
        return backward(numbers, units, entering, slope)
