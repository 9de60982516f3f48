"""Models that are only asked, in scenarios and in ``coolgp fuse``: counted, capped, and left out where they fail."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from typer.testing import CliRunner

from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.cli.app import app
from coolgp.scenarios.config.catalogue import load_scenario
from coolgp.scenarios.experiments.run import run
from coolgp.scenarios.records.run_folder import read_metrics

from tests.agents.experts.remote_models import HEAD, WELL, described, served
from tests.run_folders import timeless

ASKED = {"asked": 80, "density_queries": 0}
DEAD = f"{HEAD}sys.exit('no weights')"
ON_RANKS = """
import sys
from pathlib import Path
from coolgp.network.mpi import world
from coolgp.scenarios.config.catalogue import load_scenario
from coolgp.scenarios.experiments.kind import Options, Watcher
from coolgp.scenarios.experiments.registry import start

warned = []
scenario = load_scenario(sys.argv[2], sys.argv[3:])
start(scenario, Path(sys.argv[1]), Options(figures=False)).go(Watcher(warn=warned.append))
assert len(warned) == (2 if world().rank == 0 else 0), warned
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A scenario of four agents: two programs that answer, one that dies, and nobody at an address."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 2))
    with (tmp_path / "rows.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["a", "b", "y"], *np.c_[x, x.sum(axis=1)].tolist()])
    for name, code in (("well", WELL), ("twin", WELL), ("dead", DEAD)):
        described(tmp_path / name, code)
    with served() as (gone, _):
        pass
    files = [f"{name}/expert.toml" for name in ("well", "dead", "twin")]
    (tmp_path / "owners.toml").write_text(
        f'[data]\nsource = "rows.csv"\ntarget = "y"\n'
        f"[experts]\nfiles = {json.dumps([*files, gone])}\n"
        '[network]\ntopology = "ring"\n[fusion]\nrule = "ensemble"\n'
    )
    return tmp_path


def says(place: Path, *arguments: str, code: int = 0) -> str:
    with chdir(place):
        done = CliRunner(env={"COLUMNS": "300"}).invoke(app, list(arguments), catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.output


def test_who_fails_is_named_on_the_screen_in_a_table_and_in_the_report(place: Path) -> None:
    screen = says(place, "run", "owners.toml", "--out", "run", "--set", "experts.at_least=2")
    assert "left out: dead/expert.toml: ended with exit code 1: no weights" in screen
    assert ": cannot be reached" in screen
    out = timeless(place / "run" / "left-out.csv")
    assert [row["agent"] for row in out] == ["1", "3"]
    assert "of agent 1 is left out of fusion" in (place / "run" / "report.html").read_text()
    metrics, agents = read_metrics(place / "run"), timeless(place / "run" / "agents.csv")
    test_rows = int(agents[0]["asked"])
    assert metrics["left_out"][-1] == 2
    assert metrics["queries"][-1] == 2 * test_rows > 0
    assert [row["rmse_pre"] == "nan" for row in agents] == [False, True, False, True]
    assert max(float(row["rmse_post"]) for row in agents) < 1e-12


def test_a_run_ends_where_one_fails_unless_it_is_told_how_many_must_be_left(place: Path) -> None:
    screen = says(place, "run", "owners.toml", "--out", "run", code=2)
    assert "dead/expert.toml: ended with exit code 1: no weights" in screen
    assert "2 of 4 experts are left; needed 4, or experts.at_least = 2 to go on without" in screen
    assert "2 of 4 experts are left; needed 3, or" in says(
        place, "run", "owners.toml", "--out", "run", "--overwrite", "--set", "experts.at_least=3", code=2
    )


def test_all_ranks_agree_on_who_is_out(place: Path, on_ranks: Callable[..., CompletedProcess[str]]) -> None:
    done = on_ranks(2, ON_RANKS, place / "mpi", place / "owners.toml", "experts.at_least=2")
    assert done.returncode == 0, done.stderr
    with pytest.warns(RuntimeWarning, match="left out: "):
        run(load_scenario(place / "owners.toml", ["experts.at_least=2"]), place / "run", figures=False)
    for name in ("metrics.csv", "agents.csv", "left-out.csv"):
        assert timeless(place / "mpi" / name) == timeless(place / "run" / name)


@pytest.mark.parametrize(
    ("items", "words"),
    [
        (["experts.queries=3"], "experts.queries: needed at least 8, one for each different test row; got 3"),
        (["experts.at_least=5"], "experts.at_least: needed at most 4, the number of agents; got 5"),
        (["experts.at_least=2", "fusion.rule=average"], "experts.at_least: the rule needs the models of all agents"),
        (["experts.time_limit=0"], "experts.time_limit: needed"),
    ],
)
def test_caps_that_cannot_be_are_refused_before_anybody_is_asked(items: list[str], words: str, place: Path) -> None:
    with pytest.raises(ConfigError, match=words):
        run(load_scenario(place / "owners.toml", items), place / "run", figures=False)


def test_a_server_is_asked_for_each_test_row_once_whatever_is_done_with_the_answers(place: Path) -> None:
    with served() as (url, answers):
        items = [f'experts.files=["{url}/sum", "{url}/sum"]', "run.rounds=3", "fusion.rounds_per_step=1"]
        run(load_scenario(place / "owners.toml", items), place / "run", figures=False)
    asked = [int(row["asked"]) for row in timeless(place / "run" / "agents.csv")]
    assert asked == [8, 8]
    assert answers.rows == sum(asked) == sum(read_metrics(place / "run")["queries"])
    assert set(answers.asked) == {"/sum"}


def test_fusing_files_names_who_is_left_out_on_the_screen_and_on_the_card(place: Path) -> None:
    models = ["well/expert.toml", "dead/expert.toml", "twin/expert.toml"]
    command = ["fuse", *models, "--rule", "ensemble", "--inputs", "rows.csv", "--target", "y", "--out", "fused.csv"]
    screen = says(place, *command, code=2)
    assert "2 of 3 experts are left; needed 3, or experts.at_least = 2 to go on without" in screen
    assert not (place / "fused.csv").exists()
    screen = says(place, *command, "--set", "experts.at_least=2")
    reason = "left out: dead/expert.toml: ended with exit code 1: no weights"
    assert reason in screen
    assert json.loads((place / "fused.csv.json").read_text())["remarks"] == [reason]
    means = [float(row["mean"]) for row in timeless(place / "fused.csv")]
    assert means == pytest.approx([float(row["y"]) for row in timeless(place / "rows.csv")], abs=1e-12)


def test_the_card_counts_what_models_were_asked_under_every_rule_that_asks(place: Path) -> None:
    with served() as (url, answers):
        command = ["fuse", f"{url}/sum", "twin/expert.toml", "--rule", "colbi", "--inputs", "rows.csv", "--target", "y"]
        says(place, *command, "--out", "fused.npz")
    served_model, program = json.loads((place / "fused.npz.json").read_text())["models"]
    assert served_model["asked"] == program["asked"] == answers.rows > 0
    assert served_model["density_queries"] >= answers.rows


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--set", "experts.at_least=3"], "experts.at_least: needed at most 2, the number of models; got 3"),
        (["--set", "experts.queries=5"], "well/expert.toml: needed 80 queries more, and 0 of 5 are used"),
        (["--rule", "average", "--out", "a.npz", "--set", "experts.at_least=1"], "average needs all models"),
    ],
)
def test_wrong_caps_of_a_fusion_are_one_sentence(arguments: list[str], words: str, place: Path) -> None:
    models = ["well/expert.toml", "twin/expert.toml"]
    rule = [] if "--rule" in arguments else ["--rule", "ensemble", "--inputs", "rows.csv", "--target", "y"]
    assert words in says(place, "fuse", *models, *rule, *arguments, code=2)


def test_a_server_has_the_classes_of_the_other_models(place: Path) -> None:
    code = f"{HEAD}print('no,yes')\nfor row in rows: print('0.5,0.5')\n"
    described(place / "classes", code, classes=["no", "yes"])
    with served() as (url, _):
        for models in (["classes/expert.toml", f"{url}/classes"], [f"{url}/classes", "classes/expert.toml"]):
            out = ["--inputs", "rows.csv", "--target", "y", "--out", "fused.csv", "--overwrite"]
            says(place, "fuse", *models, "--rule", "ensemble", *out)
            assert float(timeless(place / "fused.csv")[0]["probability_yes"]) == pytest.approx(0.625)
    card = json.loads((place / "fused.csv.json").read_text())
    assert card["models"][0] == {"file": f"{url}/classes", "sha256": None, "size": "any model", **ASKED}
