"""BLAS on one thread, and as many cores for agents as a measurement asks for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["BLAS", "agent_threads", "pin_blas"]

BLAS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def pin_blas() -> None:
    """Hold BLAS to one thread; to be called before NumPy is imported, and inherited by processes started later."""
    for name in BLAS:
        os.environ[name] = "1"


@contextmanager
def agent_threads(count: int) -> Iterator[None]:
    """Let coolgp work on so many blocks of agents side by side."""
    before = os.environ.get("COOLGP_THREADS")
    os.environ["COOLGP_THREADS"] = str(count)
    try:
        yield
    finally:
        if before is None:
            del os.environ["COOLGP_THREADS"]
        else:
            os.environ["COOLGP_THREADS"] = before
