"""Laws of the paper's figures: studies as curves over the rounds, and what learning costs an agent and a centre."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from coolgp.scenarios.cli.app import app
from coolgp.scenarios.config.loading import resolve
from coolgp.scenarios.data.loading import load
from coolgp.scenarios.experiments.registry import KINDS
from coolgp.scenarios.experiments.timing import CENTRAL, TimingCurve, central, collective, fastest
from coolgp.scenarios.metrics.words import alike
from coolgp.scenarios.paper import paper_fig2
from coolgp.scenarios.records.run_folder import read_metrics
from coolgp.scenarios.studies.curves_figure import curves_figure
from coolgp.scenarios.studies.figures import draw_study
from coolgp.scenarios.studies.in_process import run_study
from coolgp.scenarios.studies.study import plan_named, plan_study

from tests.run_folders import table

SETTINGS: dict[str, Any] = {
    "data": {"source": "field"},
    "agents": {"count": 4, "batch_size": 3, "hyperparameters": "fixed"},
    "network": {"topology": "ring"},
    "run": {"rounds": 3, "probes": 2},
}
GRID: dict[str, Any] = {
    "agents.inducing": (6, 9),
    "kind": {"one": {"agents.lengthscale": 0.5}, "two": {"agents.lengthscale": 1.0}},
    "run.seed": (0, 1),
}
FIGURE = {"kind": "curves", "panels": "agents.inducing", "lines": "kind"}


@pytest.fixture
def points(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    x = rng.uniform(size=(400, 2))
    y = np.sin(5 * x[:, 0]) + x[:, 1] + 0.1 * rng.normal(size=400)
    np.savetxt(tmp_path / "points.csv", np.column_stack([x, y]), delimiter=",", header="a,b,speed", comments="")
    return tmp_path / "points.csv"


def test_curves_are_means_over_seeds_of_errors_against_batches(tmp_path: Path) -> None:
    study = plan_study("small", SETTINGS, GRID, (), FIGURE)
    run_study(study, tmp_path)
    (picture,) = draw_study(study, tmp_path)
    assert picture.stat().st_size > 10_000
    figure = curves_figure(study, tmp_path, panels="agents.inducing", lines="kind")
    assert [axes.get_title() for axes in figure.axes] == ["inducing = 6", "inducing = 9"]
    line = figure.axes[1].lines[3]  # two kinds, each before and after fusion
    cells = [cell for cell in study.cells if cell.settings["agents.inducing"] == 9 and cell.settings["kind"] == "two"]
    errors = [alike(read_metrics(tmp_path / "cells" / cell.folder), "rmse_post") for cell in cells]
    np.testing.assert_allclose(np.asarray(line.get_ydata(), dtype=float), np.mean(errors, axis=0))
    np.testing.assert_array_equal(line.get_xdata(), [4, 8, 12])


def test_cells_of_the_traffic_figure_are_those_of_the_paper() -> None:
    study = plan_named("paper-fig2")
    assert len(study.cells) == 2 * 3 * 2
    assert {cell.scenario.agents.inducing for cell in study.cells} == {100, 200}
    drawn = {
        cell.scenario.agents.importance_samples for cell in study.cells if "importance" in cell.settings["encoding"]
    }
    assert drawn == {5, 20}
    assert all((cell.scenario.agents.projection_std == 1) == ("importance" in cell.folder) for cell in study.cells)
    assert paper_fig2.FIGURE["panels"] in study.axes


def test_all_ways_see_the_same_rows_and_dtc_is_what_every_agent_predicts(points: Path) -> None:
    settings = SETTINGS | {"data": {"source": str(points), "target": "speed"}}
    scenario = resolve(settings | {"agents": SETTINGS["agents"] | {"inducing": 12}}, "timing")
    dataset = load(scenario)
    agents = collective(scenario, dataset)
    for method in CENTRAL:
        curve = central(scenario, dataset, method)
        np.testing.assert_array_equal(curve.points, agents.points)
        assert (curve.spent > 0).all()
        if method != "pitc":
            np.testing.assert_allclose(curve.error, agents.error, rtol=1e-8)
    assert agents.error[-1] < agents.alone[-1]


def test_of_several_measurements_the_fastest_of_each_round_counts() -> None:
    ones = np.ones(2)
    curves = iter(
        [TimingCurve(ones, np.array([3.0, 1.0]), ones, ones), TimingCurve(ones, np.array([2.0, 5.0]), ones, ones)]
    )
    assert fastest(lambda: next(curves), 2).seconds.tolist() == [2.0, 3.0]


def test_the_figure_of_speed_is_one_command(points: Path, tmp_path: Path) -> None:
    own = [f"data.source={points}", "data.target=speed", "data.test_count=40", "agents.inducing=9", "agents.pilot=100"]
    small = ["run", "paper-fig3", "--agents", "8", "--rounds", "2", *(f"--set={key}" for key in own)]
    folder = tmp_path / "timing"
    asked = [*small, "--out", str(folder)]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    assert {path.name for path in folder.iterdir()} == {
        *("config.toml", "env.json", "metrics.csv", "times.csv", "agents.csv", "timing.png", "report.html"),
    }
    rows = table(folder / "times.csv")
    assert len({row["method"] for row in rows}) == 5
    assert {row["points"] for row in rows} == {"16.0", "32.0"}
    assert len((folder / "agents.csv").read_text().splitlines()) == 1 + 3 * 3
    metrics = read_metrics(folder)
    assert tuple(metrics) == KINDS["timing"].columns
    seconds = [float(row["seconds"]) for row in rows if row["method"] == CENTRAL["dtc"]]
    np.testing.assert_allclose(metrics["seconds_dtc"].cumsum(), seconds)
    again = CliRunner().invoke(app, asked)
    assert again.exit_code == 2
    ranks = CliRunner().invoke(app, [*small, "--out", str(tmp_path / "other"), "--ranks", "2"])
    assert ranks.exit_code == 2
    assert not (tmp_path / "other").exists()
