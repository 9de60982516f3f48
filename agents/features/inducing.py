"""Choosing inducing inputs from a pilot sample that all agents share before the start."""

from __future__ import annotations

import numpy as np
from scipy.cluster.vq import kmeans2

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.kernels.base import Kernel
from coolgp.agents.kernels.se import SE

__all__ = ["CHOICES", "conditional_variance", "kmeans", "pivots"]


def conditional_variance(candidates: Array, inducing: int, rng: np.random.Generator, kernel: Kernel = SE) -> Array:
    """Greedy choice of the pilot row with the largest variance given those chosen before, see :func:`pivots`.

    candidates ``[n, D]``: in units of the lengthscales. Returns ``[M, D]``. Raises ValueError where there are fewer
    distinct rows than ``M = inducing``.
    """
    _enough(candidates, inducing)
    chosen: Array = candidates[pivots(candidates, inducing, kernel)]
    return chosen


def pivots(candidates: Array, count: int, kernel: Kernel = SE) -> Indices:
    """Which ``[M]`` of candidates ``[n, D]``, one after another, have the largest variance given those before.

    A pivoted Cholesky factorisation of their kernel matrix, in units of the lengthscales, stopped after ``M = count``
    pivots (Burt et al., JMLR 2020); ``O(n M²)``.
    """
    residual = np.ones(len(candidates))
    factor = np.zeros((count, len(candidates)))
    picked = np.empty(count, dtype=np.intp)
    for step in range(count):
        pivot = picked[step] = int(np.argmax(residual))
        row = kernel.values(candidates[[pivot]], candidates)[0] - factor[:step, pivot] @ factor[:step]
        factor[step] = row / np.sqrt(max(residual[pivot], 1e-12))
        residual = np.maximum(residual - np.square(factor[step]), 0.0)
        residual[picked[: step + 1]] = -1.0
    return picked


def kmeans(candidates: Array, inducing: int, rng: np.random.Generator, kernel: Kernel = SE) -> Array:
    """Centres of k-means clusters of the pilot, ``[M, D]``, whatever the kernel; candidates ``[n, D]``."""
    _enough(candidates, inducing)
    centres: Array = kmeans2(candidates, inducing, minit="++", seed=rng, missing="warn")[0]
    return centres


CHOICES = {"conditional-variance": conditional_variance, "kmeans": kmeans}


def _enough(candidates: Array, inducing: int) -> None:
    distinct = len(np.unique(candidates, axis=0))
    if distinct < inducing:
        raise ValueError(
            f"{inducing} inducing inputs need as many distinct pilot rows; there are {distinct}: "
            "set agents.inducing lower, or agents.pilot higher if there are more training rows"
        )
