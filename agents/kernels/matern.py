"""Matérn kernels of smoothness 3/2 and 5/2 (Rasmussen & Williams 2006, section 4.2.1).

With ``d = √(2ν)‖a - b‖`` they are a polynomial in ``d`` times ``e⁻ᵈ``. Their derivative by ``-½‖a - b‖²`` is one too,
without a pole where two points meet. Their spectral density is a multivariate t density with ``2ν`` degrees of freedom.
There is no closed form of their expectations under a Gaussian ``q(W)``.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.kernels.base import Kernel

__all__ = ["Matern32", "Matern52"]


class Matern(Kernel):
    """What Matérn kernels have in common; ``smoothness`` is ``ν``."""

    smoothness: ClassVar[float]

    @abstractmethod
    def polynomial(self, distance: Array) -> Array:
        """The factor ``[...]`` of ``e⁻ᵈ`` in the kernel; distance ``d [...]``."""

    @abstractmethod
    def slope_polynomial(self, distance: Array) -> Array:
        """The factor ``[...]`` of ``e⁻ᵈ`` in its derivative by ``-½‖a - b‖²``; distance ``d [...]``."""

    def of_exponents(self, exponent: Array) -> Array:
        """The polynomial times ``e⁻ᵈ``."""
        distance = self._distance(exponent)
        values = self.polynomial(distance)
        values *= _decay(distance)
        return values

    def with_slopes(self, exponent: Array) -> tuple[Array, Array]:
        """Two polynomials times the same ``e⁻ᵈ``."""
        distance = self._distance(exponent)
        values, slopes = self.polynomial(distance), self.slope_polynomial(distance)
        decay = _decay(distance)
        values *= decay
        slopes *= decay
        return values, slopes

    def frequencies(self, count: int, width: int, rng: np.random.Generator) -> Array:
        """Draws ``[F, P]`` of the multivariate t distribution with ``2ν`` degrees of freedom and unit scale."""
        normal = rng.standard_normal((count, width))
        freedom = 2.0 * self.smoothness
        drawn: Array = normal * np.sqrt(freedom / rng.chisquare(freedom, (count, 1)))
        return drawn

    def _distance(self, exponent: Array) -> Array:
        """``d``, in the memory of the exponents."""
        exponent *= -4.0 * self.smoothness
        np.maximum(exponent, 0.0, out=exponent)
        return np.sqrt(exponent, out=exponent)


@dataclass(frozen=True)
class Matern32(Matern):
    """Matérn 3/2, (1 + d)e⁻ᵈ with d = √3·r: functions with one continuous derivative."""

    smoothness: ClassVar[float] = 1.5

    def polynomial(self, distance: Array) -> Array:
        """``1 + d``."""
        return 1.0 + distance

    def slope_polynomial(self, distance: Array) -> Array:
        """``3``."""
        return np.full_like(distance, 3.0)


@dataclass(frozen=True)
class Matern52(Matern):
    """Matérn 5/2, (1 + d + d²/3)e⁻ᵈ with d = √5·r: functions with two continuous derivatives."""

    smoothness: ClassVar[float] = 2.5

    def polynomial(self, distance: Array) -> Array:
        """``1 + d + d²/3``."""
        values = distance * (1.0 / 3.0)
        values += 1.0
        values *= distance
        values += 1.0
        return values

    def slope_polynomial(self, distance: Array) -> Array:
        """``5(1 + d)/3``."""
        return (1.0 + distance) * (5.0 / 3.0)


def _decay(distance: Array) -> Array:
    """``e⁻ᵈ``, in the memory of the distances."""
    np.negative(distance, out=distance)
    return np.exp(distance, out=distance)
