"""The collapsed bound of a sparse Gaussian process and its gradient (Titsias, AISTATS 2009).

With ``K = K_ZZ``, its Cholesky factor ``L``, ``A = L⁻¹ K_Zx / σ``, ``B = I + A Aᵀ`` and ``c = B⁻¹ A y``:

    F = log N(y | 0, K_xZ K⁻¹ K_Zx + σ² I) - tr(K_xx - K_xZ K⁻¹ K_Zx) / (2σ²)
      = -½ [n log 2πσ² + log|B| + (y·y - (Ay)·c) / σ² + n s² / σ² - tr A Aᵀ]

``s²`` is the signal variance, ``σ²`` the noise variance. Everything of size n is one product: BLAS does the work.
Axes: ``n`` rows, ``M`` inducing inputs, ``D`` inputs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from coolgp.agents.base.arrays import Array
from coolgp.agents.kernels.base import Kernel, is_far

__all__ = ["Parameters", "Slopes", "SparsePosterior", "bound_and_slopes", "covariance", "posterior_of"]


@dataclass(frozen=True)
class Parameters:
    """What the bound is a function of: inducing_inputs ``[M, D]``, lengthscale ``[D]``, two variances."""

    inducing_inputs: Array
    lengthscale: Array
    signal_variance: float
    noise_variance: float


@dataclass(frozen=True)
class Slopes:
    """Derivatives of the bound by inducing_inputs ``[M, D]``, log lengthscale ``[D]`` and logarithms of variances."""

    inducing_inputs: Array
    log_lengthscale: Array
    log_signal_variance: float
    log_noise_variance: float


@dataclass(frozen=True)
class SparsePosterior:
    """What rows say of ``f`` at the inducing inputs, and the factors that predictions need.

    factor: ``L [M, M]``, lower; inner: Cholesky factor of ``B [M, M]``, lower; weights ``[M]``: mean of ``f(x)`` is
    ``k(x, Z)·weights``; bound: in nats.
    """

    parameters: Parameters
    factor: Array
    inner: Array
    weights: Array
    bound: float

    def predict(self, x: Array, kernel: Kernel) -> tuple[Array, Array]:
        """Mean and variance of ``f`` at ``x [Q, D]``, each ``[Q]``."""
        values = covariance(x, self.parameters, kernel)
        explained = solve_triangular(self.factor, values, lower=True, check_finite=False)
        learned = solve_triangular(self.inner, explained, lower=True, check_finite=False)
        spread = self.parameters.signal_variance - np.square(explained).sum(0) + np.square(learned).sum(0)
        return values.T @ self.weights, np.maximum(spread, 0.0)

    def inducing_moments(self) -> tuple[Array, Array]:
        """Mean ``L c / σ [M]`` and covariance ``L B⁻¹ Lᵀ [M, M]`` of ``f`` at the inducing inputs."""
        root = solve_triangular(self.inner, self.factor.T, lower=True, check_finite=False)
        return self.factor @ (self.factor.T @ self.weights), root.T @ root

    def evidence(self) -> tuple[Array, Array]:
        """What the rows say of ``L⁻¹f(Z)``: precision ``B - I = A Aᵀ [M, M]`` and shift ``A y / σ [M]``."""
        product = self.inner @ self.inner.T
        return product - np.eye(len(product)), product @ (self.factor.T @ self.weights)


@dataclass(frozen=True)
class _Terms:
    """The quantities of the module's formula that value, gradient and posterior share."""

    cross: Array  # K_Zx [M, n]
    factor: Array  # L [M, M]
    scaled: Array  # A [M, n]
    inner: Array  # Cholesky factor of B [M, M]
    solved: Array  # c [M]
    trace: float  # tr A Aᵀ
    value: float  # F


def bound_and_slopes(x: Array, y: Array, at: Parameters, kernel: Kernel, jitter: float) -> tuple[float, Slopes]:
    """The bound in nats and its derivatives; x ``[n, D]``, y ``[n]``, jitter relative to the signal variance.

    ``∂F/∂K_Zx = α vᵀ + L⁻ᵀ(I - B⁻¹)A / σ`` and ``∂F/∂K = -½[α αᵀ + L⁻ᵀ(B - 2I + B⁻¹)L⁻¹]``, where ``α = L⁻ᵀc / σ`` and
    ``v = (y - Aᵀc) / σ²``. Raises numpy.linalg.LinAlgError where ``K`` is not positive definite in this precision.
    """
    terms = _terms(x, y, at, kernel, jitter)
    size, rows = terms.scaled.shape
    noise, identity = at.noise_variance, np.eye(size)
    inverse = _inverse(terms.inner)
    alpha = solve_triangular(terms.factor, terms.solved, trans="T", lower=True, check_finite=False) / np.sqrt(noise)
    residual = (y - terms.scaled.T @ terms.solved) / noise
    outer = _whitened(terms.factor, identity - inverse) / np.sqrt(noise)
    by_cross = outer @ terms.scaled
    by_cross += np.multiply.outer(alpha, residual)
    product = terms.inner @ terms.inner.T - 2.0 * identity + inverse
    half = _whitened(terms.factor, product)
    by_inner = -0.5 * (np.outer(alpha, alpha) + _whitened(terms.factor, half.T))
    prior = at.signal_variance * rows / noise
    by_signal = float(np.vdot(by_cross, terms.cross) + _vdot_of_gram(by_inner, terms.factor) - 0.5 * prior)
    precision = rows - size + float(np.trace(inverse))
    by_noise = 0.5 * (noise * float(residual @ residual) - precision + prior - terms.trace)
    by_inputs, by_scale = _input_slopes(x, at, kernel, by_cross, by_inner)
    return terms.value, Slopes(by_inputs, by_scale, by_signal, by_noise)


def posterior_of(x: Array, y: Array, at: Parameters, kernel: Kernel, jitter: float) -> SparsePosterior:
    """The posterior of the inducing values that the bound implies; arguments as in :func:`bound_and_slopes`."""
    terms = _terms(x, y, at, kernel, jitter)
    weights = solve_triangular(terms.factor, terms.solved, trans="T", lower=True, check_finite=False)
    return SparsePosterior(
        parameters=at,
        factor=terms.factor,
        inner=terms.inner,
        weights=weights / np.sqrt(at.noise_variance),
        bound=terms.value,
    )


def _terms(x: Array, y: Array, at: Parameters, kernel: Kernel, jitter: float) -> _Terms:
    rows, size, noise = len(y), len(at.inducing_inputs), at.noise_variance
    gram = covariance(at.inducing_inputs, at, kernel)
    gram[np.diag_indices(size)] += jitter * at.signal_variance
    cross = covariance(x, at, kernel)
    factor = cholesky(gram, lower=True, check_finite=False)
    scaled = solve_triangular(factor, cross, lower=True, check_finite=False)
    scaled /= np.sqrt(noise)
    product = scaled @ scaled.T
    trace = float(np.trace(product))
    inner = cholesky(product + np.eye(size), lower=True, check_finite=False)
    half = solve_triangular(inner, scaled @ y, lower=True, check_finite=False)
    solved = solve_triangular(inner, half, trans="T", lower=True, check_finite=False)
    fit = float(y @ y - half @ half) / noise
    slack = rows * at.signal_variance / noise - trace
    determinant = 2.0 * float(np.log(np.diag(inner)).sum())
    value = -0.5 * (rows * np.log(2.0 * np.pi * noise) + determinant + fit + slack)
    return _Terms(
        cross=cross,
        factor=factor,
        scaled=scaled,
        inner=inner,
        solved=solved,
        trace=trace,
        value=float(value),
    )


def covariance(x: Array, at: Parameters, kernel: Kernel) -> Array:
    """``s² k(Z, x)``, ``[M, n]``, of rows x ``[n, D]``."""
    values = kernel.values(at.inducing_inputs / at.lengthscale, x / at.lengthscale)
    return at.signal_variance * values


def _input_slopes(x: Array, at: Parameters, kernel: Kernel, by_cross: Array, by_inner: Array) -> tuple[Array, Array]:
    """Derivatives by inducing inputs and log lengthscales, from those by ``K_Zx`` and by ``K``."""
    z, scaled = at.inducing_inputs / at.lengthscale, x / at.lengthscale
    cross = by_cross * (at.signal_variance * kernel.values_and_slopes(z, scaled)[1])
    inner = by_inner * (at.signal_variance * kernel.values_and_slopes(z, z)[1])
    # h(-½‖a - b‖²) falls by h'·(a - b) as a moves; K is symmetric, so an inducing input moves a row and a column.
    moments = _differenced_moments if is_far(z) or is_far(scaled) else _moments
    moved, by_scale = moments(cross, z, scaled)
    moved_inner, by_scale_inner = moments(inner, z, z)
    return (moved + 2.0 * moved_inner) / at.lengthscale, by_scale + by_scale_inner


def _moments(weights: Array, z: Array, x: Array) -> tuple[Array, Array]:
    """``Σ_n w_mn (x_n - z_m) [M, D]`` and ``Σ_mn w_mn (x_n - z_m)² [D]``, of z ``[M, D]``, x ``[n, D]``."""
    pulled, of_inputs = weights @ x, weights.sum(1)
    squares = weights.sum(0) @ np.square(x) + of_inputs @ np.square(z) - 2.0 * (pulled * z).sum(0)
    return pulled - of_inputs[:, None] * z, squares


def _differenced_moments(weights: Array, z: Array, x: Array) -> tuple[Array, Array]:
    """The same from differences, an input at a time: as accurate wherever the origin is."""
    moved, squares = np.empty_like(z), np.empty(z.shape[1])
    for place in range(z.shape[1]):
        apart = x[:, place] - z[:, place, None]
        weighted = weights * apart
        moved[:, place], squares[place] = weighted.sum(1), np.vdot(weighted, apart)
    return moved, squares


def _inverse(factor: Array) -> Array:
    """The inverse of ``F Fᵀ``."""
    root = solve_triangular(factor, np.eye(len(factor)), lower=True, check_finite=False)
    return root.T @ root


def _whitened(factor: Array, values: Array) -> Array:
    """``L⁻ᵀ values``."""
    solved: Array = solve_triangular(factor, values, trans="T", lower=True, check_finite=False)
    return solved


def _vdot_of_gram(values: Array, factor: Array) -> float:
    """The sum of ``values ∘ (L Lᵀ)``."""
    return float(np.vdot(values, factor @ factor.T))
