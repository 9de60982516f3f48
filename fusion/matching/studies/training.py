"""Networks trained apart on shards of scikit-learn's digits.

Rows are dealt by class: each class's rows by Dirichlet shares, where an owner that already has an equal number gets no
more, drawn again until everybody has some rows; or all equally. Source of the partition: Yurochkin et al., ICML 2019,
and the authors' code, where the balancing stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from coolgp.agents.base.arrays import Indices
from coolgp.agents.experts.network import Network, mlp_of, network_of
from coolgp.fusion.matching.networks.shards import Shard
from coolgp.network.base.randomness import generator

__all__ = ["CLASSES", "Trained", "dealt", "loaded_digits", "trained", "trained_apart", "trained_further"]

LEARNING_RATE, BATCH, LEAST_ROWS, TEST_ROWS = 0.01, 32, 10, 500
CLASSES = 10


@dataclass(frozen=True)
class Trained:
    """Shards, the networks trained on each of them, and test rows."""

    shards: tuple[Shard, ...]
    networks: tuple[Network, ...]
    test: Shard


def loaded_digits(seed: int) -> tuple[Shard, Shard]:
    """Training and test rows of the digits, inputs in [0, 1]."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    order = generator(seed, "test rows").permutation(len(y))
    train, test = order[TEST_ROWS:], order[:TEST_ROWS]
    return (x[train] / 16.0, y[train].astype(np.intp)), (x[test] / 16.0, y[test].astype(np.intp))


def dealt(y: Indices, owners: int, concentration: float | None, seed: int) -> list[Indices]:
    """Rows of each owner, by Dirichlet shares of every class; None deals all rows equally."""
    rng = generator(seed, "deal of rows")
    if concentration is None:
        return np.array_split(rng.permutation(len(y)), owners)
    while True:
        rows = _dealt_once(y, owners, concentration, rng)
        if min(len(own) for own in rows) >= LEAST_ROWS:
            return rows


def _dealt_once(y: Indices, owners: int, concentration: float, rng: np.random.Generator) -> list[Indices]:
    rows: list[Indices] = [np.zeros(0, dtype=np.intp)] * owners
    for each in np.unique(y):
        members = rng.permutation(np.flatnonzero(y == each))
        shares = rng.dirichlet(np.full(owners, concentration))
        shares *= [len(own) < len(y) / owners for own in rows]
        cuts = (np.cumsum(shares / shares.sum()) * len(members)).astype(int)[:-1]
        rows = [np.concatenate(both) for both in zip(rows, np.split(members, cuts), strict=True)]
    return rows


def trained(rows: Shard, widths: tuple[int, ...], classes: int, epochs: int, seed: int) -> Network:
    """A network trained on some rows, all classes being outputs, also those that no row has."""
    from sklearn.neural_network import MLPClassifier

    classifier = MLPClassifier(widths, random_state=seed)
    return _fitted(classifier, rows, epochs, classes=np.arange(classes))


def trained_further(network: Network, rows: Shard, epochs: int, seed: int) -> Network:
    """A network after more epochs from where it is, with a fresh state of the optimiser."""
    classifier = mlp_of(network)
    classifier._random_state = np.random.RandomState(seed)  # of the order of rows, which partial_fit goes on with
    return _fitted(classifier, rows, epochs)


def _fitted(classifier: Any, rows: Shard, epochs: int, **first: Any) -> Network:
    classifier.set_params(learning_rate_init=LEARNING_RATE, batch_size=min(BATCH, len(rows[1])))
    for _ in range(epochs):
        classifier.partial_fit(*rows, **first)
    return network_of(classifier)


def trained_apart(
    seed: int,
    owners: int = 5,
    widths: tuple[int, ...] = (50,),
    concentration: float | None = 0.5,
    epochs: int = 20,
    common: bool = False,
) -> Trained:
    """Networks of owners who each see a shard of the digits; common: all start from the same weights."""
    (x, y), test = loaded_digits(seed)
    shards = tuple((x[rows], y[rows]) for rows in dealt(y, owners, concentration, seed))
    seeds = [1000 * seed + (0 if common else owner) for owner in range(owners)]
    networks = [trained(rows, widths, CLASSES, epochs, own) for rows, own in zip(shards, seeds, strict=True)]
    return Trained(shards, tuple(networks), test)
