"""What a newcomer can do with networks of others, by name: probabilities of the classes of rows, ``[Q, K]``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.queries.density import floored_log
from coolgp.fusion.personalise.from_networks import adapted
from coolgp.fusion.personalise.heads import class_head, with_one
from coolgp.fusion.personalise.studies.drawn import NewcomersTask, OwnersNetworks, network_fitted

__all__ = ["HEAD_METHODS", "HeadMethod"]

HeadMethod = Callable[[OwnersNetworks, NewcomersTask], Array]


def _refit(owners: OwnersNetworks, task: NewcomersTask) -> Array:
    """What `coolgp.personalise` gives: the fused network with a head about its own."""
    network, _ = adapted(owners.fused, task.x, task.y)
    return network.predict_proba(task.test_x)


def _without_prior(owners: OwnersNetworks, task: NewcomersTask) -> Array:
    """A ridge regression of the classes on the fused features, about zero."""
    phi = with_one(owners.fused.hidden(task.x))
    head = class_head(phi, task.y, np.zeros((len(task.y), task.classes)))
    return np.asarray(softmax(with_one(owners.fused.hidden(task.test_x)) @ head.departure, axis=1))


def _fused(owners: OwnersNetworks, task: NewcomersTask) -> Array:
    return owners.fused.predict_proba(task.test_x)


def _ensemble(owners: OwnersNetworks, task: NewcomersTask) -> Array:
    return np.asarray(np.mean([network.predict_proba(task.test_x) for network in owners.networks], axis=0))


def _best(owners: OwnersNetworks, task: NewcomersTask) -> Array:
    """The owner's network under which the rows are most probable."""
    rows = np.arange(len(task.y))
    scores = [floored_log(network.predict_proba(task.x)[rows, task.y]).sum() for network in owners.networks]
    return owners.networks[int(np.argmax(scores))].predict_proba(task.test_x)


def _scratch(owners: OwnersNetworks, task: NewcomersTask) -> Array:
    """A network of the newcomer's rows alone, like those of owners."""
    return network_fitted(task.x, task.y, task.classes, task.seed).predict_proba(task.test_x)


def _probe(owners: OwnersNetworks, task: NewcomersTask) -> Array:
    """Logistic regression on the fused features."""
    hidden = owners.fused.hidden
    return _regressed(hidden(task.x), task, hidden(task.test_x))


def _logistic(owners: OwnersNetworks, task: NewcomersTask) -> Array:
    """Logistic regression of the newcomer's rows alone."""
    return _regressed(task.x, task, task.test_x)


def _regressed(features: Array, task: NewcomersTask, test: Array) -> Array:
    """Logistic regression on features; no share of classes that the newcomer's rows do not have."""
    shares, known = np.zeros((len(test), task.classes)), np.unique(task.y)
    one = len(known) == 1
    shares[:, known] = 1.0 if one else LogisticRegression(max_iter=2000).fit(features, task.y).predict_proba(test)
    return shares


HEAD_METHODS: dict[str, HeadMethod] = {
    "refit": _refit,
    "no_prior": _without_prior,
    "probe": _probe,
    "fused": _fused,
    "ensemble": _ensemble,
    "best": _best,
    "scratch": _scratch,
    "logistic": _logistic,
}
"""All methods by name, our own first."""
