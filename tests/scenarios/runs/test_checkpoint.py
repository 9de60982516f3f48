"""Laws of checkpoints: a run that was killed and resumed, on any number of ranks, is the run that nobody stopped."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from io import StringIO
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from coolgp.agents.population import Population
from coolgp.fusion.registry import RULES
from coolgp.network.graphs.generate import generate
from coolgp.network.serial import SerialTransport
from coolgp.network.sharding import build_shard
from coolgp.scenarios import load_scenario, resume, run
from coolgp.scenarios.cli import progress
from coolgp.scenarios.cli.app import app
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.experiments.kind import Stage
from coolgp.scenarios.planning.limits import NoRoom
from coolgp.scenarios.runs.checkpoints.row_file import (
    describe_rows,
    read_rows,
    rows_by_block,
    with_checksums,
    write_rows,
)
from coolgp.scenarios.runs.checkpoints.state_rows import LEARNED, POPULATION

from tests.run_folders import contents, timeless

ROUNDS = 5
STUDY = (
    '[data]\nsource = "points.csv"\ntarget = "y"\nagent = "station"\n'
    "[agents]\ninducing = 10\nbatch_size = 8\nlengthscale = 0.8\nsignal_variance = 1.0\nnoise_variance = 0.1\n"
    '[network]\ntopology = "ring"\n'
    f"[run]\nrounds = {ROUNDS}\nprobes = 4\ncheckpoint_minutes = 0\n"
)
STEPS = "fusion.rounds_per_step=2"
GROWING = ("agents.inducing=3", "agents.inducing_most=30", "agents.coverage=0.99", "agents.hyperparameters=local")
MOVING = ("agents.inducing_choice=kmeans", "agents.learn_inducing=true", "agents.pilot=20")
"""At the fifth round inducing inputs move."""
SETTINGS = [
    *((f"fusion.rule={rule}", STEPS) for rule in RULES),
    ("fusion.rule=tree",),
    ("agents.hyperparameters=local", "agents.shared=latent", "network.topology=small-world"),
    ("agents.encoding=importance", "agents.hyperparameters=local"),
    ("agents.basis=rff", "agents.hyperparameters=local"),
    ("agents.hyperparameters=fixed", "network.topology=star"),
    ("fusion.rule=push-sum", STEPS, "network.loss=0.3", "network.burst=3", "network.delay=2"),
    ("fusion.rule=flood", STEPS, "network.delay=1.5", 'network.delays="geometric"', "network.churn=0.2"),
    ("fusion.rule=tree", STEPS, "network.loss=0.2", "network.bandwidth=300"),
    ("fusion.rule=tree", STEPS, "network.churn=0.3"),
    ("fusion.rule=rbcm", STEPS, "agents.hyperparameters=fixed"),
    GROWING,
    ("agents.inducing_most=30", "agents.coverage=0.95", "fusion.rule=push-sum", STEPS, "fusion.every=2"),
    ("fusion.rule=server", STEPS, "network.loss=0.3", "network.burst=4"),
    MOVING,
]
ON_RANKS = [
    ("fusion.rule=tree", "agents.hyperparameters=local"),
    ("fusion.rule=consensus", STEPS, *GROWING),
    ("fusion.rule=consensus", STEPS, *MOVING),
    ("fusion.rule=consensus", STEPS, "network.topology=small-world"),
    ("fusion.rule=push-sum", STEPS, "network.loss=0.3", "network.delay=2"),
]
CASES = range(len(ON_RANKS))
MOVES = ((2, 1), (1, 2))
"""From how many ranks to how many."""

Program = Callable[..., subprocess.CompletedProcess[str]]


def write_study(folder: Path) -> Path:
    """11 stations observe one function of two inputs, unevenly often."""
    rng = np.random.default_rng(7)
    x = rng.uniform(0, 1, (500, 2))
    y = 20 + 3 * np.sin(6 * x[:, 0]) * np.cos(4 * x[:, 1]) + 0.3 * rng.normal(size=len(x))
    station = np.minimum(rng.geometric(0.2, len(x)), 11)
    rows = [f"s{s},{a!r},{b!r},{c!r}" for s, (a, b), c in zip(station, x.tolist(), y.tolist(), strict=True)]
    (folder / "points.csv").write_text("\n".join(["station,x0,x1,y", *rows]) + "\n")
    (folder / "study.toml").write_text(STUDY)
    return folder / "study.toml"


def run_and_copy(scenario: Scenario, out: Path, after: dict[int, Path]) -> None:
    """Run to the end; `after` so many rounds copy the folder as a kill would leave it, tables one round ahead."""

    def copy(record: object, row: dict[str, float]) -> None:
        if row["round"] - 1 in after:
            shutil.copytree(out, after[row["round"] - 1])

    run(scenario, out, figures=False, watch=copy)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def finished(study: Path) -> Path:
    """A run to its end, beside it `killed`, which was after 3 rounds."""
    run_and_copy(load_scenario(study), study.parent / "whole", {3: study.parent / "killed"})
    return study.parent / "whole"


@pytest.fixture
def killed(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished.parent / "killed", tmp_path / "killed"))


@pytest.mark.parametrize("settings", SETTINGS, ids=" ".join)
def test_a_killed_run_resumed_is_the_run_that_nobody_stopped(
    study: Path, tmp_path: Path, settings: tuple[str, ...]
) -> None:
    turn, folder = 1 + len(" ".join(settings)) % (ROUNDS - 2), tmp_path / "killed"  # any round will do
    run_and_copy(load_scenario(study, settings), tmp_path / "whole", {turn: folder})
    assert len(timeless(folder / "metrics.csv")) == turn + 1
    assert [record.round for record in resume(folder, figures=False)] == list(range(turn + 1, ROUNDS + 1))
    assert contents(folder) == contents(tmp_path / "whole")


def test_ranks_take_up_each_others_checkpoints_and_store_the_same_bytes(
    study: Path, tmp_path: Path, on_ranks: Program
) -> None:
    def place(ranks: int, case: int) -> Path:
        return tmp_path / f"{ranks}-{case}"

    for ranks in (1, 2):
        start(on_ranks, ranks, "run", study, [place(ranks, case) for case in CASES])
    for case in CASES:
        stored = [place(ranks, case) / "killed" / "checkpoints" / "round-000002" for ranks in (1, 2)]
        assert (stored[0] / "rows.bin").read_bytes() == (stored[1] / "rows.bin").read_bytes()
        columns = [json.loads((folder / "index.json").read_text())["columns"] for folder in stored]
        assert columns[0] == columns[1]
    again = {(ranks, target): [tmp_path / f"{ranks} to {target}, {case}" for case in CASES] for ranks, target in MOVES}
    for (ranks, _), folders in again.items():
        for case, folder in enumerate(folders):
            shutil.copytree(place(ranks, case) / "killed", folder)
    for target in (1, 2):
        start(
            on_ranks,
            target,
            "resume",
            study,
            [f for (_, to), folders in again.items() if to == target for f in folders],
        )
    for move, folders in again.items():
        for case, folder in enumerate(folders):
            assert contents(folder) == contents(place(1, case) / "whole"), (move, ON_RANKS[case])


def start(on_ranks: Program, ranks: int, verb: str, study: Path, folders: list[Path]) -> None:
    """Run the cases, or resume them, on so many ranks: this file is the program that they run."""
    if ranks == 1:
        go_through(verb, study, folders)
        return
    done = on_ranks(ranks, Path(__file__), verb, study, *folders)
    assert done.returncode == 0, done.stderr


def go_through(verb: str, study: Path, folders: list[Path]) -> None:
    for settings, folder in zip(cycle(ON_RANKS), folders, strict=False):
        if verb == "resume":
            resume(folder, figures=False)
        else:
            folder.mkdir(exist_ok=True)
            run_and_copy(load_scenario(study, settings), folder / "whole", {2: folder / "killed"})


def test_every_array_of_a_population_that_changes_is_stored() -> None:
    rebuilt = {"model", "origin", "waiting", "keeps"}
    elsewhere = {"statistics", "steps"}
    assert {part.name for part in fields(Population)} == {*POPULATION, *LEARNED, *rebuilt, *elsewhere}


@pytest.mark.parametrize("name", ["ring", "star", "small-world"])
@pytest.mark.parametrize("parts", [1, 3, 5])
def test_rows_come_back_as_they_were_on_another_number_of_ranks(tmp_path: Path, name: str, parts: int) -> None:
    """One transport plays several ranks in turn: each writes its blocks, and one rank reads them all."""
    topology = generate(name, 40, seed=1)
    one = SerialTransport(topology)
    rng = np.random.default_rng(parts)
    queue = np.sort(rng.integers(0, len(one.shard.tail), 70))
    agent_rows, sparse, empty = rng.normal(size=(40, 2, 3)), rng.integers(0, 9, (70, 1)), np.zeros((40, 0))
    arrays = {"agents": agent_rows, "queue": sparse.astype(np.int32), "none": empty, "flags": agent_rows[:, 0, 0] > 0}
    agents = rows_by_block(one.shard, np.arange(40))
    counts = dict.fromkeys(arrays, agents) | {"queue": rows_by_block(one.shard, one.shard.tail[queue])}
    columns = describe_rows(arrays, counts, one)
    (tmp_path / "rows.bin").touch()
    order, owner = one.shard.agents, np.zeros(40, dtype=np.int64)
    owner[order] = rng.integers(0, parts, 40)  # blocks of 40 agents are single agents
    checksums = np.zeros((len(columns), one.shard.block_count), dtype=np.int64)
    for rank in range(parts):
        shard = build_shard(topology, owner, rank)
        mine = np.isin(order, shard.agents)
        own_rows = {key: rows[mine] for key, rows in arrays.items() if key != "queue"}
        own_rows["queue"] = arrays["queue"][mine[one.shard.tail[queue]]]
        checksums += write_rows(tmp_path / "rows.bin", columns, own_rows, shard)
    loaded = read_rows(tmp_path / "rows.bin", with_checksums(columns, checksums), one.shard)
    for key, rows in arrays.items():
        assert loaded[key].dtype == rows.dtype
        np.testing.assert_array_equal(loaded[key], rows)


def test_the_last_two_checkpoints_are_kept_and_none_of_a_finished_run(finished: Path, killed: Path) -> None:
    assert sorted(path.name for path in (killed / "checkpoints").iterdir()) == ["round-000002", "round-000003"]
    assert not (finished / "checkpoints").exists()


def test_without_minutes_between_them_no_checkpoint_is_due(study: Path, tmp_path: Path) -> None:
    run_and_copy(load_scenario(study, ["run.checkpoint_minutes=60"]), tmp_path / "whole", {3: tmp_path / "killed"})
    assert not (tmp_path / "killed" / "checkpoints").exists()


def test_a_run_killed_before_its_first_checkpoint_starts_over_and_says_so(finished: Path, killed: Path) -> None:
    shutil.rmtree(killed / "checkpoints")
    with pytest.warns(RuntimeWarning, match="no checkpoint was written yet: starting from the beginning"):
        assert len(resume(killed, figures=False)) == ROUNDS
    assert contents(killed) == contents(finished)


def test_a_finished_run_is_left_as_it_is(finished: Path) -> None:
    before = (finished / "metrics.csv").read_bytes()
    assert resume(finished) == []
    assert (finished / "metrics.csv").read_bytes() == before


def test_the_command_line_says_that_a_run_is_finished(finished: Path) -> None:
    result = CliRunner().invoke(app, ["resume", str(finished)])
    assert result.exit_code == 0
    assert "is finished: there is nothing left to do" in result.output


def test_the_command_line_refuses_a_folder_that_is_no_run(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["resume", str(tmp_path)])
    assert result.exit_code == 2
    assert "is not a run folder" in result.output


def test_the_command_line_resumes_and_sums_up_all_rounds(killed: Path) -> None:
    result = CliRunner().invoke(app, ["resume", str(killed), "--no-figures"])
    assert result.exit_code == 0, result.output
    assert f"in {ROUNDS} rounds" in result.output


@pytest.mark.parametrize("name, words", [("", "it has no config.toml"), ("nowhere", "there is no such folder")])
def test_a_folder_that_is_no_run_is_refused(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(ValueError, match=f"is not a run folder: {words}"):
        resume(tmp_path / name)


def test_other_data_are_refused(study: Path, killed: Path, tmp_path: Path) -> None:
    other = (tmp_path / "points.csv").resolve()
    other.write_text((study.parent / "points.csv").read_text().replace("s1,0.", "s1,1.", 1))
    config = (killed / "config.toml").read_text()
    (killed / "config.toml").write_text(config.replace(str((study.parent / "points.csv").resolve()), str(other)))
    with pytest.raises(ValueError, match=r"data are not what this run was started with"):
        resume(killed)
    assert len(list((killed / "checkpoints").iterdir())) == 2


def test_another_graph_is_refused(study: Path, killed: Path) -> None:
    labels = [f"s{number}" for number in range(1, 12)]
    star = generate("star", 11, seed=0)
    with pytest.raises(ValueError, match="graph is not what this run was started with"):
        resume(killed, topology=type(star)(star.indptr, star.indices, None, None, tuple(labels)))


@pytest.mark.parametrize(
    "old, new, refused", [("seed = 0", "seed = 1", True), ("minutes = 0.0", "minutes = 9.0", False)]
)
def test_a_changed_scenario_is_refused_unless_it_says_when_to_store(
    killed: Path, old: str, new: str, refused: bool
) -> None:
    config = (killed / "config.toml").read_text()
    assert old in config
    (killed / "config.toml").write_text(config.replace(old, new))
    if refused:
        with pytest.raises(ValueError, match=r"config\.toml"):
            resume(killed)
    else:
        assert len(resume(killed, figures=False)) == 2


def test_a_run_that_no_longer_fits_is_refused_unless_asked_for(killed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coolgp.scenarios.planning.limits.available_bytes", lambda: 0)
    with pytest.raises(NoRoom, match="would not fit"):
        resume(killed)
    result = CliRunner().invoke(app, ["resume", str(killed)])
    assert result.exit_code == 2
    assert "would not fit" in result.output
    assert len(resume(killed, figures=False, anyway=True)) == 2


def test_env_json_lists_when_and_where_a_run_was_resumed(killed: Path) -> None:
    started = json.loads((killed / "env.json").read_text())["started"]
    resume(killed, figures=False)
    loaded = json.loads((killed / "env.json").read_text())
    assert [(again["round"], again["ranks"]) for again in loaded["resumptions"]] == [(3, 1)]
    assert loaded["started"] == started
    assert loaded["finished"]


def test_overwriting_a_run_removes_its_checkpoints_and_nothing_else(study: Path, killed: Path) -> None:
    (killed / "checkpoints" / "notes.txt").write_text("mine")
    run(load_scenario(study, ["run.checkpoint_minutes=60"]), killed, figures=False, overwrite=True)
    assert [path.name for path in (killed / "checkpoints").iterdir()] == ["notes.txt"]


def test_a_rule_whose_state_has_no_marked_arrays_runs_without_checkpoints_and_says_so(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "unmarked.py").write_text(
        "from dataclasses import dataclass\n"
        "from coolgp.fusion.sums.isolated import Isolated\n"
        "class Box(list): pass\n"
        "@dataclass(frozen=True)\n"
        "class Unmarked:\n"
        "    def fit(self, topology, faults): return self\n"
        "    def guarantee(self, topology, faults): return Isolated().guarantee(topology, faults)\n"
        "    def links(self, topology): return topology\n"
        "    def init(self, population, transport): return Box([Isolated().init(population, transport)])\n"
        "    def exchange(self, state, population, transport, rounds=1):\n"
        "        return Box([Isolated().exchange(state[0], population, transport)])\n"
        "    converge = exchange\n"
        "    def predict(self, state, *rest): return Isolated().predict(state[0], *rest)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    scenario = load_scenario(study, ["fusion.rule=unmarked:Unmarked", "agents.hyperparameters=fixed"])
    with pytest.warns(RuntimeWarning, match="does not say which of its arrays have a row") as result:
        assert len(run(scenario, tmp_path / "run", figures=False)) == ROUNDS
    assert len(result) == 1


def test_the_time_left_counts_the_rounds_since_the_start_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    now, result = [100.0], StringIO()
    monkeypatch.setattr(progress, "perf_counter", lambda: now[0])
    lines = progress.Lines(result)
    for number in (8, 9):  # of a run that goes on after round 7, 10 seconds each
        now[0] += 10
        lines(Stage(done=number, total=10, words="", seconds=10.0))
    assert [line.rpartition(", ")[2] for line in result.getvalue().splitlines()] == ["20 s left", "10 s left"]


if __name__ == "__main__":
    go_through(sys.argv[1], Path(sys.argv[2]), [Path(name) for name in sys.argv[3:]])
