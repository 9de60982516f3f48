"""Laws of kinds of scenario: a kind of a test's own is run, drawn, compared, swept and resumed like every other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from matplotlib.figure import Figure
from pydantic import Field
from typer.testing import CliRunner

import coolgp
from coolgp.scenarios.base.signals import Interrupted
from coolgp.scenarios.cli.app import app
from coolgp.scenarios.config.loading import read_scenario
from coolgp.scenarios.config.scenario import SCENARIOS, Scenario
from coolgp.scenarios.config.section import Settings
from coolgp.scenarios.config.sections.agents import AgentsSettings
from coolgp.scenarios.experiments.experiment import Experiment, Row, Session
from coolgp.scenarios.experiments.kind import Options, Watcher
from coolgp.scenarios.experiments.registry import KINDS, begin_cell, start
from coolgp.scenarios.experiments.report import ExperimentFolder, Findings, ResultTable
from coolgp.scenarios.plots.drawing import Drawing
from coolgp.scenarios.records.run_folder import is_finished
from coolgp.scenarios.studies.cells import run_cells
from coolgp.scenarios.studies.folder import open_study
from coolgp.scenarios.studies.grid import plan_sweep
from coolgp.scenarios.studies.in_process import here

from tests.run_folders import table

LEFT = {"config.toml", "env.json", "metrics.csv", "thrown.csv", "coins.png", "report.html"}


class CoinsSettings(Settings):
    count: int = Field(default=5, ge=1, description="coins that are thrown in each round")
    bias: float = Field(default=0.5, ge=0, le=1, description="probability of heads")


class CoinsScenario(Scenario):
    agents: AgentsSettings = Field(default=AgentsSettings(), exclude=True)
    coins: CoinsSettings = CoinsSettings()


def rows(scenario: CoinsScenario, session: Session) -> Iterator[Row]:
    rng = np.random.default_rng(scenario.run.seed)
    (session.folder / "thrown.csv").write_text(f"{scenario.coins.count}\n")
    for turn in range(int(scenario.run.rounds)):
        if scenario.coins.bias == 0 and not session.resumed and turn == 1:
            raise KeyboardInterrupt
        session.watcher.say(f"round {turn + 1}")
        yield {"round": turn + 1, "heads": int(rng.binomial(scenario.coins.count, scenario.coins.bias))}


def check(scenario: CoinsScenario) -> None:
    if scenario.coins.count > 100:
        raise ValueError("coins.count: needed at most 100")


def drawn(folder: ExperimentFolder) -> Figure:
    figure = Figure()
    figure.subplots().plot(folder.metrics["round"], folder.metrics["heads"])
    return figure


def findings(folder: ExperimentFolder) -> Findings:
    heads = f"{np.sum(folder.metrics['heads']):.0f}"
    return Findings(f"Heads came {heads} times.", (ResultTable("Counts", ["heads"], [[heads]]),), ("Thrown fairly.",))


COINS = Experiment(
    name="coins",
    words="coins are thrown",
    scenario=CoinsScenario,
    columns=("round", "heads", "tails"),
    rows=rows,
    figures={"coins": Drawing(drawn, "Heads of each round."), "never": Drawing(lambda folder: None, "Not drawn.")},
    findings=findings,
    leaves=("thrown.csv",),
    check=check,
    one_process="has one hand",
)


@pytest.fixture
def coins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A scenario of the kind, in a file."""
    monkeypatch.setitem(KINDS, "coins", COINS)
    monkeypatch.setitem(SCENARIOS, "coins", CoinsScenario)
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mine.toml"
    path.write_text('kind = "coins"\n[data]\nsource = "field"\n[coins]\ncount = 7\n[run]\nrounds = 3\n')
    return path


def coolgp_says(*arguments: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == code, done.output
    return done.output


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_is_known_by_its_name_to_what_reads_scenarios_and_to_what_runs_them(name: str) -> None:
    kind = KINDS[name]
    assert kind.name == name
    assert kind.scenario is SCENARIOS[name]
    assert kind.columns[0] == "round"
    assert len(set(kind.columns)) == len(kind.columns)
    assert set(SCENARIOS) == set(KINDS)
    assert name in coolgp_says("list")


def test_a_kind_leaves_a_run_folder_and_a_report(coins: Path) -> None:
    output = coolgp_says("run", coins, "--out", "run", "--seed", "4")
    assert "round 3" in output
    assert {path.name for path in Path("run").iterdir()} == LEFT
    assert table(Path("run/metrics.csv"))[2].keys() == {"round", "heads", "tails"}
    assert json.loads(Path("run/env.json").read_text())["finished"]
    assert read_scenario(Path("run/config.toml")).run.seed == 4
    assert "[agents]" not in Path("run/config.toml").read_text()
    report = Path("run/report.html").read_text()
    for words in ("Heads came", "Counts", "Thrown fairly.", "Heads of each round.", "coolgp run config.toml"):
        assert words in report


def test_a_kind_is_drawn_again_from_its_tables(coins: Path) -> None:
    coolgp_says("run", coins, "--out", "run", "--no-figures")
    assert {path.name for path in Path("run").iterdir()} == LEFT - {"coins.png", "report.html"}
    assert coolgp_says("plot", "run").split() == ["run/coins.png", "run/report.html"]
    assert {path.name for path in Path("run").iterdir()} == LEFT


def test_runs_of_a_kind_are_compared_by_its_columns(coins: Path) -> None:
    for seed in (0, 1):
        coolgp_says("run", coins, "--out", f"run{seed}", "--seed", seed, "--no-figures")
    coolgp_says("run", coins, "--out", "many", "--set", "coins.count=90", "--no-figures")
    output = coolgp_says("compare", "run0", "run1", "many")
    assert "coins.count" in output
    row, many = table(Path("compare-heads-rounds.csv"))
    last = [float(table(Path(f"run{seed}/metrics.csv"))[-1]["heads"]) for seed in (0, 1)]
    assert float(row["mean_heads"]) == np.mean(last)
    assert many["n"] == "1"
    assert Path("compare-heads-rounds.png").stat().st_size > 5_000
    assert "--by" not in coolgp_says("compare", "run0", "many", "--metric", "tail", code=2)


def test_a_study_of_a_kind_is_run_cell_by_cell_and_goes_on(coins: Path, tmp_path: Path) -> None:
    study = plan_sweep(str(coins), ["coins.bias=0,1", "run.seed=0,1"])
    folder = tmp_path / "study"
    progress = open_study(study, folder)
    with pytest.raises(Interrupted):
        run_cells(study, folder, progress, here(begin_cell))
    begun = open_study(study, folder)
    assert begun == ["begun", "new", "new", "new"]
    with pytest.raises(Interrupted):  # the first goes on to its end, the second stops
        run_cells(study, folder, begun, here(begin_cell))
    again = open_study(study, folder)
    assert again == ["finished", "begun", "new", "new"]
    results = run_cells(study, folder, again, here(begin_cell))
    assert [row["heads"] for row in results.table()] == [0, 0, 7, 7]
    assert all(is_finished(path) for path in (folder / "cells").iterdir())


def test_what_is_stopped_says_how_to_go_on_and_does(coins: Path) -> None:
    output = coolgp_says("run", coins, "--out", "run", "--set", "coins.bias=0", code=130)
    assert "start again with: coolgp resume run" in output
    assert not is_finished("run")
    coolgp_says("resume", "run")
    assert [row["heads"] for row in table(Path("run/metrics.csv"))] == ["0", "0", "0"]
    assert "nothing left to do" in coolgp_says("resume", "run")


def test_a_run_of_another_kind_is_replaced_whole_and_files_of_the_user_stay(coins: Path) -> None:
    coolgp_says("run", coins, "--out", "run")
    Path("run/notes.txt").write_text("mine")
    assert "there is a run already" in coolgp_says("run", "field", "--out", "run", code=2)
    small = ("--agents=4", "--rounds=1", "--set=agents.inducing=6", "--overwrite", "--out", "run", "--no-figures")
    coolgp_says("run", "field", *small)
    names = {path.name for path in Path("run").iterdir()}
    assert not names & {"thrown.csv", "coins.png"}
    assert {"model.npz", "notes.txt"} <= names
    coolgp_says("run", coins, "--out", "run", "--overwrite")
    assert {path.name for path in Path("run").iterdir()} == {*LEFT, "notes.txt"}


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--set", "coins.count=0"], "coins.count: needed a whole number"),
        (["--set", "coins.sides=2"], "coins.sides: unknown key"),
        (["--set", "agents.count=3"], "agents: unknown section"),
        (["--set", "coins.count=101"], "coins.count: needed at most 100"),
        (["--ranks", "2"], "has one hand: run it without MPI and without --ranks"),
        (["--out", "mine.toml"], "needed a folder to write to; this is a file"),
        (["--out", "."], "holds files, but no run"),
    ],
)
def test_a_mistake_is_one_message_before_any_work(coins: Path, arguments: list[str], words: str) -> None:
    output = coolgp_says("run", coins, "--out", "run", *arguments, code=2)
    assert words in " ".join(output.split())
    assert not Path("run").exists()


def test_a_sweep_refuses_ranks_that_its_kind_does_not_take(coins: Path) -> None:
    assert "has one hand" in coolgp_says("sweep", coins, "run.seed=0,1", "--ranks", "2", "--out", "run", code=2)
    assert not Path("run").exists()


def test_from_python_a_kind_is_run_into_a_folder(coins: Path) -> None:
    scenario = coolgp.load_scenario(coins)
    with pytest.raises(ValueError, match="needs out, a folder to write to"):
        coolgp.run(scenario)
    with pytest.raises(ValueError, match='dataset: a scenario of the kind "coins" takes none'):
        coolgp.run(scenario, "run", dataset=object())  # type: ignore[arg-type]
    assert coolgp.run(scenario, "run") == []
    assert coolgp.resume("run") == []
    assert is_finished("run")


def test_a_timing_of_the_users_own_refuses_what_a_centre_cannot_learn_all_at_once(tmp_path: Path) -> None:
    text = 'kind = "timing"\n[data]\nsource = "field"\n[agents]\nbasis = "rff"\n[fusion]\nrule = "poe"\n'
    (tmp_path / "mine.toml").write_text(text)
    output = coolgp_says("run", tmp_path / "mine.toml", "--out", tmp_path / "run", code=2)
    assert "fusion.rule: needed a rule that adds up evidence" in output
    assert 'agents.basis: needed "inducing"' in output


ON_RANKS = """
import sys
from pathlib import Path
from coolgp.network.mpi import world
from coolgp.scenarios.config.loading import resolve
from coolgp.scenarios.config.scenario import SCENARIOS, Scenario
from coolgp.scenarios.experiments.experiment import Experiment
from coolgp.scenarios.experiments.kind import Options, Watcher
from coolgp.scenarios.experiments.report import Findings

def rows(scenario, session):
    for turn in range(2):
        yield {"round": turn + 1, "ranks": world().allreduce(1)}

kind = Experiment(name="together", words="", scenario=Scenario, columns=("round", "ranks"), rows=rows, figures={},
                  findings=lambda folder: Findings(f"{folder.metrics['ranks'][-1]:.0f} ranks"))
SCENARIOS["together"] = Scenario
scenario = resolve({"kind": "together", "data": {"source": "field"}}, "mine")
kind.start(scenario, Path(sys.argv[1]), Options()).go(Watcher())
"""


def test_ranks_work_together_and_the_root_writes(
    tmp_path: Path, on_ranks: Callable[..., CompletedProcess[str]]
) -> None:
    done = on_ranks(2, ON_RANKS, tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert [row["ranks"] for row in table(tmp_path / "run" / "metrics.csv")] == ["2", "2"]
    assert "2 ranks" in (tmp_path / "run" / "report.html").read_text()


def test_a_folder_of_no_known_kind_is_refused_in_words(coins: Path) -> None:
    coolgp_says("run", coins, "--out", "run")
    config = Path("run/config.toml")
    for text, words in (('kind = "cards"\n', 'got "cards"'), ("[", "config.toml cannot be read")):
        config.write_text(text)
        assert words in coolgp_says("plot", "run", code=2)


def test_options_and_watchers_have_defaults_that_do_nothing(coins: Path, tmp_path: Path) -> None:
    job = start(read_scenario(coins), tmp_path / "quiet", Options())
    assert job.opening == ""
    job.go(Watcher())
    assert [line.partition(":")[0] for line in job.closing()] == ["figure", "report"]
