"""BLAS on one thread."""

from __future__ import annotations

import os

__all__ = ["BLAS", "pin_blas"]

BLAS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def pin_blas() -> None:
    """Hold BLAS to one thread; to be called before NumPy is imported, and inherited by processes started later."""
    for name in BLAS:
        os.environ[name] = "1"
