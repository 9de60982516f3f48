"""Hyper-parameters and inducing inputs at which the collapsed bound of one data set is largest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError
from scipy.optimize import minimize

from coolgp.agents.base.arrays import Array
from coolgp.agents.kernels.base import Kernel
from coolgp.agents.sparse.collapsed import Parameters, bound_and_slopes, posterior_of

__all__ = ["Fit", "best_start", "maximise"]

LIMITS = {"lengthscale": (1e-3, 1e4), "signal_variance": (1e-6, 1e6), "noise_variance": (1e-10, 1e3)}
"""Within which hyper-parameters are sought, in scaled units: wide enough for noise-free and for irrelevant inputs."""
CLOSE = 1e-3
"""Distance from a limit, in log units, at which a value counts as being at it."""
REFUSED = 1e12
"""What the optimiser is told of the objective per row where the kernel matrix cannot be factorised."""


@dataclass(frozen=True)
class Fit:
    """Where the search ended.

    bound, start_bound: in nats, at the end and at the start; iterations: of L-BFGS; at_limits: names of
    hyper-parameters that ended at a limit of the search.
    """

    parameters: Parameters
    bound: float
    start_bound: float
    iterations: int
    at_limits: tuple[str, ...]


def best_start(x: Array, y: Array, starts: Sequence[Parameters], kernel: Kernel, jitter: float) -> Parameters:
    """The start with the largest bound. Raises ValueError where none has a kernel matrix that can be factorised."""
    bounds = [_bound(x, y, start, kernel, jitter) for start in starts]
    if not np.isfinite(max(bounds)):
        raise ValueError(
            "no start has a kernel matrix that is positive definite: give a larger jitter, or fewer inducing inputs"
        )
    return starts[int(np.argmax(bounds))]


def maximise(
    x: Array, y: Array, start: Parameters, kernel: Kernel, jitter: float, iterations: int, *, move_inputs: bool = True
) -> Fit:
    """Maximise the bound from a start, by L-BFGS on the logarithms of hyper-parameters and on the inducing inputs.

    x ``[n, D]``, y ``[n]``, both scaled. move_inputs: whether inducing inputs move too. The result is never below the
    start. Raises ValueError as :func:`best_start` does.
    """
    before = _bound(x, y, best_start(x, y, [start], kernel, jitter), kernel, jitter)
    if not iterations:
        return Fit(parameters=start, bound=before, start_bound=before, iterations=0, at_limits=_at_limits(start))

    def objective(theta: Array) -> tuple[float, Array]:
        try:
            value, slopes = bound_and_slopes(x, y, _unpacked(theta, start, move_inputs), kernel, jitter)
        except LinAlgError:
            return REFUSED, np.zeros_like(theta)
        scale = [*slopes.log_lengthscale, slopes.log_signal_variance, slopes.log_noise_variance]
        gradient = np.concatenate([scale, slopes.inducing_inputs.ravel() if move_inputs else np.empty(0)])
        return -value / len(y), -gradient / len(y)

    free = [(None, None)] * (start.inducing_inputs.size if move_inputs else 0)
    limits = [*_log_limits(len(start.lengthscale)), *free]
    result = minimize(
        objective,
        _packed(start, move_inputs),
        jac=True,
        method="L-BFGS-B",
        bounds=limits,
        options={"maxiter": iterations, "maxcor": 20},
    )
    end = _unpacked(np.asarray(result.x), start, move_inputs)
    after = _bound(x, y, end, kernel, jitter)
    parameters = end if after >= before else start
    return Fit(
        parameters=parameters,
        bound=max(before, after),
        start_bound=before,
        iterations=int(result.nit),
        at_limits=_at_limits(parameters),
    )


def _bound(x: Array, y: Array, at: Parameters, kernel: Kernel, jitter: float) -> float:
    try:
        return posterior_of(x, y, at, kernel, jitter).bound
    except LinAlgError:
        return -np.inf


def _packed(at: Parameters, move_inputs: bool) -> Array:
    scale = np.log([*at.lengthscale, at.signal_variance, at.noise_variance])
    return np.concatenate([scale, at.inducing_inputs.ravel() if move_inputs else np.empty(0)])


def _unpacked(theta: Array, start: Parameters, move_inputs: bool) -> Parameters:
    size, width = start.inducing_inputs.shape
    scale, inputs = np.exp(theta[: width + 2]), theta[width + 2 :]
    inducing = inputs.reshape(size, width) if move_inputs else start.inducing_inputs
    return Parameters(inducing, scale[:width], float(scale[width]), float(scale[width + 1]))


def _log_limits(width: int) -> list[tuple[float, float]]:
    names = [*["lengthscale"] * width, "signal_variance", "noise_variance"]
    return [(float(np.log(LIMITS[name][0])), float(np.log(LIMITS[name][1]))) for name in names]


def _at_limits(at: Parameters) -> tuple[str, ...]:
    values = np.log([*at.lengthscale, at.signal_variance, at.noise_variance])
    names = [*(f"lengthscale of input {i}" for i in range(len(at.lengthscale))), "signal variance", "noise variance"]
    limits = np.array(_log_limits(len(at.lengthscale)))
    touching = (np.abs(values[:, None] - limits) < CLOSE).any(axis=1)
    return tuple(name for name, at_limit in zip(names, touching, strict=True) if at_limit)
