"""What the machine can do, measured then and there: every figure of coolgp is seen beside these."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from benchmarks.timing import Effort, contest
from benchmarks.work import Array

__all__ = ["measure_limits"]

SIDE = 2000
"""Rows of the square matrices that gemm multiplies."""
BYTES = 2**28
"""Bytes of the arrays that are copied: no cache holds them."""
CHUNK = 4096
"""Numbers whose exponentials are taken at a time: they stay in the first cache."""


def measure_limits(quick: bool) -> dict[str, float]:
    """Rates on one core: ``dgemm``, ``sgemm`` [flop/s], ``exp``, ``exp32`` [1/s], ``copy`` [B/s, read + written].

    With ``_two`` at the end: by two threads at once, each on its own arrays. Matrices and arrays are smaller in a quick
    run, whose figures mean nothing.
    """
    side, size = (200, 2**22) if quick else (SIDE, BYTES)
    effort = Effort(2, 0.01) if quick else Effort(5, 0.25)
    kinds: dict[str, tuple[Callable[[], Callable[[], object]], float]] = {
        "dgemm": (partial(_gemm, np.float64, side), 2.0 * side**3),
        "sgemm": (partial(_gemm, np.float32, side), 2.0 * side**3),
        "exp": (partial(_exp, np.float64), CHUNK),
        "exp32": (partial(_exp, np.float32), CHUNK),
        "copy": (partial(_copy, size), 2.0 * size),
    }
    rates = {}
    with ThreadPoolExecutor(2) as pool:
        for name, (make, amount) in kinds.items():
            one, other = make(), make()
            timings = contest({"one": one, "two": partial(_both, pool, one, other)}, effort)
            rates[name] = amount / timings["one"].median
            if not name.startswith("exp"):  # calls too short to share between threads
                rates[f"{name}_two"] = 2 * amount / timings["two"].median
    return rates


def _gemm(dtype: type, side: int) -> Callable[[], object]:
    a: Array = np.random.default_rng(0).random((side, side)).astype(dtype)
    return partial(np.matmul, a, a.copy(), out=np.empty_like(a))


def _exp(dtype: type) -> Callable[[], object]:
    x: Array = np.linspace(-8, 0, CHUNK, dtype=dtype)
    return partial(np.exp, x, out=np.empty_like(x))


def _copy(size: int) -> Callable[[], object]:
    return partial(np.copyto, np.zeros(size // 8), np.ones(size // 8))


def _both(pool: ThreadPoolExecutor, one: Callable[[], object], other: Callable[[], object]) -> None:
    waiting = pool.submit(one)
    other()
    waiting.result()
