"""The loop that anyone would write: one object an agent with full matrices, and a Python loop over agents.

The same numbers as coolgp's: unscaled sums of ``κκᵀ`` and ``κy`` with the kernel vector ``κ`` of the inducing inputs,
and the posterior formed from them when it is asked for. Nothing in it is slower than it needs to be.
"""

from __future__ import annotations

import numpy as np

from benchmarks.work import JITTER, LENGTHSCALE, NOISE_VARIANCE, SIGNAL_VARIANCE, Array

__all__ = ["Agent", "Node", "kernel", "nodes", "prior_of", "step", "sums_on_tree"]


def kernel(a: Array, b: Array) -> Array:
    """Squared exponential kernel of unit variance, ``[B, D]`` and ``[M, D]`` already divided by the length-scale."""
    exponent = a @ b.T
    exponent -= 0.5 * np.einsum("ij,ij->i", a, a)[:, None]
    exponent -= 0.5 * np.einsum("ij,ij->i", b, b)
    return np.exp(exponent, out=exponent)


def prior_of(inducing: Array) -> tuple[Array, Array]:
    """Kernel matrix of the inducing inputs ``[M, M]`` and its inverse: the same for all agents and all time."""
    points = inducing / LENGTHSCALE
    prior = kernel(points, points) + JITTER * np.eye(len(points))
    return prior, np.linalg.inv(prior)


class Agent:
    """An agent that learns: gram ``[M, M]``, cross ``[M]``."""

    def __init__(self, inducing: Array) -> None:
        self.points = inducing / LENGTHSCALE
        self.gram = np.zeros((len(inducing),) * 2, dtype=inducing.dtype)
        self.cross = np.zeros(len(inducing), dtype=inducing.dtype)

    def observe(self, x: Array, y: Array) -> None:
        """Take in a batch ``[B, D]``, ``[B]``."""
        k = kernel(x / LENGTHSCALE, self.points)
        self.gram += k.T @ k
        self.cross += k.T @ y

    def believe(self, prior: Array, inverse: Array) -> None:
        """Form what prediction needs, weights ``[M]`` and ``form [M, M]``; prior: see :func:`prior_of`."""
        posterior = np.linalg.inv(prior + SIGNAL_VARIANCE / NOISE_VARIANCE * self.gram)
        self.weights = SIGNAL_VARIANCE / NOISE_VARIANCE * (posterior @ self.cross)
        self.form = SIGNAL_VARIANCE * (inverse - posterior)

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Mean and variance of the function at ``[Q, D]``."""
        k = kernel(x / LENGTHSCALE, self.points)
        return k @ self.weights, SIGNAL_VARIANCE - ((k @ self.form) * k).sum(-1)


class Node:
    """An agent that averages: a row ``[P]``, and its neighbours with their weights."""

    def __init__(self, value: Array) -> None:
        self.value = value
        self.own = 1.0
        self.neighbours: list[tuple[Node, float]] = []


def nodes(values: Array, pairs: list[tuple[int, int]]) -> list[Node]:
    """Nodes with rows of ``values [N, P]``, joined by pairs, with Metropolis weights ``1/(1 + max(d_i, d_j))``."""
    network = [Node(row.copy()) for row in values]
    degree = np.bincount(np.array(pairs).ravel(), minlength=len(network))
    for i, j in pairs:
        weight = 1.0 / (1.0 + max(degree[i], degree[j]))
        for one, other in ((i, j), (j, i)):
            network[one].neighbours.append((network[other], weight))
            network[one].own -= weight
    return network


def step(network: list[Node]) -> None:
    """One round of averaging."""
    fresh = []
    for node in network:
        value = node.own * node.value
        for neighbour, weight in node.neighbours:
            value += weight * neighbour.value
        fresh.append(value)
    for node, value in zip(network, fresh, strict=True):
        node.value = value


def sums_on_tree(values: Array, parent: list[int], order: list[int]) -> list[Array]:
    """The sum over all agents at every agent: up to the root and down again.

    values ``[N, P]``; parent of each agent (the root's is -1); order: parents before children.
    """
    sums = list(values)
    for agent in reversed(order):
        if parent[agent] >= 0:
            sums[parent[agent]] = sums[parent[agent]] + sums[agent]
    for agent in order:
        if parent[agent] >= 0:
            sums[agent] = sums[parent[agent]].copy()
    return sums
