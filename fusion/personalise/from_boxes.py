"""A newcomer's classifier from classifiers of others that only answer: prototypes of its classes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.experts.expert import Classifier
from coolgp.agents.experts.queries.black_box import BlackBox
from coolgp.agents.experts.queries.density import floored_log
from coolgp.fusion.personalise.alternatives import MINE, of_owners
from coolgp.fusion.personalise.answers import asked_boxes, boxes_of, query_words
from coolgp.fusion.personalise.outcome import PersonalClassifier, PersonalReport, Request
from coolgp.fusion.personalise.owners import Owners
from coolgp.fusion.prototypes.fusion import TaskAgnosticFusion

__all__ = ["from_boxes"]

FOLDS = 5
FLOOR = 1e-3
"""Least probability of a class: of a model that does not know the class, say."""


def from_boxes(request: Request) -> PersonalClassifier:
    """Raises ValueError without rows that have no labels, and where models are no classifiers."""
    boxes = boxes_of(request, Classifier, "a classifier")
    if request.unlabelled is None:
        raise ValueError("classifiers that only answer need rows without labels: give unlabelled")
    owners, pool = asked_boxes(request, boxes)
    task = TaskAgnosticFusion(graph=owners.graph).fit(owners.models, pool).adapt(request.x, request.y)
    lines = dict(line.split(": ", 1) for line in str(task.report).splitlines() if ": " in line)
    lines.pop("examples", None)
    left_out = _left_out(request, owners, pool)
    report = PersonalReport(
        chosen="prototypes of the newcomer's classes",
        why=f"all {len(boxes)} models are classifiers that answer, and there are rows without labels",
        rows=len(request.y),
        left_out=left_out,
        details=lines | {"queries": query_words(boxes, request)} | ({} if left_out else {"rows left out": ONE_EACH}),
        models_left_out=owners.left_out,
    )
    return PersonalClassifier(task, report, task.classes_, None)


ONE_EACH = "none, for no class has two rows"


def _left_out(request: Request, owners: Owners[BlackBox], pool: Array) -> dict[str, float]:
    """Prototypes, logistic regression of the examples alone, and the owners' models, on rows that others can tell of.

    A row is left out where another one has its class; empty where there is none.
    """
    y = np.asarray(request.y)
    folds = _folds(y)
    if not (folds >= 0).any():
        return {}
    fusion = TaskAgnosticFusion(graph=owners.graph).fit(owners.models, pool)
    prototypes, scratch = np.zeros(len(y)), np.zeros(len(y))
    for fold in np.unique(folds[folds >= 0]):
        seen, out = folds != fold, folds == fold
        task = fusion.adapt(request.x[seen], y[seen])
        alone = LogisticRegression(max_iter=1000).fit(request.x[seen], y[seen])
        prototypes[out] = _densities(task.predict_proba(request.x[out]), task.classes_, y[out])
        scratch[out] = _densities(alone.predict_proba(request.x[out]), alone.classes_, y[out])
    told = folds >= 0
    own = np.stack([_own(box, request.x, y, np.unique(y)) for box in owners.models])[:, told]
    return {MINE: float(prototypes[told].mean()), "scratch": float(scratch[told].mean())} | of_owners(own)


def _folds(y: npt.NDArray[np.generic]) -> Indices:
    """The fold of each row ``[n]``, at most `FOLDS`, which leaves some of each class in the others; -1 of one alone."""
    folds = np.full(len(y), -1)
    for label in np.unique(y):
        own = np.flatnonzero(y == label)
        if len(own) > 1:
            folds[own] = np.arange(len(own)) % FOLDS
    return folds


def _densities(shares: Array, classes: npt.NDArray[np.generic], y: npt.NDArray[np.generic]) -> Array:
    """Log probabilities ``[n]`` of the classes of rows."""
    places = np.searchsorted(classes, y)
    return floored_log(shares[np.arange(len(y)), places], FLOOR)


def _own(box: BlackBox, x: Array, y: npt.NDArray[np.generic], classes: npt.NDArray[np.generic]) -> Array:
    """Of an owner's model among the newcomer's classes; an equal share of each where it says nothing of them."""
    assert isinstance(box.model, Classifier)
    known, shares = box.model.classes.tolist(), box.predict_proba(x)
    some = np.stack([shares[:, known.index(c)] if c in known else np.zeros(len(x)) for c in classes.tolist()], axis=1)
    total = some.sum(axis=1, keepdims=True)
    among = np.where(total > FLOOR, some / np.maximum(total, FLOOR), 1.0 / len(classes))
    return _densities(among, classes, y)
