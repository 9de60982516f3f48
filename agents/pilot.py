"""Starting hyper-parameters from a pilot sample: the exact evidence of a small Gaussian process, maximised."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import cholesky
from scipy.linalg.lapack import dpotri
from scipy.optimize import OptimizeResult, minimize

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.kernels.base import Kernel, is_far
from coolgp.agents.kernels.se import SE

__all__ = ["Start", "fit_own", "fit_start"]

Free = tuple[bool, bool, bool]


@dataclass(frozen=True)
class Start:
    """Starting hyper-parameters in scaled units, and the evidence per row in nats.

    lengthscale: ``[D]`` where all agents start from the same, ``[A, D]`` where each has its own; two variances.
    """

    lengthscale: Array
    signal_variance: float
    noise_variance: float
    evidence: float
    at_limits: tuple[str, ...] = ()
    """Names of hyper-parameters that ended at a limit of the search."""


NEAR, WIDE = 5.0, 18.0
"""Within which values are sought around the start, in log units: first, and where one ends at such a limit. The wider
limits hold noise-free data: a noise variance of 1e-8 of the target's."""
CLOSE = 1e-3
"""Distance from a limit, in log units, at which a value counts as being at it."""


def fit_start(x: Array, y: Array, start: Start, free: Free, kernel: Kernel = SE, iterations: int = 40) -> Start:
    """Maximise ``log N(y | 0, K + σ_η²I)`` over the hyper-parameters marked free (lengthscales, signal, noise).

    x ``[n, D]``, y ``[n]``, both scaled. L-BFGS on logarithms, from ``start``; ``O(n³)`` an iteration.
    """
    if not any(free):
        return start
    alike = replace(start, lengthscale=start.lengthscale[None])
    best = _fit(x, y, np.zeros(len(y), dtype=np.intp), alike, free, kernel, iterations)
    return replace(best, lengthscale=best.lengthscale[0])


def fit_own(
    x: Array,
    y: Array,
    owner: Indices,
    agents: int,
    start: Start,
    free: Free,
    kernel: Kernel = SE,
    iterations: int = 40,
) -> Start:
    """The same where agent ``a`` sees ``u(W_a x)``: one function, and lengthscales of each agent's own.

    owner ``[n]``: whose row each is. The covariance of two rows is ``σ_s² k(W_a x, W_b x')``, so that what
    makes all rows most probable also lays the agents' projections one upon another. Agents without rows keep
    ``start``'s lengthscales ``[D]``.
    """
    each = np.tile(start.lengthscale, (agents, 1))
    return _fit(x, y, owner, replace(start, lengthscale=each), free, kernel, iterations)


def _fit(x: Array, y: Array, owner: Indices, start: Start, free: Free, kernel: Kernel, iterations: int) -> Start:
    shape = start.lengthscale.shape
    mask = np.concatenate([np.full(start.lengthscale.size, free[0]), free[1:]])
    theta = np.log(np.concatenate([start.lengthscale.ravel(), [start.signal_variance, start.noise_variance]]))

    def objective(free_entries: Array) -> tuple[float, Array]:
        tried = theta.copy()
        tried[mask] = free_entries
        value, slope = _evidence(x, y, owner, tried, kernel)
        return -value, -slope[mask]

    begin, reach = theta[mask], NEAR

    def search(first: Array, around: float) -> OptimizeResult:
        limits = [(value - around, value + around) for value in begin]
        return minimize(objective, first, jac=True, method="L-BFGS-B", bounds=limits, options={"maxiter": iterations})

    best = search(begin, reach)
    if _at_limit(best.x - begin, reach).any():
        reach = WIDE
        best = search(best.x, reach)
    theta[mask] = best.x
    names = np.array([*["lengthscale"] * start.lengthscale.size, "signal variance", "noise variance"])[mask]
    at_limits = tuple(dict.fromkeys(names[_at_limit(best.x - begin, reach)].tolist()))
    lengthscale, (signal, noise) = np.exp(theta[:-2]).reshape(shape), np.exp(theta[-2:])
    return Start(lengthscale, float(signal), float(noise), -float(best.fun), at_limits)


def _at_limit(moved: Array, reach: float) -> Array:
    return np.asarray(np.abs(moved) > reach - CLOSE)


def _evidence(x: Array, y: Array, owner: Indices, theta: Array, kernel: Kernel) -> tuple[float, Array]:
    """Log evidence per row and its gradient by log lengthscales, log signal and log noise variance."""
    n, width = x.shape
    lengthscale, (signal, noise) = np.exp(theta[:-2]).reshape(-1, width), np.exp(theta[-2:])
    z = x / lengthscale[owner]
    values, slopes = kernel.values_and_slopes(z, z)
    covariance = signal * values
    factor = cholesky(covariance + (noise + 1e-8 * signal) * np.eye(n), lower=True, check_finite=False)
    inverse = _symmetric(dpotri(factor, lower=True)[0])
    alpha = inverse @ y
    value = -0.5 * y @ alpha - np.log(np.diag(factor)).sum() - 0.5 * n * np.log(2 * np.pi)
    outer = 0.5 * (np.outer(alpha, alpha) - inverse)
    weight, total = outer * (signal * slopes), (outer * covariance).sum()
    by_row = 2 * z * _pulled(weight, z)
    by_lengthscale = np.zeros_like(lengthscale)
    np.add.at(by_lengthscale, owner, by_row)
    slope = np.concatenate([by_lengthscale.ravel(), [total, noise * np.trace(outer)]])
    return float(value) / n, slope / n


def _pulled(weight: Array, z: Array) -> Array:
    """``Σ_j weight_ij (z_i - z_j)  [n, D]``, from differences where the origin is far."""
    if not is_far(z):
        summed: Array = weight.sum(1)[:, None] * z - weight @ z
        return summed
    return np.stack([(weight * (column[:, None] - column)).sum(1) for column in z.T], axis=1)


def _symmetric(lower: Array) -> Array:
    symmetric: Array = np.tril(lower)
    symmetric += np.tril(lower, -1).T
    return symmetric
