"""Two classes: the logistic function of ``f`` is the probability of class 1.

With a Pólya-Gamma variable ``ω`` of a row, ``p(y | f) ∝ E exp((y - ½) f - ½ ω f²)`` for y in {0, 1} (Polson, Scott &
Windle, JASA 2013): given ``ω`` a Gaussian row of target ``(y - ½) / ω`` and weight ``ω``. Variational inference takes
the mean ``ω = tanh(c/2) / 2c`` with ``c² = E f²`` (Wenzel et al., "Efficient Gaussian process classification using
Pólya-Gamma data augmentation", AAAI 2019), which is the parabola of Jaakkola & Jordan (Statistics and Computing, 2000)
that touches at ``±c``: a lower bound of the likelihood for any ``c``, so that a poor belief costs sharpness, never
validity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import log_expit, ndtr

from coolgp.agents.base.arrays import Array

__all__ = ["BERNOULLI", "Bernoulli", "expected_logistic", "log_slack", "mean_weight"]

MIXTURE = (
    (1.365340806296348, 0.003246343272134),
    (1.059523971016916, 0.051517477033972),
    (0.830791313765644, 0.195077912673858),
    (0.650732166639391, 0.315569823632818),
    (0.508135425366489, 0.274149576158423),
    (0.396313345166341, 0.131076880695470),
    (0.308904252267995, 0.027912418727972),
    (0.238212616409306, 0.001449567805354),
)
"""Slopes and shares of normal distribution functions ``Φ(s f)`` whose mixture is the logistic function to 2.1e-9."""
SMALLEST = 1e-6
"""Below this ``c``, ``ω = ¼`` to rounding."""


@dataclass(frozen=True)
class Bernoulli:
    """``p(y = 1) = 1 / (1 + exp(-f))``, y in {0, 1}. Fields and methods as of `Likelihood`; the noise variance is 1."""

    name: ClassVar[str] = "bernoulli"
    classes: ClassVar[int] = 2
    reweighs: ClassVar[bool] = True

    def as_gaussian(self, y: Array, mean: Array, variance: Array) -> tuple[Array, Array]:
        """``(y - ½) / ω`` and ``ω``, for ``c² = E f²``."""
        weight = mean_weight(np.square(mean) + variance)
        return (y - 0.5) / weight, weight

    def observed(self, mean: Array, variance: Array, noise_variance: Array) -> tuple[Array, Array]:
        """The probability ``p`` of class 1, and ``p (1 - p)``."""
        probability = expected_logistic(mean, variance)
        return probability, probability * (1.0 - probability)


BERNOULLI = Bernoulli()


def mean_weight(second_moment: Array) -> Array:
    """``tanh(c/2) / 2c`` of ``c² [...]``: between 0 and ¼.

    >>> mean_weight(np.array([0.0, 4.0])).round(4).tolist()
    [0.25, 0.1904]
    """
    c = np.sqrt(np.maximum(second_moment, SMALLEST**2))
    weight: Array = np.tanh(0.5 * c) / (2.0 * c)
    return weight


def log_slack(second_moment: Array) -> Array:
    """``log σ(c) - ½c + ½ωc² [...]``: what the parabola's logarithm has beside ``(y - ½)f - ½ωf²``."""
    c = np.sqrt(second_moment)
    slack: Array = log_expit(c) - 0.5 * c + 0.5 * mean_weight(second_moment) * second_moment
    return slack


def expected_logistic(mean: Array, variance: Array) -> Array:
    """``E σ(f) [...]`` of a Gaussian ``f``, to 2.1e-9 for any mean and variance.

    The logistic function as a mixture of normal distribution functions, for which ``E Φ(s f) = Φ(s m / √(1 + s²v))``:
    Monahan & Stefanski, Handbook of the Logistic Distribution (1992), chapter 8.

    >>> expected_logistic(np.array([0.0, 2.0]), np.array([9.0, 0.0])).round(4).tolist()
    [0.5, 0.8808]
    """
    total = np.zeros(np.broadcast(mean, variance).shape)
    for slope, share in MIXTURE:
        total += share * ndtr(slope * mean / np.sqrt(1.0 + slope**2 * variance))
    return np.clip(total, 0.0, 1.0)
