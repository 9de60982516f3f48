"""How far the order of merges matters: one matching of all groups beside trees, and trees that a token repairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coolgp.agents.base.arrays import Indices
from coolgp.fusion.matching.core.gains import Criterion
from coolgp.fusion.matching.core.merges import merged_along, walked
from coolgp.fusion.matching.core.sweeps import Partition, matched
from coolgp.fusion.matching.core.vectors import Vectors, uniform_vectors
from coolgp.fusion.matching.studies.simulated import PRIOR_MEAN, PRIOR_VARIANCE, Copies, drawn_copies
from coolgp.network.base.randomness import generator

__all__ = ["Agreement", "order_study", "rand_index", "trees"]

SWEEPS = 10


@dataclass(frozen=True)
class Agreement:
    """Adjusted Rand index of one way to match with the true atoms, on one draw."""

    way: str
    noise: float
    seed: int
    rand_index: float


def trees(groups: int, seed: int) -> dict[str, list[int]]:
    """Parents ``[J]`` of a balanced binary tree, a chain, a star, and a random tree."""
    rng = generator(seed, "random tree")
    return {
        "balanced tree": [(group - 1) // 2 if group else -1 for group in range(groups)],
        "chain": list(range(-1, groups - 1)),
        "star": [-1] + [0] * (groups - 1),
        "random tree": [int(rng.integers(group)) if group else -1 for group in range(groups)],
    }


def order_study(
    noises: Sequence[float] = (0.5, 1.0, 2.0, 3.0, 5.0),
    seeds: Sequence[int] = range(10),
    groups: int = 16,
    atoms: int = 40,
    dimensions: int = 10,
) -> list[Agreement]:
    """Agreement with the truth at every noise and draw, all variances being known."""
    scores: list[Agreement] = []
    for noise in noises:
        for seed in seeds:
            copies = drawn_copies(seed, groups, noise, atoms, dimensions)
            ways = _ways(copies, noise, seed)
            scores += [Agreement(way, noise, seed, rand_index(copies, one.labels)) for way, one in ways.items()]
    return scores


def _ways(copies: Copies, noise: float, seed: int) -> dict[str, Partition]:
    vectors, criterion = _vectors(copies, noise), Criterion()
    ways = {"all groups together": matched(vectors, criterion, SWEEPS, seed)[0]}
    for name, parents in trees(vectors.groups, seed).items():
        partition = merged_along(vectors, criterion, parents)
        ways[name] = partition
        for walks in ("1 walk", "2 walks"):
            partition = walked(partition, vectors, criterion, range(vectors.groups))
            ways[f"{name}, then {walks}"] = partition
    return ways


def _vectors(copies: Copies, noise: float) -> Vectors:
    size = copies.atoms.shape[1]
    values = [own - PRIOR_MEAN for own in copies.groups]
    precision, prior = np.full(1, noise**-2), np.full(1, 1.0 / PRIOR_VARIANCE)
    return uniform_vectors(values, precision, prior, np.array([size], dtype=np.intp))


def rand_index(copies: Copies, labels: Sequence[Indices]) -> float:
    """Adjusted Rand index of labels, J arrays ``[L_j]``, with the true ones."""
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(np.concatenate(copies.labels), np.concatenate(labels)))
