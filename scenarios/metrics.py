"""How good predictions are: errors, log densities, coverage, and how far agents differ. Original units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from coolgp.agents.kernels import Array

__all__ = ["Forecast", "coverage", "disagreement", "nlpd", "rmse"]


@dataclass(frozen=True)
class Forecast:
    """Mean and variance of an observation ``[probes, Q]``, in original units: latent variance plus noise."""

    mean: Array
    variance: Array


def rmse(forecast: Forecast, y: Array, asked: Array) -> Array:
    """Root mean square error of each probe ``[probes]`` on the test rows ``asked [probes, Q]`` of it."""
    return _over_rows(np.square(forecast.mean - y), asked) ** 0.5


def nlpd(forecast: Forecast, y: Array, asked: Array) -> Array:
    """Mean negative log predictive density of each probe ``[probes]``, in nats."""
    density = 0.5 * (np.log(2 * np.pi * forecast.variance) + np.square(forecast.mean - y) / forecast.variance)
    return _over_rows(density, asked)


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
