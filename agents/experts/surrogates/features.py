"""Features that all owners have in common: one, and a kernel's values at common inducing inputs, whitened.

    φ(x) = [1, L⁻¹ k(Z, x)]        L Lᵀ = k(Z, Z)

Weights with a standard normal prior are then a Gaussian process at the inducing inputs, and the same weights mean the
same function for every owner. Axes: ``Q`` queries, ``D`` inputs, ``M`` inducing inputs, ``P = M + 1`` features.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from coolgp.agents.base.arrays import Array
from coolgp.agents.features.inducing import kmeans
from coolgp.agents.kernels.registry import KERNELS

__all__ = ["InducingFeatures", "features_over"]

JITTER = 1e-6
LENGTHSCALE, KERNEL = 2.0, "matern52"
"""Where nothing else is said. On three data sets they suited smooth, linear and stepped experts alike."""


@dataclass(frozen=True)
class InducingFeatures:
    """inducing_inputs ``[M, D]``, M from 0 on; lengthscale ``[D]``; kernel: a name of ``KERNELS``."""

    inducing_inputs: Array
    lengthscale: Array
    kernel: str = KERNEL

    @property
    def count(self) -> int:
        """Features P."""
        return len(self.inducing_inputs) + 1

    @property
    def size(self) -> int:
        """Numbers that they need."""
        return int(self.inducing_inputs.size + self.lengthscale.size)

    def __call__(self, x: Array) -> Array:
        """Features ``[Q, P]`` of x ``[Q, D]``."""
        values = KERNELS[self.kernel].values(self._scaled, x / self.lengthscale)
        whitened = solve_triangular(self._factor, values, lower=True)
        return np.concatenate([np.ones((len(x), 1)), whitened.T], axis=1)

    @cached_property
    def _scaled(self) -> Array:
        return self.inducing_inputs / self.lengthscale

    @cached_property
    def _factor(self) -> Array:
        """``L [M, M]``, lower."""
        gram = KERNELS[self.kernel].values(self._scaled, self._scaled)
        lower: Array = cholesky(gram + JITTER * np.eye(len(gram)), lower=True)
        return lower


def features_over(
    pool: Array, inducing: int, rng: np.random.Generator, lengthscale: float = LENGTHSCALE, kernel: str = KERNEL
) -> InducingFeatures:
    """Features for inputs like those of a pool ``[U, D]``: k-means centres, fewer where fewer rows are distinct.

    lengthscale: in the standard deviation of each input times ``√D``; for 2 an average pair of rows has 0.7.
    Inputs that are constant over the pool get the lengthscale of the mean input.
    """
    distinct = np.unique(pool, axis=0)
    centres = distinct if len(distinct) <= inducing else kmeans(pool, inducing, rng)
    spread = pool.std(axis=0)
    varies = spread > 1e-12 * np.maximum(np.abs(pool).max(axis=0), 1e-300)
    typical = float(spread[varies].mean()) if varies.any() else 1.0
    lengths = np.where(varies, spread, typical) * lengthscale * np.sqrt(pool.shape[1])
    return InducingFeatures(centres, lengths, kernel)
