"""Sweeps: a grid from the command line, its cells as child processes; one that was killed ends as one that was not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.base.lock import claimed_file
from coolgp.scenarios.cli.app import app
from coolgp.scenarios.studies.cells import Ended, Task, run_cells
from coolgp.scenarios.studies.claims import begin_shared
from coolgp.scenarios.studies.folder import open_study
from coolgp.scenarios.studies.grid import parse_axes, plan_sweep
from coolgp.scenarios.studies.in_process import run_study
from coolgp.scenarios.studies.processes import failure_words

from tests.run_folders import timeless

FILE = (
    '[data]\nsource = "field"\n'
    '[agents]\ncount = 6\ninducing = 8\nbatch_size = 2\nhyperparameters = "fixed"\n'
    "lengthscale = 0.5\nsignal_variance = 1.0\nnoise_variance = 0.01\n"
    '[network]\ntopology = "ring"\n[run]\nrounds = 3\nprobes = 2\n'
)
RULES = (
    "import time\nfrom dataclasses import dataclass\nfrom pathlib import Path\n"
    "from coolgp.fusion.sums.tree import Tree\n"
    "@dataclass(frozen=True)\nclass Slow(Tree):\n    def converge(self, *arguments):\n"
    "        time.sleep(0.1)\n        return super().converge(*arguments)\n"
    "@dataclass(frozen=True)\nclass Touchy(Tree):\n    def converge(self, *arguments):\n"
    "        if not Path('allowed').exists():\n            raise ValueError('touchy: not allowed')\n"
    "        return super().converge(*arguments)\n"
)
SLOW = ["fusion.rule=rules:Slow", "run.checkpoint_minutes=0", "run.rounds=20"]
AXES = ["agents.count=6,7", "run.seed=0"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "s.toml").write_text(FILE)
    (tmp_path / "rules.py").write_text(RULES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "coolgp.scenarios", "sweep", "s.toml", *arguments]


def sweep(*arguments: str) -> Result:
    """In this process, which starts others for the cells."""
    return CliRunner().invoke(app, ["sweep", "s.toml", *arguments])


def until(true: Callable[[], object], seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def children_of(process: subprocess.Popen[bytes]) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


@pytest.mark.parametrize(
    "written, labels",
    [
        ("run.seed=0..2,7", ["0", "1", "2", "7"]),
        ("run.seed=-1..1", ["-1", "0", "1"]),
        ("fusion.rule=tree, none,tree", ["tree", "none"]),
        ('data.features=["a","b"],["c"]', ['["a","b"]', '["c"]']),
        ('network.topology="a,b.csv",../c.csv', ['"a,b.csv"', "../c.csv"]),
    ],
)
def test_values_are_read_as_they_are_after_set(written: str, labels: list[str]) -> None:
    grid, problems = parse_axes([written])
    key = written.partition("=")[0]
    assert not problems
    assert grid == {key: {label: {key: label} for label in labels}}


def test_keys_joined_by_plus_change_together(place: Path) -> None:
    study = plan_sweep("s.toml", ["fusion.rule+fusion.repeat=server+true,server+false", "run.seed=3"])
    assert [cell.folder for cell in study.cells] == [
        "rule+repeat=server+true_seed=3",
        "rule+repeat=server+false_seed=3",
    ]
    assert [cell.scenario.fusion.model_extra for cell in study.cells] == [{"repeat": True}, {"repeat": False}]


def test_everything_that_is_wrong_is_said_at_once_and_nothing_is_started(place: Path) -> None:
    axes = [
        "agents.cuont=5,6,7",
        "fusion.rule=tree,tre",
        "run.seed=4..2",
        "run.rounds=1,2",
        "seed=3",
        "agents.inducing=9,",
    ]
    done = sweep(*axes, "--set", "run.rounds=3", "--out", "out")
    assert done.exit_code == 2
    said = done.output.splitlines()
    for words in (
        'agents.cuont=5: agents.cuont: unknown key; did you mean "count"?',
        'got "tre"; did you mean "tree"?',
        "run.seed=4..2: needed a range a..b with a <= b",
        "run.rounds: set and varied: leave one out",
        "seed=3: needed section.key=value",
        "agents.inducing=9,: needed values with a comma between two of them",
    ):
        assert sum(words in line for line in said) == 1, words
    assert not (place / "out").exists()


def test_two_cells_that_are_the_same_run_are_refused(place: Path) -> None:
    with pytest.raises(ConfigError, match=r"loss 0 \| loss 0\.0: the same run: leave all but one out"):
        plan_sweep("s.toml", ["network.loss=0,0.0,0.1"])


def test_a_study_of_the_package_is_swept_over_its_own_grid_or_the_users(place: Path) -> None:
    study = plan_sweep("lossy", ["run.seed=5..7"], ["network.loss=0.2", "fusion.rule=server"])
    assert len(study.cells) == 2 * 3
    assert {cell.scenario.network.loss for cell in study.cells} == {0.2}
    with pytest.raises(
        ConfigError, match=r'varied by the study\'s own axis "rule": pick of it with --set fusion\.rule'
    ):
        plan_sweep("lossy", ["fusion.rule=tree,none"])


def test_more_values_extend_a_sweep_and_other_grids_are_refused(place: Path) -> None:
    first = ["agents.count=6"]
    run_study(plan_sweep("s.toml", first), place / "out")
    marker = place / "out" / "cells" / "count=6" / "env.json"
    before, again = marker.read_bytes(), list[bool]()
    more = plan_sweep("s.toml", ["agents.count=5..6"])
    rows = run_study(more, place / "out", seen=lambda number, cell, last, done: again.append(done))
    assert again == [False, True]
    assert marker.read_bytes() == before
    assert [row["agents.count"] for row in rows] == ["5", "6"]
    for axes, overrides, why in [
        (first, [], "its count=5 is not in this grid: values can be added, not taken away"),
        ([*first, "run.seed=0,1"], [], "it varies agents.count"),
        (["agents.count=5..7"], ["run.rounds=2"], "its count=5 and 1 more was another run"),
    ]:
        with pytest.raises(ValueError, match=why):
            open_study(plan_sweep("s.toml", axes, overrides), place / "out")


@pytest.mark.slow
def test_a_sweep_that_was_killed_in_the_middle_ends_with_the_same_table(place: Path) -> None:
    sets = [part for item in SLOW for part in ("--set", item)]
    arguments = [*AXES, *sets, "--jobs", "2", "--out", "out"]
    process = subprocess.Popen(command(*arguments), start_new_session=True, stderr=subprocess.DEVNULL)
    begun = "out/cells/count={}_seed=0/checkpoints/*/index.json"
    until(lambda: all(list(place.glob(begun.format(number))) for number in (6, 7)))
    killed, orphan = children_of(process)
    os.killpg(process.pid, signal.SIGKILL)
    os.killpg(killed, signal.SIGKILL)
    process.wait()
    assert Path(f"/proc/{orphan}").exists()
    assert not (place / "out" / "study.csv").exists()
    done = sweep(*arguments)  # the child that lives on ends its round first
    assert done.exit_code == 0, done.output
    assert "2 of 2 cells finished" in done.output
    for number in (6, 7):
        assert "resumptions" in (place / "out" / "cells" / f"count={number}_seed=0" / "env.json").read_text()
    run_study(plan_sweep("s.toml", AXES, SLOW), place / "unharmed")
    assert timeless(place / "out" / "study.csv") == timeless(place / "unharmed" / "study.csv")


def test_ctrl_c_stops_the_children_with_their_checkpoints(place: Path) -> None:
    sets = [part for item in (*SLOW, "run.rounds=1000") for part in ("--set", item)]
    process = subprocess.Popen(command("run.seed=0,1", *sets, "--out", "out"), stderr=subprocess.PIPE)
    until(lambda: list((place / "out").glob("cells/*/checkpoints/*/index.json")))
    (child,) = children_of(process)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=300)
    assert process.returncode == 130
    assert b"stopped; go on with the same command" in said
    assert not Path(f"/proc/{child}").exists()
    assert list((place / "out").glob("cells/seed=0/checkpoints/*/index.json"))
    assert not (place / "out" / "cells" / "seed=1").exists()
    assert not list((place / "out").glob("cells/*/failed.txt"))


@pytest.mark.slow
def test_cells_that_fail_are_reported_and_tried_again(place: Path) -> None:
    arguments = ("fusion.rule=rules:Touchy,tree", "--set", "run.rounds=1", "--jobs", "2", "--out", "out")
    done = sweep(*arguments)
    assert done.exit_code == 1
    assert "rule rules:Touchy: failed: " in done.output
    assert "not allowed" in (place / "out" / "cells" / "rule=rules-Touchy" / "failed.txt").read_text()
    assert [row["fusion.rule"] for row in timeless(place / "out" / "study.csv")] == ["tree"]
    (place / "allowed").write_text("")
    again = sweep(*arguments)
    assert again.exit_code == 0, again.output
    assert "1 of 2 cells were finished before" in again.output
    assert [row["fusion.rule"] for row in timeless(place / "out" / "study.csv")] == ["rules:Touchy", "tree"]
    assert not list((place / "out").glob("**/failed.txt"))


@pytest.mark.parametrize("fail_fast, tried", [(False, [0, 1, 2]), (True, [0, 1])])
def test_a_failure_stops_the_others_only_where_that_was_asked_for(
    place: Path, fail_fast: bool, tried: list[int]
) -> None:
    study, begun, closed = plan_sweep("s.toml", ["run.seed=0..2"]), list[int](), list[bool]()

    def runner(tasks: Sequence[Task]) -> Generator[Ended, None, None]:
        try:
            for task in tasks:
                begun.append(task.number)
                yield Ended(task.number, "no luck\n\nthe end of the log")
        finally:
            closed.append(True)

    tried = tried[: 1 if fail_fast else None]
    progress = open_study(study, place / "out")
    results = run_cells(study, place / "out", progress, runner, fail_fast=fail_fast)
    assert begun == tried
    assert closed == [True]
    assert results.failures == dict.fromkeys(tried, "no luck")


def test_the_message_of_a_child_is_told_from_its_progress() -> None:
    said = "round 1/2: RMSE 1\ncoolgp: warning: no checkpoint\ncoolgp: first problem\nsecond problem\n"
    assert failure_words(said, 2).split("\n\n")[0] == "first problem\nsecond problem"
    crash = "Traceback (most recent call last):\n  File x\nZeroDivisionError: division by zero\n"
    assert failure_words(crash, 1).split("\n\n")[0] == "ZeroDivisionError: division by zero"
    assert failure_words("", -9).startswith("ended by signal 9")


def test_two_sweeps_into_one_folder_share_its_cells_and_both_end_with_all_of_them(place: Path) -> None:
    arguments = ["fusion.rule=rules:Slow,rules:Touchy", "--set", "run.rounds=4", "--out", "out"]
    both = [subprocess.Popen(command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(2)]
    said = [process.communicate(timeout=300)[0].decode() for process in both]
    assert [process.returncode for process in both] == [1, 1], said
    for words in said:
        assert "1 of 2 cells finished" in words
        assert "another process is at work" not in words
    cells = place / "out" / "cells"
    (cells / "rule=rules-Touchy" / "failed.txt").read_text().index("not allowed")
    assert "resumptions" not in (cells / "rule=rules-Slow" / "env.json").read_text()
    run_study(plan_sweep("s.toml", ["fusion.rule=rules:Slow"], ["run.rounds=4"]), place / "alone")
    assert timeless(place / "out" / "study.csv") == timeless(place / "alone" / "study.csv")
    assert not list((place / "out").glob("**/.*"))


@pytest.mark.slow
def test_a_cell_that_another_sweep_has_claimed_is_left_to_it_and_not_replaced(place: Path) -> None:
    study, cell = plan_sweep("s.toml", ["run.seed=0,1"]), place / "out" / "cells" / "seed=0"
    begin_shared(study, place / "out")
    with claimed_file(cell):
        process = subprocess.Popen(command("run.seed=0,1", "--out", "out"), stderr=subprocess.DEVNULL)
        until(lambda: (place / "out" / "study.csv").exists())
        assert not cell.exists()
        assert process.poll() is None
        refused = sweep("run.seed=0,1", "--out", "out", "--overwrite")
        assert refused.exit_code == 2
        assert "another process sweeps into this folder" in " ".join(refused.output.split())
        with pytest.raises(ValueError, match="another process sweeps into this folder"):
            run_study(study, place / "out")
    assert process.wait(timeout=300) == 0
    assert [row["run.seed"] for row in timeless(place / "out" / "study.csv")] == ["0", "1"]
