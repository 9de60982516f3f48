"""Kinds of models that tell how sure they are, and owners with models of different kinds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import KFold

from coolgp.agents.experts.expert import Regressor
from coolgp.agents.experts.models.base import LocalRows, Seeds, kind_of, labelled
from coolgp.agents.experts.models.mixed import Mixed
from coolgp.agents.experts.models.nearest import Nearest
from coolgp.agents.experts.models.registry import MODEL_REFERENCES, model_class, name_of
from coolgp.agents.experts.models.residuals import with_std
from coolgp.agents.experts.task import Task

NOISE = 0.5
NUMBERS = Task()
SEEDS = Seeds(3, 4)


def rows(count: int, seed: int = 0) -> LocalRows:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 3))
    return LocalRows(x, x[:, 0] + 0.5 * np.sin(2 * x[:, 1]) + NOISE * rng.normal(size=count))


def expert(kind: Any, training: LocalRows) -> Regressor:
    made = with_std(labelled(kind.trained(training, NUMBERS, SEEDS), "it", NUMBERS), kind, training, NUMBERS, SEEDS)
    assert isinstance(made, Regressor)
    return made


@pytest.mark.parametrize("name", ["gp", "sparse-gp", "ridge", "svr", "nearest", "forest", "mlp"])
def test_intervals_hold_about_as_many_new_rows_as_they_say(name: str) -> None:
    kind = model_class(name)(**({"epochs": 60} if name == "mlp" else {}))
    test = rows(400, seed=1)
    mean, std = expert(kind, rows(80)).predict(test.x)
    assert 0.85 < np.mean(np.abs(test.y - mean) < 1.96 * std) <= 1.0
    assert np.corrcoef(mean, test.y)[0, 1] > 0.6


def test_the_standard_deviation_of_a_model_without_one_is_that_of_its_errors_on_rows_left_out() -> None:
    training, kind = rows(23), Nearest(neighbours=3, folds=4)
    errors: list[float] = []
    for rest, out in KFold(4, shuffle=True, random_state=SEEDS.own).split(training.x):
        for place in out:
            near = np.argsort(((training.x[rest] - training.x[place]) ** 2).sum(axis=1))[:3]
            errors.append(training.y[rest][near].mean() - training.y[place])
    _, std = expert(kind, training).predict(np.zeros((2, 3)))
    np.testing.assert_allclose(std, np.sqrt(np.mean(np.square(errors))), rtol=1e-12)


def test_no_folds_or_a_single_row_tell_no_standard_deviation() -> None:
    for kind, count in ((Nearest(folds=0), 20), (Nearest(), 1)):
        assert np.isnan(expert(kind, rows(count)).predict(np.zeros((1, 3)))[1]).all()


def test_kinds_are_dealt_to_owners_in_turn_and_other_kinds_are_the_same_for_all() -> None:
    mixed = Mixed(models=("ridge", "forest", "gp"))
    assert [name_of(kind_of(mixed, owner)) for owner in range(5)] == ["ridge", "forest", "gp", "ridge", "forest"]
    assert kind_of(Nearest(), 7) == Nearest()


@pytest.mark.parametrize("models", [(), ("gp", "trees"), ("mixed",)])
def test_mixtures_of_unknown_kinds_are_refused(models: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"models needs one or more of mlp, .*; got"):
        Mixed(models=models)


def test_every_kind_has_its_name() -> None:
    for name in MODEL_REFERENCES:
        assert name_of(model_class(name)()) == name
