"""What queries say of an expert's density: slopes of the imitation objective, moments, and the objective itself.

The objective is ``KL(q ‖ p) = E_q[r(y)]`` with ``r(y) = log q(y|x) - log p(y|x)``, averaged over inputs, in nats. With
``y = μ + s ε`` its gradient is ``E[r'(y) (∇μ + ε ∇s)]``, for the expected score of ``q`` is zero. The difference is of
the *ratio*, so that it vanishes for every draw where ``q = p``. Axes: ``U`` inputs, ``S`` draws, ``P`` features.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.polynomial.hermite_e import hermegauss

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.queries.density import gaussian_log_density
from coolgp.agents.experts.surrogates.linear import LinearSurrogate
from coolgp.fusion.blackbox.gaussians import identified

__all__ = ["NODES", "AnswersDensities", "Predicts", "Slopes", "divergence", "imitation_slopes", "moments_by_queries"]

NODES = 9
"""Of the quadrature that measures the objective."""


class Predicts(Protocol):
    """A surrogate of a regressor."""

    @property
    def size(self) -> int:
        """Numbers that predictions need beside common features."""
        ...

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of an observation at x ``[Q, D]``, each ``[Q]``."""
        ...


class AnswersDensities(Protocol):
    """A regression expert that is asked for log densities alone."""

    def log_density(self, x: Array, y: Array) -> Array:
        """``log p(y|x)`` at x ``[U, D]`` and y ``[..., U]``, of the shape of y."""
        ...


@dataclass(frozen=True)
class Slopes:
    """Of the objective at each input, by mean and by log standard deviation, each ``[U]``, averaged over draws."""

    mean: Array
    log_std: Array


def imitation_slopes(
    surrogate: LinearSurrogate, expert: AnswersDensities, x: Array, draws: Array, difference: float
) -> Slopes:
    """Slopes of ``KL(q ‖ p)`` at inputs x ``[U, D]`` by 2 S queries an input.

    draws: ``ε [S, U]``, standard normal. difference: the step of the central difference, in standard deviations of the
    surrogate; exact for Gaussian experts whatever it is.
    """
    mean, std = surrogate.predict(x)
    y, step = mean + std * draws, difference * std
    pair = np.stack([y + step, y - step])
    ratio = gaussian_log_density(pair, mean, std) - expert.log_density(x, pair)
    slope = (ratio[0] - ratio[1]) / (2.0 * step)
    return Slopes(slope.mean(axis=0), (slope * draws * std).mean(axis=0))


def moments_by_queries(expert: AnswersDensities, x: Array, start: Array, step: Array) -> tuple[Array, Array]:
    """Mean and standard deviation ``[U]`` of a Gaussian expert at x ``[U, D]``, from 3 queries an input.

    They are around start ``[U]``, a step ``[U]`` apart, and exact whatever these are. Raises ValueError for a density
    that is not concave there.
    """
    below, at, above = expert.log_density(x, np.stack([start - step, start, start + step]))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean, std = identified(below, at, above, start, step)
    if not np.isfinite(std).all():
        count = int(np.sum(~np.isfinite(std)))
        raise ValueError(
            f"three queries tell the moments of a Gaussian expert; its log density is not concave at {count} of "
            f'{len(x)} inputs: take objective = "kl"'
        )
    return mean, std


def divergence(surrogate: Predicts, expert: AnswersDensities, x: Array) -> Array:
    """``KL(q ‖ p) [U]`` in nats at inputs x ``[U, D]``, by Gauss-Hermite quadrature: 9 queries an input."""
    nodes, weights = hermegauss(NODES)
    mean, std = surrogate.predict(x)
    y = mean + std * nodes[:, None]
    ratio = gaussian_log_density(y, mean, std) - expert.log_density(x, y)
    value: Array = (weights / weights.sum()) @ ratio
    return value
