"""Random Fourier features: a basis without inducing inputs, for the decentralised random-feature GP.

By Bochner's theorem the unit kernel of two inputs is the mean of ``cos ω·W(x-x')`` over draws ``ω`` of its spectral
density. With
``F = M/2`` draws that all agents share, ``f(x) = σ_s φ(x)ᵀv`` with ``φ = F^-½ [cos Ωx, sin Ωx]`` and standard normal
``v`` is a Bayesian linear model whose kernel is their average, off by about ``M^-½`` (Rahimi & Recht, NIPS-07). Sums,
messages and predictions are those of inducing inputs with ``K = I``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from coolgp.agents.base.arrays import Array
from coolgp.agents.features.basis import AboutFunction
from coolgp.agents.features.geometry import Geometry
from coolgp.agents.features.lens import WaveLens
from coolgp.agents.kernels.base import Kernel, spectrum_of
from coolgp.agents.kernels.se import SE

__all__ = ["FourierBasis", "draw_waves"]


def draw_waves(projection: Array, features: int, rng: np.random.Generator, kernel: Kernel = SE) -> Array:
    """Waves ``[F, D]`` of ``M = 2F`` features of a unit kernel under a projection ``[P, D]``.

    Raises ValueError for a kernel whose spectral density cannot be sampled.

    >>> draw_waves(np.eye(3), 10, np.random.default_rng(0)).shape
    (5, 3)
    """
    waves: Array = spectrum_of(kernel).frequencies(features // 2, projection.shape[0], rng) @ projection
    return waves


@dataclass(frozen=True)
class FourierBasis(AboutFunction):
    """Waves ``Ω [F, D]`` in the input domain; messages are about the weights of their cosines and sines in ``f``.

    Waves do not change after they were drawn, so sums stay valid: lengthscales are those of the start, and only the
    variances can be learned. Cosine and sine of a wave have squares that add up to 1: the prior variance is
    ``σ_s²`` everywhere, and nothing is left that the features cannot express.
    """

    waves: Array
    moves: ClassVar[bool] = True
    learns: ClassVar[bool] = False

    @property
    def size(self) -> int:
        """Number of features ``M``."""
        return 2 * len(self.waves)

    def geometry(self, projection: Array) -> Geometry:
        """The same under any projection ``[..., P, D]``: features are independent, with unit variance."""
        identity = self._identity.reshape(*(1,) * (projection.ndim - 2), *self._identity.shape)
        return Geometry(
            points=self.waves.reshape(*identity.shape[:-2], *self.waves.shape),
            slopes=identity,
            factor=identity,
            inverse=identity,
        )

    def values(self, points: Array, projection: Array, x: Array) -> Array:
        """``φ(x) [..., M, B]`` of waves ``[..., F, D]``, whatever the projection."""
        phase = points @ x.swapaxes(-1, -2)
        features: Array = np.concatenate([np.cos(phase), np.sin(phase)], axis=-2)
        features *= points.shape[-2] ** -0.5
        return features

    def lens(self, projection: Array, geometry: Geometry, dtype: npt.DTypeLike, *, common: bool) -> WaveLens:
        """Whitened coordinates are the common ones."""
        return WaveLens(self.waves.astype(dtype))

    def stretched(self, factor: float) -> FourierBasis:
        """The same draws for lengthscales that are so many times as long."""
        return replace(self, waves=self.waves / factor)

    @cached_property
    def _identity(self) -> Array:
        return np.eye(self.size)
