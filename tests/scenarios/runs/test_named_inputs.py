"""Columns that have names are taken by their names, never by their places."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from coolgp.agents.base.named_inputs import column_names, ordered
from coolgp.scenarios import load_model
from coolgp.scenarios.config.loading import resolve
from coolgp.scenarios.records.model import SavedModel
from coolgp.scenarios.runs.run import run

ROWS = np.random.default_rng(4).normal(size=(7, 3))
NAMES = ("depth", "heat", "age")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> SavedModel:
    folder = tmp_path_factory.mktemp("named")
    rows = np.random.default_rng(2).normal(size=(40, 3))
    lines = [",".join(map(str, [*row, row[0] + 2 * row[1] ** 2 - row[2]])) for row in rows]
    Path(folder / "rows.csv").write_text("\n".join([",".join([*NAMES, "y"]), *lines]))
    data = {"source": str(folder / "rows.csv"), "target": "y"}
    mapping = {"data": data, "agents": {"count": 2, "inducing": 8}, "run": {"rounds": 2}}
    run(resolve(mapping, "named"), folder / "run", figures=False)
    return load_model(folder / "run")


@pytest.mark.parametrize("kind", ["frame", "arrow", "mapping", "record"])
def test_named_columns_predict_the_same_in_any_order(model, kind):
    pandas, arrow = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    expected = model.predict(ROWS)
    named = {name: ROWS[:, NAMES.index(name)] for name in ("age", "depth", "heat")}
    record = np.rec.fromarrays(list(named.values()), names=list(named))
    forms = {"frame": pandas.DataFrame(named), "arrow": arrow.table(named), "mapping": named, "record": record}
    found = model.predict(forms[kind])
    np.testing.assert_array_equal(found.mean, expected.mean)
    np.testing.assert_array_equal(found.variance, expected.variance)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("depth", "heat", "AGE"), "missing: age; unknown, leave them out: AGE"),
        (("depth", "heat"), "missing: age"),
        (("depth", "heat", "age", "y"), "unknown, leave them out: y"),
    ],
)
def test_other_names_are_refused(model, names, words):
    with pytest.raises(ValueError, match=words):
        model.predict(dict.fromkeys(names, ROWS[:, 0]))


def test_a_name_that_comes_twice_is_refused(model):
    pandas = pytest.importorskip("pandas")
    with pytest.raises(ValueError, match="more than once: heat"):
        model.predict(pandas.DataFrame(np.c_[ROWS, ROWS[:, 1]], columns=[*NAMES, "heat"]))


def test_numbered_columns_are_taken_by_their_places(model):
    pandas = pytest.importorskip("pandas")
    np.testing.assert_array_equal(model.predict(pandas.DataFrame(ROWS)).mean, model.predict(ROWS).mean)
    assert column_names(pandas.DataFrame(ROWS)) is None
    assert ordered(ROWS.tolist(), NAMES).shape == (7, 3)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_inputs_that_are_not_finite_are_refused(model, value):
    with pytest.raises(ValueError, match="finite x; 1 rows are not"):
        model.predict(np.where(np.arange(21).reshape(7, 3) == 4, value, ROWS))
