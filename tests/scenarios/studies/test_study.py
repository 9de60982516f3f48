"""Studies: a scenario over a grid of settings, a table of how the runs ended, and the figure of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coolgp.scenarios import disparity, lossy, run
from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.config.catalogue import about
from coolgp.scenarios.config.loading import resolve
from coolgp.scenarios.data.loading import load
from coolgp.scenarios.records.run_folder import is_finished, read_metrics
from coolgp.scenarios.studies.figures import study_figure
from coolgp.scenarios.studies.in_process import run_study
from coolgp.scenarios.studies.study import Study, plan_study

from tests.run_folders import table

SETTINGS: dict[str, Any] = {
    "data": {"source": "field"},
    "agents": {
        "count": 6,
        "inducing": 8,
        "batch_size": 2,
        "hyperparameters": "fixed",
        "lengthscale": 0.5,
        "signal_variance": 1.0,
        "noise_variance": 0.01,
    },
    "fusion": {"rounds_per_step": 2},
    "network": {"topology": "ring"},
    "run": {"rounds": 2, "probes": 2},
}
GRID: dict[str, Any] = {
    "rule": {
        "tree": {"fusion.rule": "tree"},
        "the server": {"fusion.rule": "server", "fusion.repeat": False},
    },
    "network.loss": (0.0, 0.4),
}


def small(*overrides: str) -> Study:
    return plan_study("small", SETTINGS, GRID, overrides)


def test_every_cell_is_the_run_that_its_settings_make(tmp_path: Path) -> None:
    study = small()
    run_study(study, tmp_path / "s")
    rows = table(tmp_path / "s" / "study.csv")
    assert [(row["rule"], row["network.loss"]) for row in rows] == [
        ("tree", "0.0"),
        ("tree", "0.4"),
        ("the server", "0.0"),
        ("the server", "0.4"),
    ]
    for cell, row in zip(study.cells, rows, strict=True):
        assert (cell.scenario.fusion.rule == "tree") == (row["rule"] == "tree")
        run(cell.scenario, tmp_path / "alone" / cell.folder, figures=False)
        alone = read_metrics(tmp_path / "alone" / cell.folder)
        same = [name for name in alone if not name.startswith("seconds")]
        assert {name: float(row[name]) for name in same} == {name: alone[name][-1] for name in same}


def test_finished_cells_are_not_run_again_and_others_are(tmp_path: Path) -> None:
    study, again = small(), list[bool]()
    run_study(study, tmp_path)
    before = {cell.folder: (tmp_path / "cells" / cell.folder / "env.json").stat().st_mtime_ns for cell in study.cells}
    broken = study.cells[2].folder
    (tmp_path / "cells" / broken / "env.json").write_text("{}")
    rows = table(tmp_path / "study.csv")
    with pytest.warns(RuntimeWarning, match="starting from the beginning"):
        run_study(study, tmp_path, seen=lambda number, cell, last, done: again.append(done))
    assert again == [True, True, False, True]
    for name, when in before.items():
        assert ((tmp_path / "cells" / name / "env.json").stat().st_mtime_ns == when) == (name != broken)
    assert is_finished(tmp_path / "cells" / broken)
    drop = {"seconds", "seconds_predicting"}
    assert [{k: v for k, v in row.items() if k not in drop} for row in table(tmp_path / "study.csv")] == [
        {k: v for k, v in row.items() if k not in drop} for row in rows
    ]


def test_a_study_with_other_settings_is_refused_unless_it_may_be_replaced(tmp_path: Path) -> None:
    tiny = ("fusion.rule=tree", "network.loss=0.2")
    run_study(small(*tiny), tmp_path)
    with pytest.raises(ValueError, match="holds a study with other settings"):
        run_study(small(*tiny, "run.seed=3"), tmp_path)
    run_study(small(*tiny, "run.seed=3"), tmp_path, overwrite=True)
    assert [row["network.loss"] for row in table(tmp_path / "study.csv")] == ["0.2"]


def test_a_study_that_is_replaced_leaves_no_cells_of_the_old_one_but_what_is_the_users(tmp_path: Path) -> None:
    first, second = small("fusion.rule=tree", "network.loss=0.2"), small("fusion.rule=tree", "network.loss=0.3")
    run_study(first, tmp_path)
    run_study(second, tmp_path, overwrite=True)
    assert [path.name for path in (tmp_path / "cells").iterdir()] == [cell.folder for cell in second.cells]
    (tmp_path / "cells" / second.cells[0].folder / "notes.txt").write_text("mine")
    run_study(first, tmp_path, overwrite=True)
    assert [path.name for path in (tmp_path / "cells" / second.cells[0].folder).iterdir()] == ["notes.txt"]


def test_a_folder_of_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="holds files, but no study"):
        run_study(small(), tmp_path, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    "overrides, cells",
    [
        ((), 4),
        (("network.loss=0.25",), 2),
        (("fusion.rule=server",), 2),
        (("fusion.rule=tree", "network.loss=0"), 1),
        (("run.seed=5",), 4),
    ],
)
def test_a_key_that_is_set_is_no_longer_varied(overrides: tuple[str, ...], cells: int) -> None:
    study = small(*overrides)
    assert len(study.cells) == cells
    for override in overrides:
        section, key = override.partition("=")[0].split(".")
        assert len({getattr(getattr(cell.scenario, section), key) for cell in study.cells}) == 1


def test_a_value_that_no_choice_has_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"rule: none of tree, the server has fusion\.rule = flood"):
        small("fusion.rule=flood")


def test_what_is_wrong_in_one_cell_is_said_before_the_first_run() -> None:
    with pytest.raises(ConfigError, match="needed a number of at least 0 and below 1; got 2"):
        plan_study("small", SETTINGS, {"network.loss": (0.1, 2)})


def test_cells_of_a_study_have_folders_of_their_own() -> None:
    study = plan_study("lossy", lossy.SETTINGS, lossy.GRID)
    assert len({cell.folder for cell in study.cells}) == len(study.cells) == 72
    assert len({cell.scenario.hash8() for cell in study.cells}) == 72
    assert all(set(cell.folder) <= set(cell.folder) - set("/, ") for cell in study.cells)


def test_lines_are_means_over_what_is_not_shown() -> None:
    rows = [
        {"loss": str(loss), "rule": rule, "seed": str(seed), "rmse_post": str(loss + seed)}
        for rule in ("a", "b")
        for loss in (0.5, 0.0)
        for seed in (0, 2)
    ]
    axes = study_figure(rows, x="loss", lines="rule").axes[0]
    assert [line.get_label() for line in axes.lines] == ["a", "b"]
    for line in axes.lines:
        np.testing.assert_allclose(np.asarray(line.get_xydata()), [[0.0, 1.0], [0.5, 1.5]])


def test_under_heavy_loss_the_tree_still_knows_everything_and_a_server_told_once_does_not(tmp_path: Path) -> None:
    fewer = ("run.seed=0", "agents.inducing=49", "run.probes=3")
    errors = {}
    for rule in ("tree", "server"):
        for loss in (0.0, 0.5):
            study = plan_study(
                "lossy", lossy.SETTINGS, lossy.GRID, (*fewer, f"fusion.rule={rule}", f"network.loss={loss}")
            )
            scenario = study.cells[0].scenario
            run(scenario, tmp_path / f"{rule}{loss}", figures=False)
            errors[rule, loss] = read_metrics(tmp_path / f"{rule}{loss}")["rmse_post"][-1]
    assert errors["tree", 0.5] == pytest.approx(errors["tree", 0.0], rel=0.1)
    assert errors["server", 0.5] > 1.2 * errors["server", 0.0]


def test_the_first_agent_keeps_so_many_rows_and_the_others_all_of_theirs() -> None:
    settings = {"data": {"source": "field"}, "agents": {"count": 3, "batch_size": 10}, "run": {"rounds": 4}}
    whole = load(resolve(settings, "m")).training
    fragment = load(resolve(settings, "m", ["data.first_agent_rows=7"])).training
    assert np.bincount(whole.owner).tolist() == [40, 40, 40]
    assert np.bincount(fragment.owner).tolist() == [7, 40, 40]
    for agent in range(3):
        kept = np.count_nonzero(fragment.owner == agent)
        np.testing.assert_array_equal(fragment.x[fragment.owner == agent], whole.x[whole.owner == agent][:kept])


def test_an_agent_with_few_rows_ends_as_good_as_the_one_that_goes_on(tmp_path: Path) -> None:
    scenario = resolve(disparity.SETTINGS, "m", ["agents.inducing=40", "run.rounds=40", "data.test_count=1000"])
    records = run(scenario)
    last, y = records[-1].probed, load(scenario).y_test
    assert last is not None
    before, after = (np.sqrt(np.mean((fragment.mean - y) ** 2, axis=1)) for fragment in (last.pre, last.post))
    assert after[0] == pytest.approx(after[1])
    assert after[0] < 0.97 * before[0]
    assert after[1] < 1.01 * before[1]


@pytest.mark.slow
def test_a_study_runs_on_two_ranks_and_goes_on_serially(
    tmp_path: Path, on_ranks: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    small = ["--set", "fusion.rule=tree", "--agents", "8", "--seed", "1", "--set", "agents.inducing=9", "--rounds", "2"]
    command = [sys.executable, "-m", "coolgp.scenarios", "run", "lossy", *small, "--set", "network.loss=0.5"]
    for ranks in ("2", "1"):
        asked = [*command, "--out", str(tmp_path / "s"), "--ranks", ranks]
        done = subprocess.run(asked, cwd=tmp_path, env=os.environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "run 1/1: rule tree, loss 0.5, seed 1: RMSE" in done.stderr
    assert "finished before" in done.stderr
    assert (tmp_path / "s" / "study.png").is_file()
    page = unescape((tmp_path / "s" / "report.html").read_text())
    for fragment in (*about("lossy"), "data:image/png;base64", "<td>tree</td><td>0.5</td><td>1</td>"):
        assert fragment in page
    cell = plan_study("lossy", lossy.SETTINGS, lossy.GRID, [*_keys(small), "network.loss=0.5"]).cells[0]
    run(cell.scenario, tmp_path / "alone", figures=False)
    (row,) = table(tmp_path / "s" / "study.csv")
    assert float(row["rmse_post"]) == read_metrics(tmp_path / "alone")["rmse_post"][-1]


def _keys(arguments: list[str]) -> list[str]:
    named = {"--agents": "agents.count=", "--seed": "run.seed=", "--rounds": "run.rounds=", "--set": ""}
    return [named[flag] + value for flag, value in zip(arguments[::2], arguments[1::2], strict=True)]


def test_a_run_that_bears_a_scenarios_name_alone_is_not_described_as_it() -> None:
    assert about("paper-fig1")[0].startswith("The paper's figure of the SYNTHETIC domain")
    assert any(paragraph.startswith("What differs from the paper") for paragraph in about("paper-fig1"))
    assert about("field", "field") == about("field")
    assert about("field", "points.csv") == about("study") == []
