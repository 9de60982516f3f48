"""The start: one evaluation of the collapsed bound of a pilot sample, with its gradient, of which a search has many."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

import numpy as np

from coolgp.agents.blocks import on_cores
from coolgp.agents.kernels.se import SE
from coolgp.agents.sparse.collapsed import Slopes, bound_and_slopes
from coolgp.agents.sparse.parameters import Parameters
from coolgp.agents.sparse.rows import Rows
from coolgp.agents.sparse.together import in_blocks

from benchmarks.limits import measure_limits
from benchmarks.plain.bound import bound_and_gradient
from benchmarks.results import Measurement, Row, Value, seconds
from benchmarks.timing import Effort, contest
from benchmarks.work import JITTER, Array

__all__ = ["case_of", "flat", "measure"]

NOTES = (
    "The bound of n rows through M inducing inputs, 8 inputs, SE kernel, with its derivatives by inducing inputs, "
    "length-scales and variances: what L-BFGS asks for in each step of the search for a start, see docs/start.md.",
    "coolgp takes products with the inverse of the factor, in blocks of rows where these are many; the plain code "
    "solves triangular systems by SciPy, and sums differences an input at a time. Both say the same (a test compares "
    "them). BLAS on one thread; `2 cores`: blocks side by side, with the same bits.",
    "The limit is that of products and factors at the rate of gemm, each core's, and of one exponential for each row "
    "and inducing input: M²n + M²n + 2M²n for whitening, sum and gradient, 5M³ for what depends on M alone, "
    "triangles counted as such.",
)
INPUTS, NOISE = 8, 0.1


def measure(quick: bool) -> Measurement:
    """Time coolgp, on one core and on two, and the plain code."""
    limits = measure_limits(quick)
    effort = Effort(2, 0.005) if quick else Effort(5, 0.25)
    rows: list[Row] = []
    for m, n in [(8, 40)] if quick else [(100, 2000), (500, 2000), (1000, 2000)]:
        case: dict[str, Value] = {"M": m, "n": n}
        print(f"start: {case}", file=sys.stderr)
        x, y, at = case_of(n, m)
        blocks = in_blocks(x, y, m)
        works: dict[str, Callable[[], object]] = {
            "coolgp": partial(_ours, blocks, at, 1),
            "coolgp, 2 cores": partial(_ours, blocks, at, 2),
            "plain": partial(_plain, x, y, at),
        }
        times = contest(works, effort)
        rows += [seconds(case, who, "bound and gradient", times[who], _shortest(m, n, who, limits)) for who in works]
    return Measurement(tuple(rows), limits, NOTES)


def case_of(n: int, m: int) -> tuple[Array, Array, Parameters]:
    """Rows x ``[n, 8]``, y ``[n]`` of a smooth function with noise, and where the bound is looked at."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, INPUTS))
    y = np.sin(x.sum(1)) + np.sqrt(NOISE) * rng.standard_normal(n)
    inducing = x[:m] + 0.1 * rng.standard_normal((m, INPUTS))
    return x, y, Parameters(inducing, np.full(INPUTS, 3.0), 1.0, NOISE)


def flat(slopes: Slopes) -> Array:
    """Derivatives in the order of the plain code."""
    variances = [slopes.log_signal_variance, slopes.log_noise_variance]
    return np.concatenate([slopes.inducing_inputs.ravel(), slopes.log_lengthscale, variances])


def _ours(rows: Rows, at: Parameters, cores: int) -> None:
    with on_cores(cores):
        bound_and_slopes(rows, at, SE, JITTER)


def _plain(x: Array, y: Array, at: Parameters) -> None:
    bound_and_gradient(x, y, at.inducing_inputs, at.lengthscale, at.signal_variance, at.noise_variance, JITTER)


def _shortest(m: int, n: int, who: str, limits: dict[str, float]) -> float:
    """Seconds at the machine's limits."""
    cores = 2 if who.endswith("2 cores") else 1
    gemm = limits["dgemm_two"] if cores == 2 else limits["dgemm"]
    return (4.0 * m**2 * n + 5.0 * m**3) / gemm + m * n / (cores * limits["exp"])
