"""Tasks that are related in a known way: what a warm start from others is tried on.

In whitened coordinates each task is a vector of weights ``v ~ N(0, I)``, whatever the relation, so that a Gaussian
process by itself is right about every task alone; only what tasks have in common differs.

    same         v_a = c                              clusters     v_a = c_k, one of five
    factors      v_a = F u_a / 2, four factors        deviations   v_a = √.8 c + √.2 e_a
    unrelated    v_a = e_a                            outlier      v_a = √.8 c + √.2 e_a, the newcomers' are e_a
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.sparse.collapsed import Parameters
from coolgp.agents.sparse.gp import SparseGP
from coolgp.agents.statistics import Evidence

__all__ = ["RELATIONS", "World", "drawn_world"]

Drawing = Callable[[np.random.Generator, int, int, int], Array]
"""Weights ``[owners + newcomers, M]`` from an rng, owners, newcomers and M."""

CLUSTERS, FACTORS = 5, 4
OWN = 0.2
"""Share of the variance of a task that is its own, where tasks have a common mean."""
LENGTHSCALE, NOISE = 0.3, 0.1
"""Of functions on the unit square, with signal variance 1; NOISE is a standard deviation."""


@dataclass(frozen=True)
class World:
    """Tasks about common features. weights ``[T, M]``: of owners and then of newcomers; common: without evidence."""

    common: SparseGP
    weights: Array
    rng: np.random.Generator

    def features(self, x: Array) -> Array:
        """``[n, M]``: a task's function at x is their product with its weights."""
        return self.common.whitened(self.common.covariance(x)).T

    def rows(self, task: int, count: int) -> tuple[Array, Array]:
        """Inputs ``[n, 2]`` in the unit square and noisy values ``[n]`` of a task."""
        x = self.rng.uniform(size=(count, 2))
        return x, self.features(x) @ self.weights[task] + NOISE * self.rng.normal(size=count)

    def evidence(self, counts: Indices) -> Evidence:
        """What rows, as many as the counts ``[A]`` say, leave of the first A tasks."""
        tasks = [self.rows(task, int(count)) for task, count in enumerate(counts)]
        features = [self.features(x) for x, _ in tasks]
        precision = np.stack([phi.T @ phi for phi in features]) / NOISE**2
        shift = np.stack([phi.T @ y for phi, (_, y) in zip(features, tasks, strict=True)]) / NOISE**2
        return Evidence(precision, shift, np.zeros(len(tasks)), np.ones(len(tasks)))


def drawn_world(relation: str, owners: int, newcomers: int, size: int, rng: np.random.Generator) -> World:
    """Tasks of a relation, about so many inducing inputs in the unit square. Raises KeyError for another relation."""
    inputs = rng.uniform(size=(size, 2))
    at = Parameters(inputs, np.full(2, LENGTHSCALE), 1.0, NOISE**2)
    weights = RELATIONS[relation](rng, owners, newcomers, size)
    return World(SparseGP(at, np.zeros((size, size)), np.zeros(size)), weights, rng)


def _same(rng: np.random.Generator, owners: int, newcomers: int, size: int) -> Array:
    return np.repeat(rng.normal(size=(1, size)), owners + newcomers, axis=0)


def _clusters(rng: np.random.Generator, owners: int, newcomers: int, size: int) -> Array:
    centres = rng.normal(size=(CLUSTERS, size))
    drawn: Array = centres[rng.integers(CLUSTERS, size=owners + newcomers)]
    return drawn


def _factors(rng: np.random.Generator, owners: int, newcomers: int, size: int) -> Array:
    factors = rng.normal(size=(FACTORS, size))
    drawn: Array = rng.normal(size=(owners + newcomers, FACTORS)) @ factors / np.sqrt(FACTORS)
    return drawn


def _deviations(rng: np.random.Generator, owners: int, newcomers: int, size: int) -> Array:
    drawn: Array = np.sqrt(1 - OWN) * rng.normal(size=size) + np.sqrt(OWN) * _unrelated(rng, owners, newcomers, size)
    return drawn


def _unrelated(rng: np.random.Generator, owners: int, newcomers: int, size: int) -> Array:
    return rng.normal(size=(owners + newcomers, size))


def _outlier(rng: np.random.Generator, owners: int, newcomers: int, size: int) -> Array:
    return np.concatenate([_deviations(rng, owners, 0, size), _unrelated(rng, newcomers, 0, size)])


RELATIONS: dict[str, Drawing] = {
    "same": _same,
    "clusters": _clusters,
    "factors": _factors,
    "deviations": _deviations,
    "unrelated": _unrelated,
    "outlier": _outlier,
}
"""By name."""
