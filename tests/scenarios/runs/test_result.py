"""What a run returns in Python: the same with a run folder and without, and shown in a notebook."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import coolgp

SCENARIO = {
    "data": {"source": "field"},
    "agents": {"count": 6, "inducing": 12, "batch_size": 4, "pilot": 100},
    "run": {"rounds": 3, "probes": 4},
}
TIMED = ["seconds", "seconds_predicting"]


@pytest.fixture(scope="module")
def in_memory() -> coolgp.RunResult:
    return coolgp.run(coolgp.load_scenario(SCENARIO))


@pytest.fixture(scope="module")
def in_folder(tmp_path_factory: pytest.TempPathFactory) -> coolgp.RunResult:
    return coolgp.run(coolgp.load_scenario(SCENARIO), tmp_path_factory.mktemp("runs") / "run")


def test_tables_and_model_are_the_same_with_a_folder_and_without(
    in_memory: coolgp.RunResult, in_folder: coolgp.RunResult
) -> None:
    for name in ("metrics", "probes"):
        one, other = getattr(in_memory, name), getattr(in_folder, name)
        timed = [column for column in TIMED if column in one]
        one, other = one.drop(columns=timed), other.drop(columns=timed)
        pd.testing.assert_frame_equal(one.astype(other.dtypes), other, check_exact=False, rtol=1e-12)
    x = np.array([[0.2, 0.3], [0.7, 0.1]])
    for one, other in zip(in_memory.predict(x, True), in_folder.predict(x, True), strict=True):
        assert np.array_equal(one, other)


def test_it_is_the_list_of_its_records(in_memory: coolgp.RunResult) -> None:
    assert [record.round for record in in_memory] == [1, 2, 3]
    assert isinstance(in_memory, list)
    assert repr(in_memory) == "RunResult(3 rounds)"


def test_a_run_without_a_folder_is_saved_drawn_and_reported(in_memory: coolgp.RunResult, tmp_path: Path) -> None:
    folder = in_memory.save(tmp_path / "later")
    assert np.array_equal(coolgp.load_model(folder).predict(np.zeros((1, 2))).mean, in_memory.predict(np.zeros((1, 2))))
    assert isinstance(in_memory.plot("network"), Figure)
    assert in_memory.report().is_file()
    with pytest.raises(ValueError, match="is not empty"):
        in_memory.save(folder)
    with pytest.raises(ValueError, match="plot needs one of convergence"):
        in_memory.plot("convergance")


@pytest.mark.parametrize("name", ["in_memory", "in_folder"])
def test_a_notebook_shows_its_table_and_a_figure(name: str, request: pytest.FixtureRequest) -> None:
    shown = request.getfixturevalue(name)._repr_html_()
    assert shown.count("<img") == 1
    assert shown.count("<tr>") == 4
    assert "rmse_post" in shown


def test_a_run_of_another_kind_shows_what_its_folder_has(tmp_path: Path) -> None:
    settings = ["vectors.groups=3", "run.repeats=1"]
    result = coolgp.run(coolgp.load_scenario("spahm-orders", settings), tmp_path / "vectors", figures=False)
    assert len(result.metrics) >= 1
    assert "<table>" in result._repr_html_()
