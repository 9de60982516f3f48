"""The collapsed bound of a sparse Gaussian process and its gradient (Titsias, AISTATS 2009).

With ``K = K_ZZ``, its Cholesky factor ``L``, ``A = L⁻¹ K_Zx / σ``, ``B = I + A Aᵀ`` and ``c = B⁻¹ A y``:

    F = log N(y | 0, K_xZ K⁻¹ K_Zx + σ² I) - tr(K_xx - K_xZ K⁻¹ K_Zx) / (2σ²)
      = -½ [n log 2πσ² + log|B| + (y·y - (Ay)·c) / σ² + n s² / σ² - tr A Aᵀ]

``s²`` is the signal variance, ``σ²`` the noise variance. Of the rows it needs sums alone: ``A Aᵀ``, ``A y``, ``y·y``.
Axes: ``n`` rows, ``M`` inducing inputs, ``D`` inputs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from coolgp.agents.base.arrays import Array
from coolgp.agents.base.triangular import inverse_of_lower
from coolgp.agents.kernels.base import Kernel
from coolgp.agents.sparse.parameters import Parameters, covariance
from coolgp.agents.sparse.rows import Explained, Pooled, Rows, pulled

__all__ = [
    "Parameters",
    "Slopes",
    "SparsePosterior",
    "bound_and_slopes",
    "bound_of",
    "covariance",
    "explained_share",
    "posterior_of",
    "posterior_of_rows",
]


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

    rows: Explained  # A [M, n] and its sums
    prior: Array  # K [M, M]
    factor: Array  # L [M, M]
    inverse: Array  # L⁻¹ [M, M]
    inner: Array  # Cholesky factor of B [M, M]
    solved: Array  # c [M]
    trace: float  # tr A Aᵀ
    value: float  # F


def bound_and_slopes(rows: Rows, at: Parameters, kernel: Kernel, jitter: float) -> tuple[float, Slopes]:
    """The bound in nats and its derivatives; jitter relative to the signal variance.

    ``∂F/∂K_Zx = α vᵀ + L⁻ᵀ(I - B⁻¹)A / σ`` and ``∂F/∂K = -½[α αᵀ + L⁻ᵀ(B - 2I + B⁻¹)L⁻¹]``, where ``α = L⁻ᵀc / σ`` and
    ``v = (y - Aᵀc) / σ²``. Raises numpy.linalg.LinAlgError where ``K`` is not positive definite in this precision.
    """
    terms = _terms(rows, at, kernel, jitter)
    count, size, noise, identity = rows.count, len(terms.factor), at.noise_variance, np.eye(len(terms.factor))
    root = inverse_of_lower(terms.inner)
    inverse = root.T @ root
    alpha = terms.inverse.T @ terms.solved / np.sqrt(noise)
    outer = terms.inverse.T @ (identity - inverse) / np.sqrt(noise)
    by_rows = terms.rows.pulled_back(outer, alpha, terms.solved)
    product = terms.rows.gram - identity + inverse
    by_inner = -0.5 * (np.outer(alpha, alpha) + terms.inverse.T @ product @ terms.inverse)
    prior = at.signal_variance * rows.weight / noise
    by_signal = by_rows.by_log_signal + float(np.vdot(by_inner, terms.prior)) - 0.5 * prior
    precision = count - size + float(np.trace(inverse))
    by_noise = 0.5 * (noise * by_rows.residual - precision + prior - terms.trace)
    moved, by_scale = _inner_slopes(at, kernel, by_inner)
    by_inputs = (by_rows.inducing_inputs + 2.0 * moved) / at.lengthscale  # K is symmetric: one moves a row and a column
    return terms.value, Slopes(by_inputs, by_rows.log_lengthscale + by_scale, by_signal, by_noise)


def bound_of(rows: Rows, at: Parameters, kernel: Kernel, jitter: float) -> float:
    """The bound alone; arguments and errors as in :func:`bound_and_slopes`."""
    return _terms(rows, at, kernel, jitter).value


def explained_share(rows: Rows, at: Parameters, kernel: Kernel, jitter: float) -> float:
    """The share of the squared target of the rows that the posterior mean explains; at least 0."""
    terms = _terms(rows, at, kernel, jitter)
    fitted = 2.0 * terms.solved @ terms.rows.moment - terms.solved @ terms.rows.gram @ terms.solved
    return max(0.0, float(fitted) / rows.square) if rows.square else 0.0


def posterior_of(x: Array, y: Array, at: Parameters, kernel: Kernel, jitter: float) -> SparsePosterior:
    """The posterior of the inducing values that the bound implies, from rows x ``[n, D]``, y ``[n]``.

    Other arguments as in :func:`bound_and_slopes`.
    """
    return posterior_of_rows(Pooled(x, y), at, kernel, jitter)


def posterior_of_rows(rows: Rows, at: Parameters, kernel: Kernel, jitter: float) -> SparsePosterior:
    """The same from rows of any kind."""
    terms = _terms(rows, at, kernel, jitter)
    return SparsePosterior(
        parameters=at,
        factor=terms.factor,
        inner=terms.inner,
        weights=terms.inverse.T @ terms.solved / np.sqrt(at.noise_variance),
        bound=terms.value,
    )


def _terms(rows: Rows, at: Parameters, kernel: Kernel, jitter: float) -> _Terms:
    count, size, noise = rows.count, len(at.inducing_inputs), at.noise_variance
    gram = covariance(at.inducing_inputs, at, kernel)
    gram[np.diag_indices(size)] += jitter * at.signal_variance
    factor = cholesky(gram, lower=True, check_finite=False)
    inverse = inverse_of_lower(factor)
    explained = rows.explained(at, inverse, kernel)
    trace = float(np.trace(explained.gram))
    inner = cholesky(explained.gram + np.eye(size), lower=True, check_finite=False)
    half = solve_triangular(inner, explained.moment, lower=True, check_finite=False)
    solved = solve_triangular(inner, half, trans="T", lower=True, check_finite=False)
    fit = float(rows.square - half @ half) / noise
    slack = rows.weight * at.signal_variance / noise - trace
    determinant = 2.0 * float(np.log(np.diag(inner)).sum())
    value = -0.5 * (count * np.log(2.0 * np.pi * noise) + determinant + fit + slack)
    return _Terms(
        rows=explained,
        prior=gram,
        factor=factor,
        inverse=inverse,
        inner=inner,
        solved=solved,
        trace=trace,
        value=float(value),
    )


def _inner_slopes(at: Parameters, kernel: Kernel, by_inner: Array) -> tuple[Array, Array]:
    """Derivatives by inducing inputs in lengthscales, as rows of ``K``, and log lengthscales, from those by ``K``."""
    z = at.inducing_inputs / at.lengthscale
    return pulled(by_inner * (at.signal_variance * kernel.values_and_slopes(z, z)[1]), z, z)
