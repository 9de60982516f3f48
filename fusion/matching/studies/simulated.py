"""The simulated study of SPAHM: noisy copies of atoms, and how far matched atoms are from the true ones.

Atoms ``N(2, 50 I)``; each has an inclusion probability ``Beta(1, 1)`` with which every group includes it; a local
vector is the atom with noise. Vectors are given as they are, or found by k-means from points of every group. Source:
Yurochkin et al. (NeurIPS 2019), section 4.1, and the authors' code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.network.base.randomness import generator

__all__ = ["STARTS", "Copies", "drawn_copies", "estimated", "hausdorff", "kmeans", "points"]

PRIOR_MEAN, PRIOR_VARIANCE, POINT_DEVIATION = 2.0, 50.0, 0.1
STARTS = 10
"""Starts of k-means on vectors and on the points of one group; on all points it starts once."""


@dataclass(frozen=True)
class Copies:
    """atoms ``[L, D]``: those that a group uses. groups: J arrays ``[L_j, D]``. labels: J arrays ``[L_j]``."""

    atoms: Array
    groups: tuple[Array, ...]
    labels: tuple[Indices, ...]


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
