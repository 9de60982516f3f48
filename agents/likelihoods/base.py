"""What a likelihood is to agents: how observations become rows of a Gaussian model, and what is observed of ``f``.

Sums hold rows of a Gaussian likelihood. Others are written in them: under what an agent believes about ``f`` at a row,
the logarithm of the likelihood is bounded from below by a parabola in ``f``, which touches it; and a parabola is a
Gaussian row of some target, and of some weight in place of 1.
"""

from __future__ import annotations

from typing import ClassVar, Protocol

from coolgp.agents.base.arrays import Array

__all__ = ["Likelihood"]


class Likelihood(Protocol):
    """How an observation depends on ``f``.

    classes: of which an observation is one; 0 of numbers. reweighs: whether rows depend on what is believed about
    ``f``, so that they are written anew as beliefs change.
    """

    name: ClassVar[str]
    classes: ClassVar[int]
    reweighs: ClassVar[bool]

    def as_gaussian(self, y: Array, mean: Array, variance: Array) -> tuple[Array, Array]:
        """Targets and weights, each ``[...]``, of the Gaussian rows that stand for observations y ``[...]``.

        mean, variance ``[...]``: of ``f`` there. A row of weight ``w`` has the noise variance ``σ_η² / w``.
        """
        ...

    def observed(self, mean: Array, variance: Array, noise_variance: Array) -> tuple[Array, Array]:
        """Mean and variance of an observation, each ``[...]``, where ``f`` has this mean and variance."""
        ...
