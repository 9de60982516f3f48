"""Imitating a regression expert by a surrogate that is linear in features: its densities are asked for, no target is.

Three objectives: ``kl``, the divergence ``KL(q ‖ p)`` by queries; ``moments``, a fit to the moments of a Gaussian
expert that three queries an input tell; and ``published``, the alternation of Hoang et al. (ICML 2019), which diverges.
Axes: ``U`` inputs, ``S`` draws, ``P`` features.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.surrogates.features import InducingFeatures
from coolgp.agents.experts.surrogates.linear import LinearSurrogate
from coolgp.fusion.blackbox.imitation.published import published
from coolgp.fusion.blackbox.imitation.slopes import AnswersDensities, imitation_slopes, moments_by_queries
from coolgp.network.base.randomness import generator

__all__ = ["OBJECTIVES", "Descent", "Objective", "RegressionExpert", "fitted", "imitated_regressor"]

Objective = Literal["kl", "moments", "published"]
RIDGE = 1e-5
"""Added to the mean gram matrix of the features, whose diagonal is at most one."""
PLAIN = 0.1
"""Share of the rate for plain steps, which know no metric."""
FURTHEST = 1.0
"""How far a step may move, at any input: means in standard deviations, log standard deviations in nats."""


class RegressionExpert(AnswersDensities, Protocol):
    """A regression expert that also tells values to start from."""

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Mean, or a value near the mode, and standard deviation, which is not used, each ``[U]``."""
        ...


@dataclass(frozen=True)
class Descent:
    """How an objective is followed.

    steps: most of them. rate: of each. draws: S at each input and step, in pairs of opposite sign. difference: of
    queries, in standard deviations. tolerance: steps end when none moves further, in the units of `FURTHEST`. seed and
    owner: what draws are keyed by.
    """

    steps: int = 30
    rate: float = 0.5
    draws: int = 2
    difference: float = 0.5
    tolerance: float = 1e-3
    seed: int = 0
    owner: int = 0

    def epsilon(self, step: int, inputs: int) -> Array:
        """Standard normal draws ``[S, U]`` of a step, the second half the first with the sign changed."""
        rng = generator(self.seed, "imitation", block=self.owner, round=step)
        half = rng.standard_normal(((self.draws + 1) // 2, inputs))
        return np.concatenate([half, -half])[: self.draws]


def imitated_regressor(
    expert: RegressionExpert, x: Array, features: InducingFeatures, objective: Objective, descent: Descent
) -> LinearSurrogate:
    """The surrogate of an expert from its answers at inputs x ``[U, D]``; it starts at the expert's predictions."""
    start = started(expert, x, features)
    return OBJECTIVES[objective](start, expert, x, descent)


def started(expert: RegressionExpert, x: Array, features: InducingFeatures) -> LinearSurrogate:
    """A surrogate with the expert's means, as well as features express them, and one standard deviation: their spread.

    Where all means are the same, one.
    """
    mean, _ = expert.predict(x)
    spread = float(mean.std())
    scale = spread if spread > 1e-12 * float(np.abs(mean).max(initial=0.0)) else 1.0
    return fitted(features, x, mean, np.full(len(x), scale))


def fitted(features: InducingFeatures, x: Array, mean: Array, std: Array) -> LinearSurrogate:
    """The surrogate nearest to moments ``[U]``: means by squares of ``1 / std``, logarithms of ``std`` by squares.

    Weighted so, means are those of least divergence, whatever the standard deviation is.
    """
    phi, equal, precision = features(x), np.ones(len(x)), std**-2.0
    by_mean = np.linalg.solve(_gram(phi, precision), phi.T @ (precision * mean) / len(x))
    by_log_std = np.linalg.solve(_gram(phi, equal), phi.T @ np.log(std) / len(x))
    return LinearSurrogate(features, by_mean, by_log_std)


def _by_divergence(surrogate: LinearSurrogate, expert: AnswersDensities, x: Array, descent: Descent) -> LinearSurrogate:
    """Natural-gradient steps down ``KL(q ‖ p)``: the metric, the surrogate's Fisher information, asks nobody."""
    phi = surrogate.features(x)
    for step in range(descent.steps):
        _, std = surrogate.predict(x)
        slopes = imitation_slopes(surrogate, expert, x, descent.epsilon(step, len(x)), descent.difference)
        mean = -descent.rate * np.linalg.solve(_gram(phi, std**-2.0), phi.T @ slopes.mean / len(x))
        log_std = -descent.rate * np.linalg.solve(2.0 * _gram(phi, np.ones(len(x))), phi.T @ slopes.log_std / len(x))
        furthest = max(float(np.abs(phi @ mean / std).max()), float(np.abs(phi @ log_std).max()))
        shorter = min(1.0, FURTHEST / furthest) if furthest > 0 else 1.0
        surrogate = surrogate.moved(shorter * mean, shorter * log_std)
        if furthest <= descent.tolerance:
            break
    return surrogate


def _by_moments(surrogate: LinearSurrogate, expert: AnswersDensities, x: Array, descent: Descent) -> LinearSurrogate:
    """Least squares to the moments of a Gaussian expert: mean, and logarithm of the standard deviation."""
    start, step = surrogate.predict(x)
    return fitted(surrogate.features, x, *moments_by_queries(expert, x, start, descent.difference * step))


def _by_alternation(
    surrogate: LinearSurrogate, expert: AnswersDensities, x: Array, descent: Descent
) -> LinearSurrogate:
    draws = [descent.epsilon(step, len(x)) for step in range(descent.steps)]
    return published(surrogate, expert, x, draws, PLAIN * descent.rate, descent.difference)


def _gram(phi: Array, weights: Array) -> Array:
    """``Σ w φφᵀ / U`` with a ridge ``[P, P]``."""
    gram: Array = phi.T @ (weights[:, None] * phi) / len(phi)
    gram[np.diag_indices(len(gram))] += RIDGE * weights.mean()
    return gram


Imitate = Callable[[LinearSurrogate, AnswersDensities, Array, Descent], LinearSurrogate]
OBJECTIVES: Mapping[str, Imitate] = {"kl": _by_divergence, "moments": _by_moments, "published": _by_alternation}
