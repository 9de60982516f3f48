"""Rows that are set aside for rules that learn how to combine answers, and the sources of the black-box scenarios."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from coolgp.scenarios.base.errors import ConfigError, DataError
from coolgp.scenarios.config.catalogue import load_scenario
from coolgp.scenarios.config.sections.agents import AgentsSettings
from coolgp.scenarios.config.sections.experts import ExpertsDataSettings
from coolgp.scenarios.config.sections.run import RunSettings
from coolgp.scenarios.data.concrete import FEATURES, strength
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.data.dealt import Dealt
from coolgp.scenarios.data.loading import load_rows


def loaded(source: str, seed: int = 0, **keys: Any) -> Dataset:
    return load_rows(ExpertsDataSettings(source=source, **keys), AgentsSettings(count=10), RunSettings(seed=seed))


def test_rows_set_aside_are_neither_trained_on_nor_tested_and_test_rows_stay() -> None:
    plain = loaded("diabetes", test_count=35)
    aside = loaded("diabetes", test_count=35, labelled_count=20, unlabelled_count=87)
    assert isinstance(aside.training, Dealt)
    assert aside.aside is not None
    np.testing.assert_array_equal(plain.x_test, aside.x_test)
    parts = (aside.training.x, aside.x_test, aside.aside.x_labelled, aside.aside.x_unlabelled)
    assert [len(part) for part in parts] == [300, 35, 20, 87]
    assert len(np.unique(np.concatenate(parts), axis=0)) == 442
    assert np.bincount(aside.training.owner).tolist() == [30] * 10
    assert plain.aside is None


def test_targets_set_aside_belong_to_their_inputs() -> None:
    aside = loaded("concrete", labelled_count=50).aside
    assert aside is not None
    error = aside.y_labelled - strength(aside.x_labelled)
    assert error.std() < 6.0 < aside.y_labelled.std()  # noise of 4 MPa


def test_more_rows_set_aside_than_there_are_is_refused() -> None:
    with pytest.raises(DataError, match=r"must leave rows to train on; got 44 test rows and 500 set aside of 442 rows"):
        loaded("diabetes", unlabelled_count=500)


def test_generated_sources_set_nothing_aside() -> None:
    with pytest.raises(ConfigError, match=r'data\.labelled_count: not for "field", which makes its own agents'):
        load_scenario({"data": {"source": "field", "labelled_count": 5}, "experts": {"model": "ridge"}}, ())


def test_scenarios_without_these_keys_keep_their_hash() -> None:
    digits = {"data": {"source": "digits"}, "experts": {"model": "mlp"}, "run": {"seed": 3}}
    assert load_scenario(digits, ()).hash8() == HASH


HASH = "b574f6bf"
"""Computed before there were such keys."""


def test_concrete_grows_stronger_with_age_and_cement_and_weaker_with_water() -> None:
    mixes = loaded("concrete").x_test
    for column, more in (("age", 1.5), ("cement", 1.1), ("water", 0.9)):
        changed = mixes.copy()
        changed[:, FEATURES.index(column)] *= more
        assert (strength(changed) > strength(mixes)).all(), column


def test_concrete_follows_the_seed_and_has_its_noiseless_strength() -> None:
    one, again, other = (loaded("concrete", seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.x_test, again.x_test)
    assert not np.array_equal(one.x_test, other.x_test)
    np.testing.assert_array_equal(one.truth, strength(one.x_test))
