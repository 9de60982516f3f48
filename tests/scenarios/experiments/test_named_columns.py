"""Tables handed over beside models: columns by the names that models know, never by their places."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from coolgp.agents.experts.adapters import expert_of
from coolgp.scenarios.base.errors import DataError
from coolgp.scenarios.experiments.handed.rows import read_examples, read_queries

pandas = pytest.importorskip("pandas")
X = np.random.default_rng(0).normal(size=(9, 2))


def linear(*names: str) -> LinearRegression:
    x = pandas.DataFrame(X, columns=names) if names else X
    return LinearRegression().fit(x, X @ [3.0, -1.0])


def written(folder: Path, *names: str) -> Path:
    frame = pandas.DataFrame({name: X[:, "uv".find(name) % 2] for name in names})
    frame.assign(y=X @ [3.0, -1.0]).to_csv(folder / "t.csv", index=False)
    return folder / "t.csv"


def test_columns_are_put_in_the_order_of_the_model(tmp_path):
    experts = [expert_of(linear("u", "v")), expert_of(linear())]
    path = written(tmp_path, "v", "u")
    np.testing.assert_allclose(read_queries(path, "y", experts), X)
    np.testing.assert_allclose(read_examples(path, "y", experts).x, X)
    np.testing.assert_allclose(read_queries(path, "y", experts[1:]), X[:, ::-1])


def test_other_names_are_refused(tmp_path):
    with pytest.raises(DataError, match="missing: v; unknown, leave them out: w"):
        read_queries(written(tmp_path, "u", "w"), "y", [expert_of(linear("u", "v"))])


def test_models_with_the_same_inputs_in_other_orders_are_refused(tmp_path):
    with pytest.raises(DataError, match="different orders"):
        read_queries(written(tmp_path, "u", "v"), "y", [expert_of(linear("u", "v")), expert_of(linear("v", "u"))])


def test_models_of_named_columns_are_asked_by_arrays_in_their_order():
    mean, _ = expert_of(linear("u", "v")).predict(X)  # and say nothing: warnings are errors here
    np.testing.assert_allclose(mean, X @ [3.0, -1.0])
