"""Sets of vectors that are noisy copies of atoms, and dense oracles for what matching computes."""

from collections.abc import Iterator, Sequence
from itertools import permutations, product

import numpy as np

from coolgp.fusion.matching.core.vectors import Vectors


def copies(
    seed: int, groups: int = 5, atoms: int = 6, dimensions: int = 4, noise: float = 0.1, spread: float = 3.0
) -> tuple[np.ndarray, list[np.ndarray], list[np.ndarray]]:
    """True atoms, groups of noisy copies in any order, and the true labels; every atom is used."""
    rng = np.random.default_rng(seed)
    truth = spread * rng.normal(size=(atoms, dimensions))
    included = rng.random((groups, atoms)) < 0.6
    included[rng.integers(groups, size=atoms), np.arange(atoms)] = True
    labels = [rng.permutation(np.flatnonzero(row)) for row in included]
    return truth, [truth[own] + noise * rng.normal(size=(len(own), dimensions)) for own in labels], labels


def random_vectors(seed: int, shared: bool = True, sizes: Sequence[int] = (3, 2, 4, 0, 1)) -> Vectors:
    """Vectors of three blocks of entries with precisions of their own, of which one group lacks a block."""
    rng = np.random.default_rng(seed)
    widths = np.array([3, 1, 2])
    precision = [rng.gamma(2.0, size=(1 if shared else size, 3)) for size in sizes]
    precision[0][:, 1] = 0.0
    values = tuple(rng.normal(size=(size, 6)) for size in sizes)
    return Vectors(values, tuple(precision), rng.gamma(2.0, size=3), widths)


def dense_log_marginal(values: np.ndarray, precision: np.ndarray, prior_precision: np.ndarray) -> float:
    """Log density of vectors ``[m, E]`` of one atom, from the covariance of each entry; precision ``[m, E]``."""
    from scipy.stats import multivariate_normal  # half a second, which ranks that draw problems need not wait for

    total = 0.0
    for entry in range(values.shape[1]):
        present = precision[:, entry] > 0
        if present.any():
            covariance = np.diag(1 / precision[present, entry]) + 1 / prior_precision[entry]
            total += multivariate_normal(np.zeros(present.sum()), covariance).logpdf(values[present, entry])
    return total


def partition_of(labels: Sequence[np.ndarray]) -> set[frozenset[tuple[int, int]]]:
    """Which vectors, as (group, row), share an atom: labels without their names."""
    members: dict[int, set[tuple[int, int]]] = {}
    for group, own in enumerate(labels):
        for row, label in enumerate(own):
            members.setdefault(int(label), set()).add((group, row))
    return {frozenset(sharing) for sharing in members.values()}


def choices(size: int, atoms: int) -> Iterator[np.ndarray]:
    """Every assignment of so many vectors to distinct atoms, -1 for a new one."""
    for taken in product((False, True), repeat=size):
        for picked in permutations(range(atoms), sum(taken)):
            columns = np.full(size, -1)
            columns[np.array(taken)] = picked
            yield columns


def all_labels(sizes: Sequence[int]) -> Iterator[list[np.ndarray]]:
    """Every partition of groups of such sizes, one group after another."""

    def extended(labels: list[np.ndarray], used: int) -> Iterator[list[np.ndarray]]:
        if len(labels) == len(sizes):
            yield labels
            return
        for columns in choices(sizes[len(labels)], used):
            own = columns.copy()
            own[own < 0] = used + np.arange((own < 0).sum())
            yield from extended([*labels, own], used + int((columns < 0).sum()))

    yield from extended([], 0)
