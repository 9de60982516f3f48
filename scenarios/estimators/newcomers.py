"""Owners, and those who are none yet, as newcomers among the models of others: what personalised estimators ask for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.dummy import DummyClassifier

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.expert import Expert
from coolgp.agents.experts.queries.black_box import QUERIES
from coolgp.agents.experts.task import Task
from coolgp.fusion.personalise.choice import model_for
from coolgp.fusion.personalise.outcome import PersonalClassifier, PersonalRegressor, PersonalReport, Request
from coolgp.fusion.personalise.owners import without_owners
from coolgp.scenarios.base.arrays import Floats
from coolgp.scenarios.estimators.group import FusedGroup
from coolgp.scenarios.experiments.handed.classes import as_the_models_say
from coolgp.scenarios.experiments.handed.rule import Rows, plain_label

__all__ = ["Personal", "answers_of", "model_among", "models_of_owners", "with_labels"]

Personal = PersonalRegressor | PersonalClassifier


def models_of_owners(group: FusedGroup, pool: Floats) -> dict[str, Personal]:
    """The model of each owner with rows, from these and the models of the others, by name.

    pool ``[U, D]``: inputs at which models are asked that only answer. Raises ValueError, owner first, where models of
    the others are of no use to one, with the reasons.
    """
    if len(group.owners.names) < 2:
        raise ValueError(
            f"a model of one's own needs models of others: two owners or more; got {len(group.owners.names)}"
        )
    models = {}
    for place, (name, rows) in enumerate(zip(group.owners.names, group.rows, strict=True)):
        alone = bool(group.task.labels) and len(np.unique(rows.y)) == 1
        try:
            models[name] = _of_one_class(rows) if alone else model_among(group, rows.x, rows.y, pool, (place,))
        except ValueError as problem:
            raise ValueError(f"the model of {name}, on {len(rows.y)} rows: {problem}") from problem
    return models


def _of_one_class(rows: Rows) -> PersonalClassifier:
    """Of an owner that has one class alone, and predicts it always."""
    report = PersonalReport("its only class", "all rows of the owner have one class", len(rows.y))
    return PersonalClassifier(DummyClassifier().fit(rows.x, rows.y), report, np.unique(rows.y), None)


def model_among(
    group: FusedGroup, x: Array, y: npt.NDArray[Any], pool: Array | None, without: Sequence[int] = ()
) -> Personal:
    """The model for rows x ``[n, D]``, y ``[n]`` from those of all owners but some, by place."""
    experts = [expert for place, expert in enumerate(group.owners.experts()) if place not in without]
    graph = None if group.graph is None else without_owners(group.graph, without)
    asking = group.settings.asking
    return model_for(
        Request(
            models=[_opened(expert) for expert in experts],
            x=x,
            y=as_the_models_say(y, experts),
            unlabelled=pool,
            graph=graph,
            names=[expert.name for expert in experts],
            queries=asking.queries or QUERIES,
            time_limit=asking.time_limit,
        )
    )


def with_labels(model: Personal, labels: Iterable[object]) -> Personal:
    """The model with its classes as the user has them, among these labels; a regressor as it is."""
    if isinstance(model, PersonalRegressor):
        return model
    known = {plain_label(label): label for label in labels}
    return replace(model, classes_=np.array([known[plain_label(label)] for label in model.classes_.tolist()]))


def answers_of(models: Mapping[str, Personal], x: Array, owners: Sequence[str], task: Task) -> Array:
    """What the model of each row's owner says: as of :meth:`FusedGroup.answers`."""
    names, result = np.array(owners), np.zeros((len(x), task.columns))
    for name in np.unique(names).tolist():
        rows = np.flatnonzero(names == name)
        result[rows] = _answers(models[name], x[rows], task)
    return result


def _answers(model: Personal, x: Array, task: Task) -> Array:
    if isinstance(model, PersonalRegressor):
        mean, std = model.predict(x, return_std=True)
        return np.stack([mean, np.square(std)], axis=1)
    shares = np.zeros((len(x), len(task.labels)))
    place = {plain_label(label): number for number, label in enumerate(task.labels)}
    shares[:, [place[plain_label(label)] for label in model.classes_.tolist()]] = model.predict_proba(x)
    return shares


def _opened(expert: Expert) -> Any:
    """What a model is made from: parameters where the expert has some."""
    return expert if expert.parameters is None else expert.parameters
