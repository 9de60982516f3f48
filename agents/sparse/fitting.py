"""Hyper-parameters and inducing inputs at which the collapsed bound of one data set is largest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError
from scipy.optimize import minimize

from coolgp.agents.base.arrays import Array, Booleans
from coolgp.agents.kernels.base import Kernel
from coolgp.agents.sparse.collapsed import Parameters, Slopes, bound_and_slopes, bound_of
from coolgp.agents.sparse.rows import Rows

__all__ = ["Fit", "Free", "best_start", "maximise"]

Free = tuple[bool, bool, bool]
"""Whether lengthscales, signal variance and noise variance are sought; what is not keeps its value at the start."""

LIMITS = {"lengthscale": (1e-3, 1e4), "signal_variance": (1e-6, 1e6), "noise_variance": (1e-10, 1e3)}
"""Within which hyper-parameters are sought, in scaled units: wide enough for noise-free and for irrelevant inputs."""
INPUT_LIMIT = "lengthscale of input "
"""What is at a limit, where it is the lengthscale of an input; its number follows."""
CLOSE = 1e-3
"""Distance from a limit, in log units, at which a value counts as being at it."""
TOLERANCE = 2e-9
"""Nats per row that an iteration must gain for the search to go on: as SciPy has it."""
REFUSED = 1e12
"""What the optimiser is told of the objective per row where the kernel matrix cannot be factorised."""


@dataclass(frozen=True)
class Fit:
    """Where the search ended.

    bound, start_bound: in nats, at the end and at the start; iterations: of L-BFGS; at_limits: names of
    hyper-parameters that ended at a limit of the search; idle: numbers of the inputs among them whose lengthscale is at
    the largest one, so that they have no effect.
    """

    parameters: Parameters
    bound: float
    start_bound: float
    iterations: int
    at_limits: tuple[str, ...]
    idle: tuple[int, ...] = ()


def best_start(rows: Rows, starts: Sequence[Parameters], kernel: Kernel, jitter: float) -> Parameters:
    """The start with the largest bound. Raises ValueError where none has a kernel matrix that can be factorised."""
    bounds = [_bound(rows, start, kernel, jitter) for start in starts]
    if not np.isfinite(max(bounds)):
        raise ValueError(
            "no start has a kernel matrix that is positive definite: give a larger jitter, or fewer inducing inputs"
        )
    return starts[int(np.argmax(bounds))]


def maximise(
    rows: Rows,
    start: Parameters,
    kernel: Kernel,
    jitter: float,
    iterations: int,
    *,
    move_inputs: bool = True,
    free: Free = (True, True, True),
    tolerance: float = TOLERANCE,
    watch: Callable[[int], None] | None = None,
) -> Fit:
    """Maximise the bound from a start, by L-BFGS on the logarithms of hyper-parameters and on the inducing inputs.

    rows: scaled ones. move_inputs: whether inducing inputs move too. free: which hyper-parameters
    do. tolerance: nats per row below which an iteration is the last. watch: called after each iteration with its
    number. The result is never below the start. Raises ValueError as :func:`best_start` does.
    """
    before = _bound(rows, best_start(rows, [start], kernel, jitter), kernel, jitter)
    moving = _moving(start, move_inputs, free)
    if not iterations or not moving.any():
        at_limits = _at_limits(start, free)
        return Fit(parameters=start, bound=before, start_bound=before, iterations=0, at_limits=at_limits)
    theta = _packed(start)

    def at(entries: Array) -> Parameters:
        tried = theta.copy()
        tried[moving] = entries
        return _unpacked(tried, start, moving)

    def objective(entries: Array) -> tuple[float, Array]:
        try:
            value, slopes = bound_and_slopes(rows, at(entries), kernel, jitter)
        except LinAlgError:
            return REFUSED, np.zeros_like(entries)
        return -value / rows.count, -_gradient(slopes)[moving] / rows.count

    result = minimize(
        objective,
        theta[moving],
        jac=True,
        method="L-BFGS-B",
        bounds=[(low, high) for low, high in _log_limits(start)[moving].tolist()],
        options={"maxiter": iterations, "maxcor": 20, "ftol": tolerance},
        callback=_Counted(watch),
    )
    end = at(np.asarray(result.x))
    after = _bound(rows, end, kernel, jitter)
    parameters = end if after >= before else start
    return Fit(
        parameters=parameters,
        bound=max(before, after),
        start_bound=before,
        iterations=int(result.nit),
        at_limits=_at_limits(parameters, free),
        idle=_idle(parameters, free),
    )


def _bound(rows: Rows, at: Parameters, kernel: Kernel, jitter: float) -> float:
    try:
        return bound_of(rows, at, kernel, jitter)
    except LinAlgError:
        return -np.inf


def _packed(at: Parameters) -> Array:
    """Logarithms of hyper-parameters, and the inducing inputs: ``[D + 2 + MD]``."""
    return np.concatenate([_logarithms(at), at.inducing_inputs.ravel()])


def _unpacked(theta: Array, start: Parameters, moving: Booleans) -> Parameters:
    """The parameters; what does not move is the start's, to the bit."""
    size, width = start.inducing_inputs.shape
    fixed = np.array([*start.lengthscale, start.signal_variance, start.noise_variance])
    scale = np.where(moving[: width + 2], np.exp(theta[: width + 2]), fixed)
    return Parameters(theta[width + 2 :].reshape(size, width), scale[:width], float(scale[width]), float(scale[-1]))


def _gradient(slopes: Slopes) -> Array:
    """Derivatives by what `_packed` packs."""
    scale = [*slopes.log_lengthscale, slopes.log_signal_variance, slopes.log_noise_variance]
    return np.concatenate([scale, slopes.inducing_inputs.ravel()])


def _moving(start: Parameters, move_inputs: bool, free: Free) -> Booleans:
    width, inputs = len(start.lengthscale), start.inducing_inputs.size
    return np.repeat([free[0], free[1], free[2], move_inputs], [width, 1, 1, inputs])


def _logarithms(at: Parameters) -> Array:
    values: Array = np.log([*at.lengthscale, at.signal_variance, at.noise_variance])
    return values


def _log_limits(start: Parameters) -> Array:
    """The least and largest value of what `_packed` packs, ``[D + 2 + MD, 2]``."""
    names = [*["lengthscale"] * len(start.lengthscale), "signal_variance", "noise_variance"]
    limits = np.log([LIMITS[name] for name in names])
    return np.concatenate([limits, np.full((start.inducing_inputs.size, 2), [-np.inf, np.inf])])


class _Counted:
    """A callback of the optimiser that counts its iterations."""

    def __init__(self, watch: Callable[[int], None] | None) -> None:
        self.watch, self.done = watch, 0

    def __call__(self, xk: Array) -> None:
        self.done += 1
        if self.watch:
            self.watch(self.done)


def _at_limits(at: Parameters, free: Free) -> tuple[str, ...]:
    width = len(at.lengthscale)
    names = [*(f"{INPUT_LIMIT}{i}" for i in range(width)), "signal variance", "noise variance"]
    gaps = np.abs(_logarithms(at)[:, None] - _log_limits(at)[: width + 2])
    touching = (gaps < CLOSE).any(axis=1) & np.repeat(free, [width, 1, 1])
    return tuple(name for name, at_limit in zip(names, touching, strict=True) if at_limit)


def _idle(at: Parameters, free: Free) -> tuple[int, ...]:
    longest = np.log(LIMITS["lengthscale"][1]) - CLOSE
    return tuple(np.flatnonzero(np.log(at.lengthscale) > longest).tolist()) if free[0] else ()
