"""Where agents start, and what else they agree on first: one row of each agent, and what all read from its sum.

Axes: ``A`` agents on this rank, ``N`` agents in all, ``S`` points of a query, ``Q`` queries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from coolgp.agents.base.arrays import Array, Indices

__all__ = ["STARTS", "Agreed", "CommonStart", "Own", "OwnStarts"]


@dataclass(frozen=True)
class Own:
    """What the experts of a rank's agents say by themselves.

    mean, std ``[A, Q]``; asked ``[A]``: false for an agent whose expert is out, whose numbers mean nothing.
    """

    mean: Array
    std: Array
    asked: Array

    def without(self, agent: int) -> Own:
        """As it is when the expert of one agent is out."""
        asked = self.asked.copy()
        asked[agent] = False
        return Own(self.mean, self.std, asked)


@dataclass(frozen=True)
class Agreed:
    """What agents know after the first sum, each its own estimate of it.

    points ``[A, S, Q]``: where the climb starts. count ``[A]``: experts. centre ``[A, Q]``: mean of their means;
    scatter: sum of squares of these around the centre. precision, noise: sums of ``1/σ²`` and of ``σ²``.
    """

    points: Array
    count: Array
    centre: Array
    scatter: Array
    precision: Array
    noise: Array

    @property
    def std(self) -> Array:
        """Of the product, as experts state theirs ``[A, 1, Q]``."""
        deviation: Array = 1.0 / np.sqrt(self.precision[:, None])
        return deviation

    @property
    def reach(self) -> Array:
        """No Gaussian experts' product is farther from any of their means ``[A, 1, Q]``; 10 of its deviations more."""
        farthest: Array = np.sqrt(2.0 * self.scatter[:, None]) + 10.0 * self.std
        return farthest

    def second(self, y: Array) -> Array:
        """Mean squared deviation ``[A, Q]`` of an expert drawn at random from the points y ``[A, Q]``."""
        count = self.count[:, None]
        moment: Array = (self.noise + self.scatter) / count + np.square(y - self.centre)
        return moment


@dataclass(frozen=True)
class CommonStart:
    """All agents start at the mean of the experts' means, and stay together: S = 1."""

    agents: Indices
    total: int

    @property
    def places(self) -> Indices:
        """Which of the S points is that of each agent ``[A]``."""
        return np.zeros(len(self.agents), dtype=np.intp)

    def rows(self, own: Own) -> Array:
        """``[A, 4 Q + 1]``: means, squares of means, ``1/σ²``, ``σ²``, one."""
        square = np.square(own.std)
        ones = np.ones((len(own.mean), 1))
        return _asked(own, [own.mean, np.square(own.mean), 1.0 / square, square, ones])

    def agreed(self, sums: Array, own: Own) -> Agreed:
        """What each agent reads from its estimate of the sum."""
        mean, squares, precision, noise = np.split(sums[:, :-1], 4, axis=1)
        with np.errstate(all="ignore"):
            centre = _sound(mean / sums[:, -1:], own.mean)
            scatter = np.maximum(squares - sums[:, -1:] * np.square(centre), 0.0)
        return Agreed(centre[:, None], sums[:, -1], centre, scatter, _positive(precision, own), noise)


@dataclass(frozen=True)
class OwnStarts:
    """Every agent starts at its own expert's mean, as published, and all know all points: S = N."""

    agents: Indices
    total: int

    @property
    def places(self) -> Indices:
        """Which of the S points is that of each agent ``[A]``."""
        return self.agents

    def rows(self, own: Own) -> Array:
        """``[A, N Q + N + 2 Q]``: means and ones in the agent's own place, ``1/σ²``, ``σ²``."""
        agents, queries = own.mean.shape
        starts, ones = np.zeros((agents, self.total, queries)), np.zeros((agents, self.total))
        starts[np.arange(agents), self.agents], ones[np.arange(agents), self.agents] = own.mean, 1.0
        square = np.square(own.std)
        return _asked(own, [starts.reshape(agents, -1), ones, 1.0 / square, square])

    def agreed(self, sums: Array, own: Own) -> Agreed:
        """What each agent reads from its estimate of the sum; an agent that it has not heard of starts at the mean."""
        agents, queries = own.mean.shape
        starts, ones, precision, noise = np.split(sums, np.cumsum([self.total * queries, self.total, queries]), axis=1)
        starts, count = starts.reshape(agents, self.total, queries), ones.sum(axis=1)
        with np.errstate(all="ignore"):
            centre = _sound(starts.sum(axis=1) / count[:, None], own.mean)
            points = _sound(starts / ones[:, :, None], centre[:, None])
        scatter = (np.maximum(ones, 0.0)[:, :, None] * np.square(points - centre[:, None])).sum(axis=1)
        return Agreed(points, count, centre, scatter, _positive(precision, own), noise)


STARTS: Mapping[str, type[CommonStart | OwnStarts]] = {"common": CommonStart, "own": OwnStarts}
"""All starts by name."""


def _asked(own: Own, columns: list[Array]) -> Array:
    """The columns as rows ``[A, P]``, zeros for an agent whose expert is out."""
    return np.where(own.asked[:, None], np.concatenate(columns, axis=1), 0.0)


def _sound(values: Array, otherwise: Array) -> Array:
    return np.where(np.isfinite(values), values, otherwise)


def _positive(precision: Array, own: Own) -> Array:
    """An agent's own where what it has of the sum is none: sums on their way may be negative."""
    return np.where(precision > 0, precision, 1.0 / np.square(own.std))
