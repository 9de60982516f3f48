"""Agents that move, and the links between those that are within reach of one another.

Axes: `N` agents.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy.spatial import cKDTree

from coolgp.network.base.arrays import Array
from coolgp.network.base.randomness import generator
from coolgp.network.graphs.schedule import Schedule, changing
from coolgp.network.graphs.topology import Topology

__all__ = ["in_unit_square", "moving", "reach_for", "walk"]

DRIFT = 0.3  # radians by which a direction changes in a round (standard deviation)


def moving(position: Array, reach: float, speed: float, rounds: int, seed: int) -> tuple[Topology, Schedule]:
    """Return the links of agents that move, between those within reach of one another, over all rounds and in each.

    Args:
        position: [N,2] where the agents start, in the unit square; the topology keeps it.
        reach: distance within which two agents are linked.
        speed: distance that an agent goes in a round of learning.
        rounds: of learning; after the last one the agents stand still.
        seed: the same seed gives the same walk.

    Raises:
        ValueError: if the positions leave the unit square, or a number is out of range.
    """
    if reach <= 0 or rounds < 1:
        raise ValueError(f"Agents that move need reach > 0 and at least 1 round; got {reach} and {rounds}")
    links = (cKDTree(place).query_pairs(reach, output_type="ndarray") for place in walk(position, speed, rounds, seed))
    return changing(links, len(position), position)


def walk(position: Array, speed: float, rounds: int, seed: int) -> Iterator[Array]:
    """Yield where the agents are [N,2] in each round; the first are the positions given.

    Each agent steps in a direction of its own, which drifts a little from round to round; borders reflect.

    Raises:
        ValueError: if the positions leave the unit square, or the speed is negative.
    """
    position = np.asarray(position, dtype=np.float64)
    if position.ndim != 2 or position.shape[1] != 2 or not ((position >= 0) & (position <= 1)).all():
        raise ValueError("Agents that move need positions [N,2] in the unit square; in_unit_square() scales others")
    if not speed >= 0:
        raise ValueError(f"Agents need speed >= 0; got {speed}")
    angle = generator(seed, "motion").uniform(0, 2 * np.pi, len(position))
    step = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    yield position
    for turn in range(1, rounds):
        step = _turned(step, DRIFT * generator(seed, "motion", 0, turn).normal(size=len(position)))
        position = (position + speed * step) % 2  # the square and its mirror image, over and over
        beyond = position > 1
        position, step = np.where(beyond, 2 - position, position), np.where(beyond, -step, step)
        yield position


def reach_for(size: int, mean_degree: float) -> float:
    """Return the reach at which N agents in the unit square have so many neighbours on average: `sqrt(d / (pi N))`."""
    return math.sqrt(mean_degree / (math.pi * size))


def in_unit_square(position: Array) -> Array:
    """Return positions [N,2] moved and scaled into the unit square, with their proportions."""
    low, extent = position.min(axis=0), float(np.ptp(position, axis=0).max()) or 1.0
    return np.asarray(np.clip((position - low) / extent, 0.0, 1.0))


def _turned(step: Array, angle: Array) -> Array:
    """Directions [N,2] turned by angles [N]."""
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([c * step[:, 0] - s * step[:, 1], s * step[:, 0] + c * step[:, 1]], axis=1)
