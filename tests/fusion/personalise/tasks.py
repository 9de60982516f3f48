"""Tasks whose functions are weights of common whitened features, and rows of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.sparse.collapsed import Parameters
from coolgp.agents.sparse.gp import SparseGP
from coolgp.agents.statistics import Evidence

NOISE = 0.1


@dataclass(frozen=True)
class World:
    """A common Gaussian process about M inducing inputs, and the rng of everything."""

    gp: SparseGP
    rng: np.random.Generator

    def features(self, x: Array) -> Array:
        """``[n, M]``: the function at x is their product with a task's weights, where inducing inputs explain it."""
        return self.gp.whitened(self.gp.covariance(x)).T

    def rows(self, weights: Array, count: int) -> tuple[Array, Array]:
        x = self.rng.uniform(0, 1, (count, 1))
        return x, self.features(x) @ weights + NOISE * self.rng.normal(size=count)

    def evidence(self, tasks: list[tuple[Array, Array]]) -> Evidence:
        features = [self.features(x) for x, _ in tasks]
        precision = np.stack([phi.T @ phi for phi in features]) / NOISE**2
        shift = np.stack([phi.T @ y for phi, (_, y) in zip(features, tasks, strict=True)]) / NOISE**2
        return Evidence(precision, shift, np.zeros(len(tasks)), np.ones(len(tasks)))


def world(seed: int, size: int = 8) -> World:
    at = Parameters(np.linspace(0, 1, size)[:, None], np.full(1, 0.2), 1.0, NOISE**2)
    gp = SparseGP(at, np.zeros((size, size)), np.zeros(size))
    return World(gp, np.random.default_rng(seed))


def alike(task: World, owners: int, spread: float) -> Array:
    """Weights ``[owners, M]`` of tasks with one mean and deviations of their own."""
    size = len(task.gp.shift)
    mean = task.rng.normal(size=size) * np.sqrt(1 - spread)
    return mean + task.rng.normal(size=(owners, size)) * np.sqrt(spread)
