"""The simulated study of SPAHM: noisy copies of atoms, matched by SPAHM and by baselines.

Atoms ``N(2, 50 I)``; each has an inclusion probability ``Beta(1, 1)`` with which every group includes it; a local
vector is the atom with noise. Vectors are given as they are, or found by k-means from points of every group. Source:
Yurochkin et al. (NeurIPS 2019), section 4.1, and the authors' code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.fusion.matching.core.prior import BetaBernoulli
from coolgp.fusion.matching.sets.spahm import SPAHM
from coolgp.network.base.randomness import generator

__all__ = [
    "METHODS",
    "Copies",
    "Score",
    "drawn_copies",
    "estimated",
    "hausdorff",
    "kmeans",
    "points",
    "simulated_study",
]

PRIOR_MEAN, PRIOR_VARIANCE, POINT_DEVIATION = 2.0, 50.0, 0.1
STARTS = 10
"""Starts of k-means on vectors and on the points of one group; on all points it starts once."""
PUBLISHED = SPAHM(
    noise_variance=1.0, prior_variance=1.0, sweeps=10, prior=BetaBernoulli(ordered=True, popularity_cap=10)
)
"""The settings of the authors' simulation."""


@dataclass(frozen=True)
class Copies:
    """atoms ``[L, D]``: those that a group uses. groups: J arrays ``[L_j, D]``. labels: J arrays ``[L_j]``."""

    atoms: Array
    groups: tuple[Array, ...]
    labels: tuple[Indices, ...]


@dataclass(frozen=True)
class Score:
    """One method on one draw; variances are means over dimensions, NaN where a method has none."""

    method: str
    noise: float
    seed: int
    used: int
    atoms: int
    hausdorff: float
    noise_variance: float
    prior_variance: float
    seconds: float


def drawn_copies(seed: int, groups: int = 20, noise: float = 1.0, atoms: int = 50, dimensions: int = 50) -> Copies:
    """Atoms and the noisy copies that each group has of some, in any order; noise is a standard deviation."""
    rng = generator(seed, "copies of atoms")
    truth = PRIOR_MEAN + np.sqrt(PRIOR_VARIANCE) * rng.normal(size=(atoms, dimensions))
    included = rng.random((groups, atoms)) < rng.beta(1.0, 1.0, size=atoms)
    used = included.any(axis=0)
    labels = tuple(rng.permutation(np.flatnonzero(row[used])) for row in included)
    values = tuple(truth[used][own] + noise * rng.normal(size=(len(own), dimensions)) for own in labels)
    return Copies(truth[used], values, labels)


def points(copies: Copies, seed: int, size: int = 5000) -> list[Array]:
    """Points ``[size, D]`` of every group, a mixture around its vectors with Dirichlet(1) weights."""
    rng = generator(seed, "points of groups")
    drawn: list[Array] = []
    for values in copies.groups:
        members = rng.choice(len(values), size=size, p=rng.dirichlet(np.ones(len(values))))
        drawn.append(values[members] + POINT_DEVIATION * rng.normal(size=(size, values.shape[1])))
    return drawn


def estimated(copies: Copies, data: Sequence[Array], seed: int) -> Copies:
    """The copies with k-means centres of every group's points for its vectors, as many as it has."""
    centres = [kmeans(rows, len(values), seed, STARTS) for rows, values in zip(data, copies.groups, strict=True)]
    return Copies(copies.atoms, tuple(centres), ())


def kmeans(rows: Array, centres: int, seed: int, starts: int = 1) -> Array:
    """Centres ``[k, D]`` of rows ``[N, D]``, at most as many as there are rows; the best of so many starts."""
    from sklearn.cluster import KMeans

    clusters = KMeans(n_clusters=min(centres, len(rows)), n_init=starts, random_state=seed).fit(rows)
    return np.asarray(clusters.cluster_centers_)


def hausdorff(truth: Array, atoms: Array) -> float:
    """Largest distance from an atom of either set to the nearest of the other.

    >>> hausdorff(np.array([[0.0], [4.0]]), np.array([[1.0], [4.0], [6.0]]))
    2.0
    """
    squares = np.square(truth).sum(axis=1)[:, None] - 2.0 * truth @ atoms.T + np.square(atoms).sum(axis=1)
    return float(np.sqrt(max(squares.min(axis=0).max(), squares.min(axis=1).max(), 0.0)))


Found = tuple[Array, float, float]


def _spahm(settings: SPAHM, copies: Copies) -> Found:
    matched = settings.match(copies.groups)
    return matched.atoms, float(matched.noise_variance.mean()), float(matched.prior_variance.mean())


def _centres(copies: Copies, size: int, seed: int) -> Found:
    return kmeans(np.concatenate(copies.groups), size, seed, STARTS), np.nan, np.nan


METHODS: dict[str, Callable[[Copies, int], Found]] = {
    "SPAHM": lambda copies, seed: _spahm(SPAHM(seed=seed), copies),
    "SPAHM, published settings": lambda copies, seed: _spahm(PUBLISHED, copies),
    "greedy": lambda copies, seed: _spahm(SPAHM(solver="greedy", sweeps=0), copies),
    "k-means of vectors, k = 50": lambda copies, seed: _centres(copies, 50, seed),
    "k-means of vectors, k = atoms used": lambda copies, seed: _centres(copies, len(copies.atoms), seed),
    "all vectors": lambda copies, seed: (np.concatenate(copies.groups), np.nan, np.nan),
}


def simulated_study(
    noises: Sequence[float] = (0.1, 0.5, 1.0), seeds: Sequence[int] = range(10), groups: int = 20, local: str = "true"
) -> list[Score]:
    """Scores of all methods at every noise and seed.

    local: "true" vectors, or "estimated" from points, where k-means of all points together is a baseline as well.
    """
    if local not in ("true", "estimated"):
        raise ValueError(f'The simulated study needs local "true" or "estimated"; got {local!r}')
    scores: list[Score] = []
    for noise in noises:
        for seed in seeds:
            copies, methods = drawn_copies(seed, groups, noise), dict(METHODS)
            if local == "estimated":
                data = points(copies, seed)
                copies = estimated(copies, data, seed)
                methods["k-means of all points"] = _of_points(np.concatenate(data))
            scores += [_scored(name, method, copies, noise, seed) for name, method in methods.items()]
    return scores


def _of_points(rows: Array) -> Callable[[Copies, int], Found]:
    return lambda copies, seed: (kmeans(rows, len(copies.atoms), seed), np.nan, np.nan)


def _scored(name: str, method: Callable[[Copies, int], Found], copies: Copies, noise: float, seed: int) -> Score:
    started = perf_counter()
    atoms, noise_variance, prior_variance = method(copies, seed)
    seconds = perf_counter() - started
    distance, used = hausdorff(copies.atoms, atoms), len(copies.atoms)
    return Score(name, noise, seed, used, len(atoms), distance, noise_variance, prior_variance, seconds)
