"""Scenarios that match sets of vectors: run folder, report, sweep, compare, resume, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from coolgp.fusion.matching.studies.registry import SETS_STUDIES
from coolgp.scenarios.base.signals import Interrupted
from coolgp.scenarios.config.catalogue import load_scenario
from coolgp.scenarios.experiments.kind import Options, Stage, Watcher
from coolgp.scenarios.experiments.registry import begin_cell, start
from coolgp.scenarios.experiments.sets import kind as module
from coolgp.scenarios.experiments.sets.kind import VECTORS
from coolgp.scenarios.metrics.words import described
from coolgp.scenarios.studies.cells import run_cells
from coolgp.scenarios.studies.folder import open_study
from coolgp.scenarios.studies.grid import plan_sweep
from coolgp.scenarios.studies.in_process import here
from coolgp.scenarios.studies.report import report_study

from tests.command_line import coolgp_says
from tests.run_folders import table, timeless

TINY = (
    "--set=vectors.groups=3",
    "--set=vectors.atoms=10",
    "--set=vectors.dimensions=4",
    "--set=vectors.noise=[0.1,0.5]",
    "--set=run.repeats=2",
)
OVERRIDES = [argument.removeprefix("--set=") for argument in TINY]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished run."""
    monkeypatch.chdir(tmp_path)
    coolgp_says("run", "spahm-simulated", *TINY, "--out", "run")
    return tmp_path / "run"


def test_a_run_has_a_row_for_each_noise_with_means_over_draws(run: Path) -> None:
    rows, draws = table(run / "metrics.csv"), table(run / "draws.csv")
    assert [row["noise"] for row in rows] == ["0.1", "0.5"]
    own = [line for line in draws if line["method"] == "greedy" and line["noise"] == "0.5"]
    assert float(rows[1]["hausdorff_greedy"]) == np.mean([float(line["hausdorff"]) for line in own])
    with np.load(run / "matched-1.npz") as matched:
        assert matched["atoms"].shape == (len(matched["counts"]), 4)
    report = (run / "report.html").read_text()
    for words in ("3 groups, 2 draws at each noise", "greedy matching", "against SPAHM", "coolgp run config.toml"):
        assert words in report
    assert "Beside the authors" not in report  # whose numbers are of other settings
    assert coolgp_says("plot", "run").split() == ["run/scores.png", "run/report.html"]


def test_runs_are_swept_and_compared_by_their_first_measure(run: Path) -> None:
    study, folder = plan_sweep("spahm-simulated", ["run.seed=0,1"], OVERRIDES), Path("study")
    results = run_cells(study, folder, open_study(study, folder), here(begin_cell))
    assert next(row["hausdorff_spahm"] for row in results.table()) == float(
        table(run / "metrics.csv")[1]["hausdorff_spahm"]
    )
    report_study(study, folder)
    assert "Atoms that twenty groups share" in (folder / "report.html").read_text()
    assert "hausdorff_spahm" in coolgp_says("compare", folder)
    row, *others = table(Path("compare-hausdorff_spahm-rounds.csv"))
    assert row["n"] == "2"
    assert not others


def test_numbers_follow_from_the_seed_and_more_draws_begin_with_the_same(run: Path) -> None:
    coolgp_says("run", "spahm-simulated", *TINY, "--set", "run.repeats=3", "--out", "longer", "--no-figures")
    first = timeless(run / "draws.csv")
    assert [row for row in timeless(Path("longer/draws.csv")) if row["draw"] != "2"] == first


def test_a_run_that_was_stopped_goes_on_after_its_last_draw(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[float, int]] = []
    inner = module._drawn

    def seen(scenario: object, noise: float, repeat: int) -> object:
        drawn.append((noise, repeat))
        return inner(scenario, noise, repeat)  # type: ignore[arg-type]

    def stop(stage: Stage) -> None:
        if stage.done == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(module, "_drawn", seen)
    folder = Path("stopped")
    with pytest.raises(Interrupted):
        start(load_scenario("spahm-simulated", OVERRIDES), folder, Options()).go(Watcher(show=stop))
    coolgp_says("resume", folder)
    assert drawn == [(0.1, 0), (0.1, 1), (0.5, 0), (0.5, 1)]
    for name in ("metrics.csv", "draws.csv"):
        assert timeless(folder / name) == timeless(run / name)
    assert json.loads((folder / "env.json").read_text())["finished"]


@pytest.mark.parametrize("name", SETS_STUDIES)
def test_every_column_of_a_source_is_described(name: str) -> None:
    columns = VECTORS.columns_of(load_scenario({"vectors": {"source": name}}))  # type: ignore[arg-type]
    assert set(columns) <= set(VECTORS.columns)
    assert all(described(column) for column in columns)


def test_states_of_hidden_markov_models_are_matched_and_the_paper_stands_beside_them(tmp_path: Path) -> None:
    pytest.importorskip("hmmlearn", reason='needs pip install "coolgp[hmm]"')
    sizes = {"shared": 2, "own": 1, "length": 60, "sequences": 1, "dimensions": 3, "starts": 1}
    tiny = [f"--set=vectors.{key}={value}" for key, value in sizes.items()]
    coolgp_says(
        "run", "spahm-hmm", *tiny, "--set=vectors.noise=[0.1]", "--set=run.repeats=2", "--out", tmp_path / "run"
    )
    report = (tmp_path / "run" / "report.html").read_text()
    for words in ("one model of all sequences", "motion capture", "HDP-HMM"):
        assert words in report
    assert float(table(tmp_path / "run" / "metrics.csv")[0]["rand_spahm"]) <= 1


def test_orders_of_merges_are_compared_and_nobody_published_numbers_of_them(tmp_path: Path) -> None:
    sizes = ["--set=vectors.groups=4", "--set=vectors.noise=[0.5,3]", "--set=run.repeats=1"]
    coolgp_says("run", "spahm-orders", *sizes, "--out", tmp_path / "run")
    report = (tmp_path / "run" / "report.html").read_text()
    for words in ("balanced tree, then a walk", "adjusted Rand index of labels", "bytes sent"):
        assert words in report
    assert "HDP-HMM" not in report


def test_topics_of_owners_are_matched_beside_those_of_all_images(tmp_path: Path) -> None:
    sizes = ["--set=vectors.groups=3", "--set=vectors.topics=8", "--set=vectors.noise=[0.1]", "--set=run.repeats=1"]
    coolgp_says("run", "spahm-topics", *sizes, "--out", tmp_path / "run")
    row = {name: float(cell) for name, cell in table(tmp_path / "run" / "metrics.csv")[0].items() if cell}
    assert row["topics_own"] <= 8 < row["topics_spahm"] == row["topics_kmeans_rows"] <= row["topics_all"] == 24
    assert row["topic_accuracy_own"] < row["topic_accuracy_spahm"]
    assert row["topic_distance_all"] < row["topic_distance_spahm"] < row["topic_distance_own"]
    report = (tmp_path / "run" / "report.html").read_text()
    assert "where there are 10 digits" in report


def test_more_owners_of_topics_than_there_are_images_for_are_refused(tmp_path: Path) -> None:
    output = coolgp_says("run", "spahm-topics", "--set=vectors.groups=300", "--out", tmp_path / "run", code=2)
    assert "1297 rows are too few to deal to 300 owners" in output


def test_a_source_without_its_package_is_refused_with_the_install_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    output = coolgp_says("run", "spahm-hmm", "--out", tmp_path / "run", code=2)
    assert 'needs hmmlearn, which is not installed: pip install "coolgp[hmm]"' in output
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--set=vectors.source=books"], 'needed "copies" | "hidden-states" | "topics" | "orders"; got "books"'),
        (["--set=vectors.groups=1"], "vectors.groups: needed a whole number of at least 2; got 1"),
        (["--set=vectors.noise=[0]"], "vectors.noise: needed"),
        (["--set=vectors.noise=[1, 0.1, 1.0]"], "vectors.noise: needed each value once; got 1 twice"),
        (["--set=vectors.local=guessed"], 'vectors.local: needed "true" | "estimated"; got "guessed"'),
        (["--set=vectors.length=20"], 'the source "copies" does not take it'),
        (["--set=matching.mass=-1"], "matching.mass: needed"),
        (["--set=run.repeats=0"], "run.repeats: needed a whole number of at least 1"),
        (["--set=run.rounds=3"], "run.rounds: unknown key"),
        (["--agents=3"], "agents: unknown section"),
    ],
)
def test_a_mistake_is_one_message_before_any_work(tmp_path: Path, arguments: list[str], words: str) -> None:
    assert words in coolgp_says("run", "spahm-simulated", *arguments, "--out", tmp_path / "run", code=2)
    assert not (tmp_path / "run").exists()


def test_runs_of_other_things_are_not_compared_with_these(run: Path) -> None:
    coolgp_says("run", "field", "--agents=3", "--rounds=1", "--set=agents.inducing=5", "--out", "field", "--no-figures")
    assert "not comparable" in coolgp_says("compare", "run", "field", code=2)


def test_planning_says_that_there_are_no_agents_to_plan_by() -> None:
    assert "which has no section [agents] to plan by" in coolgp_says("plan", "spahm-simulated", code=2)
