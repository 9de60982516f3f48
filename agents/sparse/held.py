"""Rows that agents hold, each its own: what a bound needs of them is summed, and no row is told.

Axes: ``A`` agents, ``B`` rows of the agent that has most, ``K`` some of the agents.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.kernels.base import Kernel, is_far
from coolgp.agents.sparse.parameters import Parameters
from coolgp.agents.sparse.rows import Explained, RowSlopes, pulled

__all__ = ["Held", "RowsOf", "Summed", "padded"]

RowsOf: TypeAlias = Callable[[Indices], Array]
"""Rows of numbers ``[K, P]`` of some agents."""
Summed: TypeAlias = Callable[[RowsOf], Array]
"""Their sum ``[P]`` over all agents, also those that are held elsewhere: the same bits for everyone."""


@dataclass(frozen=True, eq=False)
class Held:
    """Rows x ``[A, B, D]``, y ``[A, B]`` of agents; where mask ``[A, B]`` is 0 there is none, and both are 0.

    Products are taken agent by agent, so that sums do not depend on who shares a process.
    """

    x: Array
    y: Array
    mask: Array
    summed: Summed

    @cached_property
    def _totals(self) -> Array:
        return self.summed(lambda who: np.stack([self.mask[who].sum(1), np.square(self.y[who]).sum(1)], axis=1))

    @property
    def count(self) -> int:
        """How many rows all agents hold."""
        return int(self._totals[0])

    @property
    def weight(self) -> float:
        """Each row of an agent weighs 1."""
        return float(self.count)

    @property
    def square(self) -> float:
        """``y·y`` of all of them."""
        return float(self._totals[1])

    def explained(self, at: Parameters, inverse: Array, kernel: Kernel) -> Explained:
        """See :class:`coolgp.agents.sparse.rows.Rows`. One sum of ``M(M + 1)/2 + M`` numbers. Collective."""
        size = len(inverse)
        view = _View(self, at, inverse.T / np.sqrt(at.noise_variance), kernel)
        upper = np.triu_indices(size)

        def rows(who: Indices) -> Array:
            scaled = view.scaled(view.values(who)[0])
            gram = scaled.swapaxes(1, 2) @ scaled
            moment = (self.y[who][:, None] @ scaled)[:, 0]
            return np.concatenate([gram[:, upper[0], upper[1]], moment], axis=1)

        total = self.summed(view.apart_where_far(rows))
        gram = np.zeros((size, size))
        gram[upper] = total[:-size]
        return _HeldExplained(view, gram + np.triu(gram, 1).T, total[-size:])


@dataclass(frozen=True, eq=False)
class _View:
    """The rows of agents through inducing inputs; whitening ``[M, M]``: ``L⁻ᵀ / σ``."""

    held: Held
    at: Parameters
    whitening: Array
    kernel: Kernel

    @cached_property
    def points(self) -> Array:
        """Inducing inputs in lengthscales, ``[M, D]``."""
        points: Array = self.at.inducing_inputs / self.at.lengthscale
        return points

    def values(self, who: Indices) -> tuple[Array, Array]:
        """``K_xZ`` and its slopes ``s² h'``, each ``[K, B, M]``."""
        values, slopes = self.kernel.values_and_slopes(self.held.x[who] / self.at.lengthscale, self.points)
        signal = self.at.signal_variance * self.held.mask[who][..., None]
        return signal * values, signal * slopes

    def apart_where_far(self, rows: RowsOf) -> RowsOf:
        """Agents one by one where some rows lie far from the origin: who shares a process then does not matter."""

        def apart(who: Indices) -> Array:
            if len(who) > 1 and is_far(self.held.x[who] / self.at.lengthscale):
                return np.concatenate([rows(who[place : place + 1]) for place in range(len(who))])
            return rows(who)

        return apart

    def scaled(self, cross: Array) -> Array:
        """``Aᵀ [K, B, M]``."""
        scaled: Array = cross @ self.whitening
        return scaled


@dataclass(frozen=True, eq=False)
class _HeldExplained:
    """The sums ``A Aᵀ [M, M]`` and ``A y [M]``; what is of the size of rows is made again where it is needed."""

    view: _View
    gram: Array
    moment: Array

    def pulled_back(self, outer: Array, alpha: Array, solved: Array) -> RowSlopes:
        """See :class:`coolgp.agents.sparse.rows.Explained`. One sum of ``MD + D + 2`` numbers. Collective."""
        held, at = self.view.held, self.view.at
        size, width = at.inducing_inputs.shape

        def rows(who: Indices) -> Array:
            cross, slopes = self.view.values(who)
            scaled = self.view.scaled(cross)
            residual = (held.y[who] - scaled @ solved) * held.mask[who] / at.noise_variance
            by_cross = scaled @ outer.T + residual[..., None] * alpha
            by_signal = _summed_by_agent(by_cross * cross)
            weight = (by_cross * slopes).swapaxes(1, 2)
            moved, by_scale = pulled(weight, self.view.points, held.x[who] / at.lengthscale)
            squares = _summed_by_agent(np.square(residual))
            return np.concatenate([moved.reshape(len(who), -1), by_scale, by_signal, squares], axis=1)

        total = held.summed(self.view.apart_where_far(rows))
        moved = total[: size * width].reshape(size, width)
        return RowSlopes(moved, total[size * width : -2], float(total[-2]), float(total[-1]))


def padded(x: Array, y: Array, owner: Indices, agents: Indices, most: int) -> tuple[Array, Array, Array]:
    """Rows x ``[n, D]``, y ``[n]`` by the agents that hold them: ``[A, B, D]``, ``[A, B]`` and the mask ``[A, B]``.

    owner ``[n]``: whose each is, a place in `agents`' numbering; most: B, of all agents everywhere.
    """
    held = [np.flatnonzero(owner == agent) for agent in agents]
    inputs, targets = np.zeros((len(agents), most, x.shape[1])), np.zeros((len(agents), most))
    mask = np.zeros_like(targets)
    for place, rows in enumerate(held):
        inputs[place, : len(rows)], targets[place, : len(rows)], mask[place, : len(rows)] = x[rows], y[rows], 1.0
    return inputs, targets, mask


def _summed_by_agent(values: Array) -> Array:
    """``[K, ...]`` -> ``[K, 1]``."""
    total: Array = values.reshape(len(values), -1).sum(1, keepdims=True)
    return total
