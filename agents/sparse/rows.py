"""The rows that a bound is of: what it needs of them are sums, so that it does not matter who holds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.base.triangular import product_with_lower
from coolgp.agents.kernels.base import Kernel, is_far
from coolgp.agents.sparse.parameters import Parameters

__all__ = ["Explained", "Pooled", "RowSlopes", "Rows", "pulled"]


@dataclass(frozen=True)
class RowSlopes:
    """What rows add to derivatives of the bound: by inducing inputs ``[M, D]``, log lengthscale ``[D]``, and others.

    inducing_inputs: counted in lengthscales; residual: ``v·v`` of the residuals ``v = (y - Aᵀc) / σ²``; by_log_signal:
    through ``K_Zx`` alone.
    """

    inducing_inputs: Array
    log_lengthscale: Array
    by_log_signal: float
    residual: float


class Explained(Protocol):
    """Rows seen through inducing inputs, as ``A = L⁻¹ K_Zx / σ [M, n]``: two sums, and their derivatives."""

    @property
    def gram(self) -> Array:
        """``A Aᵀ [M, M]``."""

    @property
    def moment(self) -> Array:
        """``A y [M]``."""

    def pulled_back(self, outer: Array, alpha: Array, solved: Array) -> RowSlopes:
        """Derivatives, where that by ``K_Zx`` is ``outer A + alpha vᵀ`` and ``c`` is solved ``[M]``."""


class Rows(Protocol):
    """Rows that somebody holds. count: how many; weight: sum of their weights; square: ``y·y``, weighted."""

    @property
    def count(self) -> int:
        """How many rows there are."""

    @property
    def weight(self) -> float:
        """The sum of their weights: their number, where all weigh 1."""

    @property
    def square(self) -> float:
        """``y·y``."""

    def explained(self, at: Parameters, inverse: Array, kernel: Kernel) -> Explained:
        """The rows seen through inducing inputs; inverse: ``L⁻¹ [M, M]``, lower triangular."""


@dataclass(frozen=True, eq=False)
class Pooled:
    """Rows x ``[n, D]``, y ``[n]`` in one place. Everything of size n is one product: BLAS does the work.

    weights ``[n, R]``: y ``[R]`` is seen of sums ``weightsᵀ f(x)``, where it is not seen of ``f(x)`` itself. The bound
    takes each of these for one of the signal variance, which is a constant where only inducing inputs are sought.

    root ``[R]``: square roots of the targets' weights, where they differ: one of weight ``w`` has the noise variance
    ``σ² / w``. None: all weigh 1.
    """

    x: Array
    y: Array
    weights: Array | None = None
    root: Array | None = None

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.y)

    @property
    def weight(self) -> float:
        """The sum of their weights."""
        return float(len(self.y) if self.root is None else self.root @ self.root)

    @property
    def square(self) -> float:
        """``y·y``, weighted."""
        target = self._target()
        return float(target @ target)

    def explained(self, at: Parameters, inverse: Array, kernel: Kernel) -> Explained:
        """See :class:`Rows`."""
        z, scaled_x = at.inducing_inputs / at.lengthscale, self.x / at.lengthscale
        values, slopes = kernel.values_and_slopes(z, scaled_x)
        cross = at.signal_variance * values
        seen = cross if self.weights is None else cross @ self.weights
        scaled = product_with_lower(inverse, seen)
        scaled /= np.sqrt(at.noise_variance)
        if self.root is not None:
            scaled *= self.root
        target = self._target()
        return _PooledExplained(
            at=at,
            z=z,
            x=scaled_x,
            y=target,
            weights=self.weights,
            root=self.root,
            cross=cross,
            slopes=slopes,
            scaled=scaled,
            gram=scaled @ scaled.T,
            moment=scaled @ target,
        )

    def _target(self) -> Array:
        return self.y if self.root is None else self.root * self.y


@dataclass(frozen=True, eq=False)
class _PooledExplained:
    """z ``[M, D]``, x ``[n, D]`` in lengthscales; cross ``K_Zx``, slopes ``h' [M, n]``; scaled ``A [M, R]``."""

    at: Parameters
    z: Array
    x: Array
    y: Array
    weights: Array | None
    root: Array | None
    cross: Array
    slopes: Array
    scaled: Array
    gram: Array
    moment: Array

    def pulled_back(self, outer: Array, alpha: Array, solved: Array) -> RowSlopes:
        """See :class:`Explained`."""
        residual = (self.y - self.scaled.T @ solved) / self.at.noise_variance
        by_cross = outer @ self.scaled
        by_cross += np.multiply.outer(alpha, residual)
        if self.root is not None:
            by_cross *= self.root
        by_cross = by_cross if self.weights is None else by_cross @ self.weights.T
        by_signal = float(np.vdot(by_cross, self.cross))
        moved, by_scale = pulled(by_cross * (self.at.signal_variance * self.slopes), self.z, self.x)
        return RowSlopes(moved, by_scale, by_signal, float(residual @ residual))


def pulled(weight: Array, z: Array, x: Array) -> tuple[Array, Array]:
    """Derivatives by points ``z [M, D]`` and log lengthscales ``[D]``, from those by exponents, weight ``[..., M, n]``.

    ``Σ_n w_mn (x_n - z_m)`` and ``Σ_mn w_mn (x_n - z_m)²``, for ``-½‖a - b‖²`` falls by ``a - b`` as ``a`` moves; z and
    x ``[..., n, D]`` are in lengthscales.
    """
    if is_far(z) or is_far(x):
        return _differenced(weight, z, x)
    product = weight @ x
    by_point, by_row = weight.sum(-1), weight.sum(-2)
    moved = product - by_point[..., None] * z
    by_scale = _times(by_row, np.square(x)) + _times(by_point, np.square(z)) - 2.0 * (product * z).sum(-2)
    return moved, by_scale


def _times(vector: Array, matrix: Array) -> Array:
    """``[..., n] [..., n, D] -> [..., D]``, one product a vector: the bits of one for all would depend on all."""
    product: Array = vector @ matrix if vector.ndim == 1 else (vector[..., None, :] @ matrix)[..., 0, :]
    return product


def _differenced(weight: Array, z: Array, x: Array) -> tuple[Array, Array]:
    """The same from differences, an input at a time: as accurate wherever the origin is."""
    moved, by_scale = [], []
    for place in range(z.shape[1]):
        apart = x[..., None, :, place] - z[:, place, None]
        weighted = weight * apart
        moved.append(weighted.sum(-1))
        by_scale.append((weighted * apart).sum((-2, -1)))
    return np.stack(moved, axis=-1), np.stack(by_scale, axis=-1)
