"""Centralised sparse Gaussian processes from raw rows, as in textbooks: DTC and PITC, to compare with.

With `Q = K_fu K_uu⁻¹ K_uf`, rows are observed with covariance `Q + Λ`, where `Λ = σ_η² I` (DTC) or
`Λ = blockdiag(K_ff - Q) + σ_η² I` (PITC); Quiñonero-Candela & Rasmussen, JMLR 2005, sections 5 and 7. With
`K_uu = LLᵀ` and features `φ = σ_s L⁻¹k_u`, the posterior precision is `I + Φᵀ Λ⁻¹ Φ`. These sums add up over rows
(DTC) or over blocks (PITC), and so can be learned online as well, while the hyper-parameters are held.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular

from coolgp.agents.base.arrays import Array
from coolgp.agents.kernels.base import Kernel
from coolgp.agents.kernels.se import SE

__all__ = ["BatchGP", "Sums", "Trained"]


@dataclass(frozen=True)
class Sums:
    """Sums over rows: precision `Φᵀ Λ⁻¹ Φ [M,M]` and shift `Φᵀ Λ⁻¹ y [M]`."""

    precision: Array
    shift: Array

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.precision + other.precision, self.shift + other.shift)


@dataclass(frozen=True)
class BatchGP:
    """A sparse Gaussian process with given hyper-parameters; inducing inputs `[M,D]`, lengthscale `[D]`."""

    inducing: Array
    lengthscale: Array
    signal_variance: float
    noise_variance: float
    jitter: float = 1e-6
    kernel: Kernel = SE

    @cached_property
    def factor(self) -> Array:
        """`L [M,M]`: the Cholesky factor of the unit kernel matrix of the inducing inputs, with jitter."""
        kernel = self._kernel(self.inducing, self.inducing) + self.jitter * np.eye(len(self.inducing))
        factor: Array = cholesky(kernel, lower=True)
        return factor

    def features(self, x: Array) -> Array:
        """`φ [n,M]` of rows `x [n,D]`."""
        whitened = solve_triangular(self.factor, self._kernel(self.inducing, x), lower=True)
        features: Array = np.sqrt(self.signal_variance) * whitened.T
        return features

    def dtc(self, x: Array, y: Array) -> Sums:
        """Sums of rows `x [n,D]`, `y [n]`."""
        phi = self.features(x)
        return Sums(phi.T @ phi / self.noise_variance, phi.T @ y / self.noise_variance)

    def pitc(self, blocks: Iterable[tuple[Array, Array]]) -> Sums:
        """Sums of blocks of rows, each `x [n,D]`, `y [n]`; within a block the covariance is exact."""
        size = len(self.inducing)
        total = Sums(np.zeros((size, size)), np.zeros(size))
        for x, y in blocks:
            phi = self.features(x)
            within = self.signal_variance * self._kernel(x, x) - phi @ phi.T + self.noise_variance * np.eye(len(y))
            root = cholesky(within, lower=True)
            scaled = solve_triangular(root, np.column_stack([phi, y]), lower=True)
            total += Sums(scaled[:, :-1].T @ scaled[:, :-1], scaled[:, :-1].T @ scaled[:, -1])
        return total

    def trained(self, sums: Sums) -> Trained:
        """The posterior given sums of rows."""
        root: Array = cholesky(np.eye(len(sums.shift)) + sums.precision, lower=True)
        return Trained(self, root, cho_solve((root, True), sums.shift))

    def _kernel(self, a: Array, b: Array) -> Array:
        return self.kernel.values(a / self.lengthscale, b / self.lengthscale)


@dataclass(frozen=True)
class Trained:
    """A posterior: `root [M,M]`, the Cholesky factor of its precision, and its mean `weights [M]`."""

    gp: BatchGP
    root: Array
    weights: Array

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Mean and variance `[Q]` of the function at `x [Q,D]`."""
        phi = self.gp.features(x)
        explained = solve_triangular(self.root, phi.T, lower=True)
        variance = self.gp.signal_variance - np.square(phi).sum(axis=1) + np.square(explained).sum(axis=0)
        return phi @ self.weights, variance
