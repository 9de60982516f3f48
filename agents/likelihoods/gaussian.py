"""Numbers with Gaussian noise: what sums are made for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from coolgp.agents.base.arrays import Array

__all__ = ["GAUSSIAN", "Gaussian"]


@dataclass(frozen=True)
class Gaussian:
    """``y = f + ε`` with ``ε`` of the noise variance. Fields and methods as of `Likelihood`."""

    name: ClassVar[str] = "gaussian"
    classes: ClassVar[int] = 0
    reweighs: ClassVar[bool] = False

    def as_gaussian(self, y: Array, mean: Array, variance: Array) -> tuple[Array, Array]:
        """The rows themselves, whatever is believed."""
        return y, np.ones_like(y)

    def observed(self, mean: Array, variance: Array, noise_variance: Array) -> tuple[Array, Array]:
        """The noise adds to what is not known of ``f``."""
        return mean, variance + noise_variance


GAUSSIAN = Gaussian()
