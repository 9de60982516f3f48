"""The scenarios of black boxes, made small: figure, table of simple combinations, ranks, resuming, mistakes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest

from coolgp.scenarios.base.errors import FoundByAll
from coolgp.scenarios.config.catalogue import catalogue, load_scenario
from coolgp.scenarios.config.scenario import ExpertsScenario
from coolgp.scenarios.experiments.run import resume, run
from coolgp.scenarios.records.run_folder import is_finished, read_metrics

from tests.run_folders import timeless

SMALL = ("experts.count=4", "run.rounds=8", "experts.models=['gp','ridge']", "data.test_count=40")
CLASSES = ("experts.count=4", "run.rounds=4", "experts.models=['logistic','nearest']", "data.test_count=300")
NAMES = {"blackbox-diabetes": SMALL, "blackbox-concrete-like": SMALL, "blackbox-digits": CLASSES}


def scenario(name: str, *overrides: str) -> ExpertsScenario:
    made = load_scenario(name, (*NAMES[name], *overrides))
    assert isinstance(made, ExpertsScenario)
    return made


def baselines(folder: Path) -> dict[str, dict[str, float]]:
    rows = timeless(folder / "baselines.csv")
    return {row["baseline"]: {name: float(cell) for name, cell in row.items() if name != "baseline"} for row in rows}


@pytest.mark.parametrize("name", NAMES)
def test_every_scenario_leaves_its_figure_of_costs_its_table_and_its_report(name: str, tmp_path: Path) -> None:
    run(scenario(name), tmp_path / "run")
    metrics = read_metrics(tmp_path / "run")
    score, sign = ("accuracy", 1) if name == "blackbox-digits" else ("rmse", -1)
    assert sign * (metrics[f"{score}_post"][-1] - metrics[f"{score}_pre"][-1]) > 0
    assert metrics["queries"].sum() > 0
    assert (tmp_path / "run" / "costs.png").stat().st_size > 10_000
    assert "Beside simple combinations of the same models" in (tmp_path / "run" / "report.html").read_text()
    beside = baselines(tmp_path / "run")
    assert beside["local models, mean"][score] == pytest.approx(metrics[f"{score}_pre"][-1])


def test_simple_combinations_score_as_the_rules_that_speak_over_the_graph(tmp_path: Path) -> None:
    """What one place computes from all answers, and what sums over the graph lead to, are the same numbers."""
    rules = {
        "average": "ensemble",
        "median": "median",
        "product": "poe",
        "generalised product": "gpoe",
        "best local model, known afterwards": "best",
    }
    for baseline, rule in rules.items():
        whole = ("fusion.rounds_per_step=converge", "run.rounds=1", f"fusion.rule={rule}")
        run(scenario("blackbox-diabetes", *whole), tmp_path / rule, figures=False)
        metrics, row = read_metrics(tmp_path / rule), baselines(tmp_path / rule)[baseline]
        for name in ("rmse", "nlpd", "coverage95"):
            assert row[name] == pytest.approx(metrics[f"{name}_post"][-1], rel=1e-9), (rule, name)


def test_the_product_holds_fewer_rows_than_it_says_and_the_generalised_product_about_as_many(tmp_path: Path) -> None:
    run(scenario("blackbox-diabetes", "experts.count=10", "run.rounds=30"), tmp_path / "run", figures=False)
    beside, metrics = baselines(tmp_path / "run"), read_metrics(tmp_path / "run")
    assert beside["product"]["coverage95"] < 0.6
    assert 0.85 <= metrics["coverage95_post"][-1] <= 1.0
    np.testing.assert_allclose(metrics["rmse_post"][-1], beside["product"]["rmse"], rtol=1e-9)


ON_RANKS = """
import sys
from pathlib import Path
from coolgp.scenarios.config.catalogue import load_scenario
from coolgp.scenarios.experiments.kind import Options, Watcher
from coolgp.scenarios.experiments.registry import start

for rule in sys.argv[3:]:
    scenario = load_scenario("blackbox-diabetes", (*eval(sys.argv[2]), f"fusion.rule={rule}"))
    start(scenario, Path(sys.argv[1]) / rule, Options(figures=False)).go(Watcher())
"""


@pytest.mark.slow
def test_two_ranks_give_the_same_numbers_and_tables(
    tmp_path: Path, on_ranks: Callable[..., CompletedProcess[str]]
) -> None:
    few = ("experts.models=['gp','svr']", "run.rounds=2", "fusion.rounds_per_step=4")
    rules = ("cigar", "rbcm", "stacking")
    done = on_ranks(2, ON_RANKS, tmp_path, repr((*SMALL, *few)), *rules)
    assert done.returncode == 0, done.stderr
    for rule in rules:
        run(scenario("blackbox-diabetes", *few, f"fusion.rule={rule}"), tmp_path / f"serial-{rule}", figures=False)
        for name in ("metrics.csv", "agents.csv", "baselines.csv"):
            assert timeless(tmp_path / rule / name) == timeless(tmp_path / f"serial-{rule}" / name), (rule, name)


def test_a_run_that_was_killed_goes_on_to_the_same_numbers(tmp_path: Path) -> None:
    models = "experts.models=['svr','gp','nearest']"
    run(scenario("blackbox-diabetes", models), tmp_path / "run", figures=False)
    whole = [timeless(tmp_path / "run" / name) for name in ("metrics.csv", "baselines.csv")]
    for name in ("metrics.csv", "baselines.csv", "env.json"):
        (tmp_path / "run" / name).unlink()
    (tmp_path / "run" / "experts" / "agent-2.skops").unlink()
    assert not is_finished(tmp_path / "run")
    resume(tmp_path / "run", figures=False)
    assert [timeless(tmp_path / "run" / name) for name in ("metrics.csv", "baselines.csv")] == whole


@pytest.mark.parametrize(
    "name, override, message",
    [
        ("blackbox-diabetes", "experts.models=['gp','tree']", "models needs one or more of mlp"),
        ("blackbox-diabetes", "experts.models=[]", "models needs one or more of mlp"),
        ("blackbox-diabetes", "experts.models=['logistic']", '"logistic" learns classification; the data are of regre'),
        ("blackbox-digits", "experts.models=['forest','gp']", '"gp" learns regression; the data are of classification'),
        ("blackbox-digits", "fusion.rule=rbcm", '"rbcm" combines means and variances; take "gpoe" for classes'),
        ("blackbox-diabetes", "data.unlabelled_count=400", "must leave rows to train on"),
    ],
)
def test_wrong_settings_are_one_clear_message(name: str, override: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        run(scenario(name, override), tmp_path / "run", figures=False)
    assert not (tmp_path / "run").exists()


def test_rules_that_need_what_models_or_data_lack_say_which_key_helps(tmp_path: Path) -> None:
    settings: dict[str, Any] = dict(catalogue()["blackbox-diabetes"].mapping)
    settings["data"] = {"source": "diabetes", "test_count": 35}
    settings["experts"] = {"model": "svr", "folds": 0, "count": 3}
    for rule, words in (("stacking", r"set data\.labelled_count"), ("gpoe", r"take experts\.folds = 5")):
        with pytest.raises(FoundByAll, match=words):
            run(load_scenario(settings, (f"fusion.rule={rule}",)), tmp_path / rule, figures=False)


def test_agents_that_agree_from_the_first_round_on_have_no_panel_of_disagreement(tmp_path: Path) -> None:
    run(scenario("blackbox-diabetes", "fusion.rule=pooled", "run.rounds=2"), tmp_path / "run")
    assert read_metrics(tmp_path / "run")["disagreement"].max() == 0.0
    assert (tmp_path / "run" / "costs.png").stat().st_size > 5_000
