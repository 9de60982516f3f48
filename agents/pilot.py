"""Starting hyper-parameters from a pilot sample: the exact evidence of a small Gaussian process, maximised."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cholesky
from scipy.linalg.lapack import dpotri
from scipy.optimize import minimize

from coolgp.agents.kernels import Array, squared_exponential

__all__ = ["Start", "fit_start"]


@dataclass(frozen=True)
class Start:
    """Starting hyper-parameters: lengthscale ``[D]`` and two variances, in scaled units; evidence per row, in nats."""

    lengthscale: Array
    signal_variance: float
    noise_variance: float
    evidence: float


def fit_start(x: Array, y: Array, start: Start, free: tuple[bool, bool, bool], iterations: int = 40) -> Start:
    """Maximise ``log N(y | 0, K + σ_η²I)`` over the hyper-parameters marked free (lengthscales, signal, noise).

    x ``[n, D]``, y ``[n]``, both scaled. L-BFGS on logarithms, from ``start``; ``O(n³)`` an iteration.
    """
    if not any(free):
        return start
    width = x.shape[1]
    mask = np.concatenate([np.full(width, free[0]), free[1:]])
    theta = np.log(np.concatenate([start.lengthscale, [start.signal_variance, start.noise_variance]]))

    def objective(part: Array) -> tuple[float, Array]:
        whole = theta.copy()
        whole[mask] = part
        value, slope = _evidence(x, y, whole)
        return -value, -slope[mask]

    near = [(value - 5.0, value + 5.0) for value in theta[mask]]
    best = minimize(objective, theta[mask], jac=True, method="L-BFGS-B", bounds=near, options={"maxiter": iterations})
    theta[mask] = best.x
    lengthscale, (signal, noise) = np.exp(theta[:width]), np.exp(theta[width:])
    return Start(lengthscale, float(signal), float(noise), -float(best.fun))


def _evidence(x: Array, y: Array, theta: Array) -> tuple[float, Array]:
    """Log evidence per row and its gradient by log lengthscales, log signal and log noise variance."""
    n, width = x.shape
    lengthscale, (signal, noise) = np.exp(theta[:width]), np.exp(theta[width:])
    z = x / lengthscale
    kernel = signal * squared_exponential(z, z)
    factor = cholesky(kernel + (noise + 1e-8 * signal) * np.eye(n), lower=True, check_finite=False)
    inverse = _symmetric(dpotri(factor, lower=True)[0])
    alpha = inverse @ y
    value = -0.5 * y @ alpha - np.log(np.diag(factor)).sum() - 0.5 * n * np.log(2 * np.pi)
    outer = 0.5 * (np.outer(alpha, alpha) - inverse)
    weight = outer * kernel
    rows = weight.sum(1)
    by_lengthscale = 2 * (rows @ np.square(z)) - 2 * np.einsum("nd,nd->d", z, weight @ z)
    slope = np.concatenate([by_lengthscale, [weight.sum(), noise * np.trace(outer)]])
    return float(value) / n, slope / n


def _symmetric(lower: Array) -> Array:
    whole: Array = np.tril(lower)
    whole += np.tril(lower, -1).T
    return whole
