"""Models trained apart and fused: scenarios with a section [experts]."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from coolgp.agents.experts.task import Task
from coolgp.fusion.apart.registry import APART_RULES, apart_rule_named
from coolgp.scenarios.cli.app import app
from coolgp.scenarios.config.catalogue import load_scenario
from coolgp.scenarios.config.scenario import ExpertsScenario
from coolgp.scenarios.experiments.run import resume, run
from coolgp.scenarios.records.run_folder import is_finished, read_metrics

DIGITS: dict[str, Any] = {
    "data": {"source": "digits", "partition": "dirichlet-classes", "test_count": 300},
    "experts": {"model": "mlp", "count": 3, "hidden": [10], "epochs": 3},
    "network": {"topology": "ring"},
}
FIELD: dict[str, Any] = {
    "data": {"source": "field", "observations": 400},
    "experts": {"model": "sparse-gp", "count": 3, "inducing": 8, "iterations": 5},
    "network": {"topology": "ring"},
}


def scenario(settings: dict[str, Any], *overrides: str) -> ExpertsScenario:
    made = load_scenario(settings, overrides)
    assert isinstance(made, ExpertsScenario)
    return made


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return [{name: cell for name, cell in row.items() if "seconds" not in name} for row in csv.DictReader(file)]


def coolgp_says(*arguments: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == code, done.output
    return done.output


def fits(rule: str, task: Task) -> bool:
    try:
        apart_rule_named(rule).check(task)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("rule", [rule for rule in APART_RULES if fits(rule, Task(("cat", "dog")))])
def test_every_rule_fuses_classifiers_and_reports(rule: str, tmp_path: Path) -> None:
    run(scenario(DIGITS, f"fusion.rule={rule}"), tmp_path / "run")
    metrics = read_metrics(tmp_path / "run")
    assert 0.0 < metrics["accuracy_worst_post"][-1] <= metrics["accuracy_post"][-1] <= 1.0
    assert "rmse_post" not in metrics
    assert "accuracy" in (tmp_path / "run" / "report.html").read_text()
    assert sum(float(row["rows"]) for row in table(tmp_path / "run" / "agents.csv")) == 1497


@pytest.mark.parametrize("rule", ["ensemble", "pooled", "spahm"])
def test_regression_has_the_columns_of_regression(rule: str, tmp_path: Path) -> None:
    run(scenario(FIELD, f"fusion.rule={rule}"), tmp_path / "run")
    metrics = read_metrics(tmp_path / "run")
    assert metrics["rmse_post"][-1] < metrics["rmse_worst_pre"][-1]
    assert np.isfinite([metrics[name][-1] for name in ("nlpd_post", "coverage95_post", "error_post")]).all()
    assert "accuracy_post" not in metrics


def test_a_run_that_was_killed_after_training_does_not_train_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(scenario(DIGITS), tmp_path / "run", figures=False)
    whole = table(tmp_path / "run" / "metrics.csv")
    (tmp_path / "run" / "metrics.csv").unlink()
    (tmp_path / "run" / "env.json").unlink()
    assert not is_finished(tmp_path / "run")
    monkeypatch.setattr("coolgp.agents.experts.models.networks.MLP.trained", None)
    resume(tmp_path / "run", figures=False)
    assert table(tmp_path / "run" / "metrics.csv") == whole
