"""Studies of models trained apart: their table with the worst seed, and their figure."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coolgp.scenarios.experiments.registry import begin_cell
from coolgp.scenarios.plots.league import league_figure
from coolgp.scenarios.plots.style import NEUTRAL
from coolgp.scenarios.records.run_folder import read_metrics
from coolgp.scenarios.studies.cells import run_cells
from coolgp.scenarios.studies.costs_figure import costs_study_figure
from coolgp.scenarios.studies.folder import open_study
from coolgp.scenarios.studies.in_process import here
from coolgp.scenarios.studies.report import report_study
from coolgp.scenarios.studies.study import Study, plan_named, plan_study

from tests.run_folders import table

SMALL = ("experts.hidden=[6]", "experts.epochs=2", "experts.count=2", "data.test_count=200")
LEAGUE: dict[str, Any] = {
    "kind": "league",
    "panels": "data.partition",
    "lines": "fusion.rule",
    "metrics": {"accuracy_post": "accuracy", "bytes": "bytes sent"},
    "best": "accuracy_post",
    "targets": {},
    "worst": ("accuracy_post",),
}


def followed(study: Study, folder: Path) -> None:
    run_cells(study, folder, open_study(study, folder), here(begin_cell))
    report_study(study, folder)


def test_the_report_of_a_study_of_classifiers_names_the_worst_seed(tmp_path: Path) -> None:
    settings = {"data": {"source": "digits"}, "experts": {"model": "mlp"}, "network": {"topology": "ring"}}
    grid = {"data.partition": ("random",), "fusion.rule": ("ensemble", "average"), "run.seed": (0, 1)}
    followed(plan_study("digits-of-two", settings, grid, SMALL, LEAGUE), tmp_path)
    rows = table(tmp_path / "study.csv")
    page = unescape((tmp_path / "report.html").read_text())
    assert "<th>accuracy after</th><th>of the worst seed</th>" in page
    for rule in ("ensemble", "average"):
        worst = min(float(row["accuracy_post"]) for row in rows if row["fusion.rule"] == rule)
        assert f"<td>{worst:.3g}</td>" in page
    assert (tmp_path / "study.png").stat().st_size > 10_000
    assert not (tmp_path / "reliability.png").exists()


@pytest.mark.parametrize("metric, expected", [("accuracy_post", 0.8), ("log_loss_post", 0.9)])
def test_a_tick_marks_the_worst_seed_whichever_values_are_better(metric: str, expected: float) -> None:
    rows = [{"data": "d", "rule": "r", "seed": str(seed), metric: str(0.8 + 0.1 * seed)} for seed in (0, 1)]
    spec: dict[str, Any] = {"panels": "data", "lines": "rule", "metrics": {metric: "score"}, "best": metric}
    axes = league_figure(rows, **spec, targets={}, worst=(metric,)).axes[0]
    ticks = [line for line in axes.lines if line.get_marker() == "|" and line.get_color() == NEUTRAL]
    assert [float(np.asarray(tick.get_xdata())[0]) for tick in ticks] == pytest.approx([expected])


@pytest.mark.parametrize(("study", "rule"), [("pfnm-baselines", "PFNM"), ("spahm-gp-baselines", "SPAHM, evidence")])
def test_all_rules_of_a_study_of_baselines_are_tested_on_the_same_rows_of_the_same_seeds(study: str, rule: str) -> None:
    tested: dict[str, set[str]] = {}
    for cell in plan_named(study, ["run.seed=3"]).cells:
        tested.setdefault(cell.settings["rule"], set()).add(repr((cell.scenario.data, cell.scenario.run)))
    assert len(tested[rule]) == 2
    assert all(rows == tested[rule] for rows in tested.values())


def test_a_study_with_a_reference_has_the_paired_differences_from_it(tmp_path: Path) -> None:
    settings = {"data": {"source": "digits"}, "experts": {"model": "mlp"}, "network": {"topology": "ring"}}
    grid = {"data.partition": ("random",), "fusion.rule": ("ensemble", "average"), "run.seed": (0, 1)}
    followed(plan_study("digits-beside", settings, grid, SMALL, LEAGUE | {"reference": "ensemble"}), tmp_path)
    rows = table(tmp_path / "study.csv")
    score = {
        (row["fusion.rule"], row["run.seed"]): (float(row["accuracy_pre"]), float(row["accuracy_post"])) for row in rows
    }
    gaps = np.array([score["average", seed][1] - score["ensemble", seed][1] for seed in ("0", "1")])
    half = 12.706 * gaps.std(ddof=1) / np.sqrt(2)  # Student's t with one degree of freedom
    page = unescape((tmp_path / "report.html").read_text())
    interval = re.search(rf"{gaps.mean():+.3g} \[(.*?), (.*?)\]".replace("+", "[+]"), page)
    assert interval is not None
    assert [float(end) for end in interval.groups()] == pytest.approx(
        [gaps.mean() - half, gaps.mean() + half], rel=0.01, abs=1e-3
    )
    better = sum(after > before for (rule, _), (before, after) in score.items() if rule == "average")
    assert f"<td>{better} of 2</td>" in page


def test_all_rules_of_the_study_of_black_boxes_are_tested_on_the_same_rows_of_the_same_models() -> None:
    cells = plan_named("blackbox-baselines", ["run.seed=3", "data.source=concrete"]).cells
    assert len({repr((cell.scenario.data, cell.scenario.experts, cell.scenario.run)) for cell in cells}) == 1
    assert len(cells) == len({cell.settings["rule"] for cell in cells}) > 10


def test_a_study_of_costs_draws_a_line_for_each_rule_against_each_cost(tmp_path: Path) -> None:
    settings = {
        "data": {"source": "diabetes", "unlabelled_count": 40},
        "experts": {"model": "ridge", "count": 3},
        "network": {"topology": "ring"},
        "fusion": {"rounds_per_step": 1},
        "run": {"rounds": 6},
    }
    grid = {"fusion.rule": ("cigar", "colbi"), "run.seed": (0, 1)}
    spec: dict[str, Any] = {
        "lines": "fusion.rule",
        "costs": {"density_queries": "densities", "bytes": "data"},
        "metric": "rmse",
        "ylabel": "RMSE",
    }
    study = plan_study("costs-of-two", settings, grid, (), {"kind": "costs", **spec})
    followed(study, tmp_path)
    figure = costs_study_figure(study, tmp_path, **spec)
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["cigar", "colbi", "local models, mean"]
    asked = np.asarray(figure.axes[0].lines[0].get_xdata())
    run = tmp_path / "cells" / "rule=cigar_seed=0"
    assert float(asked[-1]) == read_metrics(run)["density_queries"].sum()
    assert (tmp_path / "study.png").stat().st_size > 10_000


def test_what_is_so_of_all_cells_is_said_once(tmp_path: Path) -> None:
    settings = {"data": {"source": "diabetes"}, "experts": {"model": "forest", "trees": 2, "count": 2}}
    study = plan_study("forests", settings, {"run.seed": (0, 1)})
    said: list[str] = []
    run_cells(study, tmp_path, open_study(study, tmp_path), here(begin_cell, say=said.append))
    assert len(said) == 1
    assert "trains them again" in said[0]
