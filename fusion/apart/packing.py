"""A network and its owner's rows of each class as one row of numbers, so that networks of any widths can travel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.network import Network

__all__ = ["Packing", "flat", "shaped"]


@dataclass(frozen=True)
class Packing:
    """A row is ``[widths, rows of each class, weights and biases, zeros]``.

    like: a network with as many layers, the same inputs, classes and activation. longest: numbers of the largest one.
    """

    like: Network
    longest: int
    classes: int

    def packed(self, network: Network, counts: Array) -> Array:
        """The row of a network; counts ``[K]``: its owner's rows of each class."""
        numbers = flat(network)
        return np.concatenate([network.widths, counts, numbers, np.zeros(self.longest - len(numbers))])

    def unpacked(self, row: Array) -> tuple[Network, Array]:
        """The network of a row, and the counts ``[K]``."""
        depth = len(self.like.widths)
        sizes = [self.like.inputs, *row[:depth].astype(np.intp), len(self.like.biases[-1])]
        shapes = [*pairwise(sizes), *((size,) for size in sizes[1:])]
        counts = row[depth : depth + self.classes]
        return shaped(row[depth + self.classes :], shapes, self.like), counts


def flat(network: Network) -> Array:
    """All weights, then all biases."""
    return np.concatenate([array.ravel() for array in (*network.weights, *network.biases)])


def shaped(numbers: Array, shapes: list[tuple[int, ...]], like: Network) -> Network:
    """The network whose weights and biases of these shapes are the first of the numbers; else like another."""
    arrays, start = [], 0
    for shape in shapes:
        size = int(np.prod(shape))
        arrays.append(np.ascontiguousarray(numbers[start : start + size].reshape(shape)))
        start += size
    depth = len(shapes) // 2
    return replace(like, weights=tuple(arrays[:depth]), biases=tuple(arrays[depth:]))
