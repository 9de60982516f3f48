"""How good predictions are: errors, log densities, ranked probabilities, coverage; how far agents differ.

All in original units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from coolgp.agents.base.arrays import Array, Indices

__all__ = ["Forecast", "coverage", "crps", "disagreement", "nlpd", "pit", "rmse"]


@dataclass(frozen=True)
class Forecast:
    """Mean and variance of an observation ``[probes, Q]``, in original units: latent variance plus noise."""

    mean: Array
    variance: Array

    def at(self, rows: Indices) -> Forecast:
        """Of some of the test rows, by their places."""
        return Forecast(self.mean[:, rows], self.variance[:, rows])


def rmse(forecast: Forecast, y: Array, asked: Array) -> Array:
    """Root mean square error of each probe ``[probes]`` on the test rows ``asked [probes, Q]`` of it."""
    return _over_rows(np.square(forecast.mean - y), asked) ** 0.5


def nlpd(forecast: Forecast, y: Array, asked: Array) -> Array:
    """Mean negative log predictive density of each probe ``[probes]``, in nats."""
    density = 0.5 * (np.log(2 * np.pi * forecast.variance) + np.square(forecast.mean - y) / forecast.variance)
    return _over_rows(density, asked)


def crps(forecast: Forecast, y: Array, asked: Array) -> Array:
    """Mean continuous ranked probability score of each probe ``[probes]``, original units; smaller is better.

    ``σ (z (2Φ(z) - 1) + 2φ(z) - 1/√π)`` with ``z = (y - μ)/σ``; of a forecast without variance it is the absolute
    error. Gneiting and Raftery (2007), section 4.2, where it has the opposite sign.
    """
    deviation = np.sqrt(forecast.variance)
    z = (y - forecast.mean) / deviation
    density = np.exp(-0.5 * np.square(z)) / np.sqrt(2 * np.pi)
    return _over_rows(deviation * (z * (2 * ndtr(z) - 1) + 2 * density - 1 / np.sqrt(np.pi)), asked)


def pit(forecast: Forecast, y: Array) -> Array:
    """Probability integral transform ``Φ((y - μ)/σ) [probes, Q]``: uniform where forecasts are calibrated.

    A row lies inside the central interval of level ``p`` where ``|2 pit - 1| ≤ p``.
    """
    below: Array = ndtr((y - forecast.mean) / np.sqrt(forecast.variance))
    return below


def coverage(forecast: Forecast, y: Array, asked: Array, level: float = 0.95) -> Array:
    """Share of test rows inside the central interval of that level, for each probe ``[probes]``."""
    reach = ndtri(0.5 + 0.5 * level) * np.sqrt(forecast.variance)
    return _over_rows((np.abs(forecast.mean - y) <= reach).astype(float), asked)


def disagreement(forecast: Forecast) -> float:
    """Root mean square difference of the probes' means from their average, over probes and test rows."""
    return float(np.sqrt(np.mean(np.square(forecast.mean - forecast.mean.mean(axis=0)))))


def _over_rows(values: Array, asked: Array) -> Array:
    mean: Array = (values * asked).sum(axis=1) / asked.sum(axis=1)
    return mean
