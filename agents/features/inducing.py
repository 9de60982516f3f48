"""Choosing inducing inputs from a pilot sample that all agents share before the start, or from an agent's own rows."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.kernels.base import Kernel
from coolgp.agents.kernels.se import SE

__all__ = ["CHOICES", "conditional_variance", "kmeans", "own_centres", "pivots"]


def conditional_variance(candidates: Array, inducing: int, rng: np.random.Generator, kernel: Kernel = SE) -> Array:
    """Greedy choice of the pilot row with the largest variance given those chosen before.

    As :func:`pivots` has it. candidates ``[n, D]``: in units of the lengthscales. Returns ``[M, D]``. Raises ValueError
    where there are fewer distinct rows than ``M = inducing``.
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
    from scipy.cluster.vq import kmeans2  # for this choice alone

    centres: Array = kmeans2(candidates, _scattered(candidates, inducing, rng), minit="matrix", missing="warn")[0]
    return centres


def _scattered(candidates: Array, count: int, rng: np.random.Generator) -> Array:
    """So many of the rows ``[n, D]``, each drawn with a probability that grows with its squared distance to the others.

    k-means++ (Arthur & Vassilvitskii, SODA-07), as SciPy draws it, to the bit; distances to those drawn are kept,
    so that it is ``O(n M D)``, where SciPy's is ``O(n M² D)``.
    """
    chosen = np.empty((count, candidates.shape[1]))
    chosen[0] = candidates[rng.integers(len(candidates))]
    nearest = np.full(len(candidates), np.inf)
    for place in range(1, count):
        np.minimum(nearest, cdist(chosen[place - 1 : place], candidates, metric="sqeuclidean")[0], out=nearest)
        drawn = int(np.searchsorted((nearest / nearest.sum()).cumsum(), rng.uniform()))
        chosen[place] = candidates[min(drawn, len(candidates) - 1)]
    return chosen


CHOICES = {"conditional-variance": conditional_variance, "kmeans": kmeans}


def own_centres(own: Array, shared: Array, inducing: int, rng: np.random.Generator) -> Array:
    """``[M, D]``: centres of k-means clusters of an agent's own rows ``[n, D]``.

    An agent with at most M distinct rows takes these, and those of the shared rows ``[m, D]`` that are closest to one
    of them; the first of the shared rows where it has none. Raises ValueError where both together are too few.
    """
    distinct = np.unique(own, axis=0)
    if len(distinct) > inducing:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a cluster that lost all its rows stays where it was
            return kmeans(own, inducing, rng)
    others = _beside(distinct, shared)
    _enough(np.concatenate([distinct, others]), inducing, "rows, an agent's own and the pilot's together")
    return np.concatenate([distinct, others[: inducing - len(distinct)]])


def _beside(rows: Array, shared: Array) -> Array:
    """The distinct shared rows ``[m, D]`` that are not among the rows ``[n, D]``, the closest to one of them first."""
    others = shared[np.sort(np.unique(shared, axis=0, return_index=True)[1])]
    if not len(rows):
        return others
    distances = np.asarray(KDTree(rows).query(others)[0])
    nearest = np.argsort(distances, kind="stable")
    closest: Array = others[nearest[distances[nearest] > 0]]
    return closest


def _enough(candidates: Array, inducing: int, rows: str = "pilot rows") -> None:
    distinct = len(np.unique(candidates, axis=0))
    if distinct < inducing:
        raise ValueError(
            f"{inducing} inducing inputs need as many distinct {rows}; there are {distinct}: "
            "set agents.inducing lower, or agents.pilot higher if there are more training rows"
        )
