"""Laws of scenarios of two classes: they run, resume and report as every kind, and their models give probabilities."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer

import coolgp
from coolgp.scenarios.base.errors import ConfigError, DataError
from coolgp.scenarios.config.loading import resolve
from coolgp.scenarios.experiments.classes.kind import CLASSIFICATION
from coolgp.scenarios.experiments.kind import Options, Watcher
from coolgp.scenarios.experiments.registry import kind_in, start
from coolgp.scenarios.metrics.class_scores import brier, log_loss

SETTINGS = {
    "data": {"source": "class-field", "task": "classification"},
    "agents": {"count": 6, "inducing": 20, "batch_size": 10, "pilot": 300, "pilot_iterations": 10},
    "run": {"rounds": 4, "probes": 3},
}


def scenario(**changes: object):
    sections = {name: {**keys, **changes.get(name, {})} for name, keys in SETTINGS.items()}  # type: ignore[dict-item]
    others = {name: keys for name, keys in changes.items() if name not in SETTINGS}
    return resolve({**sections, **others}, "classes")


def run(folder: Path, **changes: object) -> list[dict[str, str]]:
    job = start(scenario(**changes), folder, Options())
    job.go(Watcher())
    with (folder / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("classes") / "run"
    run(folder)
    return folder


def last_of(folder: Path) -> dict[str, float]:
    with (folder / "metrics.csv").open() as file:
        return {name: float(cell) for name, cell in list(csv.DictReader(file))[-1].items()}


def test_a_run_writes_scores_of_classes_and_none_of_numbers(finished):
    last = last_of(finished)
    assert set(last) == set(CLASSIFICATION.columns)
    assert not {name for name in last if name.startswith(("rmse", "nlpd", "crps", "coverage"))}
    assert last["accuracy_post"] > last["accuracy_pre"]
    assert last["brier_post"] < 0.25
    assert last["log_loss_post"] < np.log(2)
    assert last["observations"] == 6 * 10 * 4
    assert {"calibration.png", "rounds.png", "report.html"} <= {path.name for path in finished.iterdir()}


def test_the_stored_model_has_the_probabilities_that_were_scored(finished):
    model, last = coolgp.load_model(finished), last_of(finished)
    with np.load(finished / "predictions.npz") as stored:
        x, y, after = stored["x_test"], stored["y_test"].astype(int), stored["probability_post"]
    assert model.classes == ("low", "high")
    probabilities = np.stack([model.predict_proba(x, agent) for agent in model.agents])
    np.testing.assert_allclose(probabilities[:, :, 1], after, atol=1e-12)
    np.testing.assert_allclose(log_loss(probabilities, y).mean(), last["log_loss_post"], atol=1e-10)
    np.testing.assert_allclose(brier(probabilities, y).mean(), last["brier_post"], atol=1e-10)
    forecast = model.predict(x)
    np.testing.assert_allclose(forecast.variance, forecast.mean * (1 - forecast.mean))
    with pytest.raises(ValueError, match="learned classes"):
        model.to_sparse_gp()


def test_a_file_with_two_classes_is_learned_and_named(tmp_path):
    bunch = load_breast_cancer()
    lines = [",".join([*(f"c{i}" for i in range(5)), "kind"])]
    lines += [
        ",".join([*map(str, x[:5]), bunch.target_names[y]]) for x, y in zip(bunch.data, bunch.target, strict=True)
    ]
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(lines))
    rows = run(tmp_path / "run", data={"source": str(path), "target": "kind"}, run={"rounds": "all"})
    assert float(rows[-1]["accuracy_post"]) > 0.85
    assert coolgp.load_model(tmp_path / "run").classes == ("benign", "malignant")
    assert kind_in(tmp_path / "run") is CLASSIFICATION


def test_three_classes_are_refused(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("x,kind\n" + "\n".join(f"{i},{'abc'[i % 3]}" for i in range(60)))
    with pytest.raises(DataError, match=r"needed two classes in \"kind\", got 3 \(a, b, c\)"):
        run(tmp_path / "run", data={"source": str(path), "target": "kind"})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"agents": {"hyperparameters": "collective"}}, 'agents.hyperparameters: needed "fixed"'),
        ({"agents": {"noise_variance": 0.1}}, "classes have no noise of their own"),
        ({"agents": {"forget": 0.9}}, "rows that are kept count in full"),
        ({"agents": {"inducing_choice": "own"}}, "start from one pilot sample"),
        ({"fusion": {"rule": "poe"}}, "fusion.rule: needed"),
        ({"data": {"source": "airline"}}, "leave out data.task"),
        ({"run": {"keep_predictions": True}}, "run.keep_predictions: not where classes are learned"),
    ],
)
def test_what_is_for_numbers_is_refused(changes, message):
    with pytest.raises(ConfigError) as refused:
        scenario(**changes)
    assert message in str(refused.value)


def test_with_rows_weighed_once_agents_may_forget(tmp_path):
    rows = run(tmp_path / "run", agents={"kept_rows": 0, "forget": 0.9})
    assert float(rows[-1]["accuracy_post"]) > 0.7


def test_numbers_are_learned_where_no_task_is_named():
    assert resolve({"data": {"source": "field"}}, "numbers").kind == "rounds"
    assert scenario().kind == "two-classes"
    with pytest.raises(ConfigError, match=r"data\.source"):
        resolve({"data": {"source": "class-field"}}, "numbers")
    with pytest.raises(ConfigError, match="into its file"):
        resolve({"data": {"source": "field"}}, "numbers", ["data.task=classification"])
