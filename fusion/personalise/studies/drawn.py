"""Owners' networks and a newcomer's task, drawn from labelled images.

Axes: ``R`` rows, ``D`` inputs, ``K`` classes, ``n`` rows of the newcomer.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.experts.network import Network, network_of
from coolgp.fusion.matching.networks.pfnm import PFNM
from coolgp.fusion.personalise.from_networks import SETTING
from coolgp.network.base.randomness import generator

__all__ = ["SITUATIONS", "NewcomersTask", "OwnersNetworks", "drawn_owners", "network_fitted"]

HIDDEN, EPOCHS, BATCH = 50, 60, 32
SKEW = 0.5
"""Concentration of the Dirichlet distribution of an owner's shares of the classes."""


@dataclass(frozen=True)
class NewcomersTask:
    """Rows x ``[n, D]`` of classes y ``[n]`` that the newcomer has, and others to test at. classes: K in all."""

    x: Array
    y: Indices
    test_x: Array
    test_y: Indices
    classes: int
    seed: int

    def with_rows(self, count: int) -> NewcomersTask:
        """With the first rows alone."""
        return replace(self, x=self.x[:count], y=self.y[:count])


@dataclass(frozen=True)
class OwnersNetworks:
    """Networks of owners, each trained on rows of its own."""

    networks: tuple[Network, ...]

    @cached_property
    def fused(self) -> Network:
        """PFNM's network of all, as `coolgp.personalise` takes it."""
        return PFNM(settings=(SETTING,)).fuse(self.networks).network


def _as_it_is(task: NewcomersTask) -> NewcomersTask:
    return task


def _renamed(task: NewcomersTask) -> NewcomersTask:
    return replace(task, y=(task.y + 1) % task.classes, test_y=(task.test_y + 1) % task.classes)


def _transposed(task: NewcomersTask) -> NewcomersTask:
    """Images with rows and columns exchanged."""
    side = round(np.sqrt(task.x.shape[1]))
    x, test_x = (rows.reshape(-1, side, side).swapaxes(1, 2).reshape(len(rows), -1) for rows in (task.x, task.test_x))
    return replace(task, x=x, test_x=test_x)


@dataclass(frozen=True)
class Situation:
    """words: for readers. skewed: owners have few of the classes each. task: what the newcomer's is, of the owners'."""

    words: str
    skewed: bool
    task: Callable[[NewcomersTask], NewcomersTask]


SITUATIONS = {
    "alike": Situation("owners and newcomer have images of all classes", False, _as_it_is),
    "skewed": Situation("each owner has mostly a few of the classes, the newcomer all", True, _as_it_is),
    "renamed": Situation("the newcomer calls every class by another's name", False, _renamed),
    "transposed": Situation("the newcomer's images have rows and columns exchanged", False, _transposed),
}
"""How the newcomer's task is related to the owners', by name."""


def drawn_owners(
    x: Array, labels: Indices, skewed: bool, owners: int, rows: int, examples: int, draw: tuple[int, int]
) -> tuple[OwnersNetworks, NewcomersTask]:
    """Networks of so many owners with so many rows each, and a newcomer with examples, of images x ``[R, D]``.

    draw: a seed and a number. Rows that nobody has are tested at. The newcomer's task is the owners'.
    """
    seed, number = draw
    rng = generator(seed, "owners' images", round=number)
    order, classes = rng.permutation(len(x)), int(labels.max()) + 1
    seen, rest = order[:examples], order[examples:]
    places = []
    for _ in range(owners):
        weights = rng.dirichlet(np.full(classes, SKEW))[labels[rest]] if skewed else np.ones(len(rest))
        own = rest[np.argsort(-np.log(rng.random(len(rest))) / np.maximum(weights, 1e-12))[:rows]]
        places.append(own)
        rest = np.setdiff1d(rest, own)
    networks = tuple(network_fitted(x[own], labels[own], classes, number) for own in places)
    task = NewcomersTask(x[seen], labels[seen], x[rest], labels[rest], classes, number)
    return OwnersNetworks(networks), task


def network_fitted(x: Array, y: Indices, classes: int, seed: int) -> Network:
    """A network of one hidden layer that knows all classes, whichever its rows have."""
    model = MLPClassifier((HIDDEN,), batch_size=min(BATCH, len(x)), random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for _ in range(EPOCHS):
            model.partial_fit(x, y, classes=np.arange(classes))
    return network_of(model)
