"""Derivatives of an expert's log density from its answers alone.

Axes: ``S`` points of a query, ``Q`` queries, ``K`` random directions. A density answers y ``[..., Q]`` with its log
at each. Source: "Collective Model Fusion for Multiple Black-Box Experts", ICML 2019, section 3, for random directions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from coolgp.agents.base.arrays import Array

__all__ = ["ESTIMATORS", "Antithetic", "Central", "Density", "Estimator", "Forward", "Slope"]

Density = Callable[[Array], Array]


@dataclass(frozen=True)
class Slope:
    """First and second derivative of a log density at points ``[S, Q]``; the second where it was asked for."""

    gradient: Array
    curvature: Array | None = None


@dataclass(frozen=True)
class Estimator:
    """How a derivative is estimated. draws: random directions K; 0 where there are none."""

    draws: int = 0

    def queries(self, *, curved: bool) -> int:
        """Answers for each point, with the second derivative or without."""
        raise NotImplementedError

    def slope(self, density: Density, y: Array, width: Array, z: Array | None, *, curved: bool) -> Slope:
        """Derivatives at y ``[S, Q]``; width ``[Q]``: of the differences; z ``[K, S, Q]``: random directions."""
        raise NotImplementedError


@dataclass(frozen=True)
class Central(Estimator):
    """``(f(y + h) - f(y - h)) / 2h``: y is a number, so no direction has to be drawn. Exact where f is quadratic."""

    def queries(self, *, curved: bool) -> int:
        """See `Estimator`."""
        return 3 if curved else 2

    def slope(self, density: Density, y: Array, width: Array, z: Array | None, *, curved: bool) -> Slope:
        """See `Estimator`."""
        places = [y + width, y - width, y] if curved else [y + width, y - width]
        above, below, *at = density(np.stack(places))
        return Slope((above - below) / (2.0 * width), _curvature(above, at[0], below, width) if curved else None)


@dataclass(frozen=True)
class Forward(Estimator):
    """``mean (z/λ) (f(y + λz) - f(y))``, as published. Of a Gaussian its variance is ``(2a² + 15λ²/4σ⁴) / K``."""

    draws: int = 10

    def queries(self, *, curved: bool) -> int:
        """See `Estimator`."""
        return self.draws + (3 if curved else 1)

    def slope(self, density: Density, y: Array, width: Array, z: Array | None, *, curved: bool) -> Slope:
        """See `Estimator`."""
        assert z is not None
        draws = len(z)
        places = np.empty((self.queries(curved=curved), *y.shape))
        np.multiply(z, width, out=places[:draws])
        places[:draws] += y
        places[draws:] = [y, y + width, y - width] if curved else [y]
        answers = density(places)
        at = answers[draws]
        gradient = _along(z, answers[:draws] - at) / (draws * width)
        return Slope(gradient, _curvature(answers[draws + 1], at, answers[draws + 2], width) if curved else None)


@dataclass(frozen=True)
class Antithetic(Estimator):
    """``mean (z/2λ) (f(y + λz) - f(y - λz))``: of a Gaussian its gradient times the mean of ``z²``."""

    draws: int = 10

    def queries(self, *, curved: bool) -> int:
        """See `Estimator`."""
        return 2 * self.draws + (3 if curved else 0)

    def slope(self, density: Density, y: Array, width: Array, z: Array | None, *, curved: bool) -> Slope:
        """See `Estimator`."""
        assert z is not None
        draws = len(z)
        places = np.empty((self.queries(curved=curved), *y.shape))
        away = np.multiply(z, width, out=places[draws : 2 * draws])
        np.add(y, away, out=places[:draws])
        np.subtract(y, away, out=away)
        if curved:
            places[2 * draws :] = [y + width, y, y - width]
        answers = density(places)
        gradient = _along(z, answers[:draws] - answers[draws : 2 * draws]) / (2.0 * draws * width)
        return Slope(gradient, _curvature(answers[-3], answers[-2], answers[-1], width) if curved else None)


def _along(z: Array, differences: Array) -> Array:
    """The sum over directions ``[K, S, Q]`` of what was found along each, times the direction ``[S, Q]``."""
    total: Array = np.einsum("ksq,ksq->sq", z, differences)
    return total


def _curvature(above: Array, at: Array, below: Array, width: Array) -> Array:
    second: Array = (above - 2.0 * at + below) / np.square(width)
    return second


ESTIMATORS: Mapping[str, type[Estimator]] = {"central": Central, "antithetic": Antithetic, "forward": Forward}
"""All estimators by name."""
