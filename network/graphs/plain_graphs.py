"""Graphs without chance: the ring, the grid, the star, all links."""

from __future__ import annotations

import math

import numpy as np

from coolgp.network.base.arrays import Array
from coolgp.network.graphs.topology import Topology, from_edges

__all__ = ["circle", "complete", "grid", "ring", "star"]


def ring(size: int, seed: int) -> Topology:
    """Each agent is linked to the next, on a circle."""
    i = np.arange(size)
    return from_edges(i, (i + 1) % size, size, position=circle(size))


def grid(size: int, seed: int) -> Topology:
    """Rows of `ceil(sqrt(N))` agents, the last one perhaps shorter; links to the four nearest."""
    width, i = math.isqrt(size - 1) + 1, np.arange(size)
    right, below = i[(i % width < width - 1) & (i < size - 1)], i[i < size - width]
    return from_edges(
        np.concatenate([right, below]),
        np.concatenate([right + 1, below + width]),
        size,
        position=np.stack([i % width, i // width], axis=1),
    )


def star(size: int, seed: int) -> Topology:
    """Agent 0 is linked to all others."""
    return from_edges(np.zeros(size - 1), np.arange(1, size), size)


def complete(size: int, seed: int) -> Topology:
    """All agents are linked to all others."""
    return from_edges(*np.triu_indices(size, 1), size)


def circle(size: int) -> Array:
    """Return positions [N,2] on the unit circle, in order."""
    angle = 2 * np.pi * np.arange(size) / size
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)
