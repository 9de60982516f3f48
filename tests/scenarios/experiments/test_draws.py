"""Kinds whose work is draws: the same tables on any number of ranks, killed and gone on with or not.

Run as a program on several ranks, this file runs them into the folder that it is given.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from coolgp.fusion.personalise.beside import METHODS
from coolgp.scenarios.config.catalogue import load_scenario
from coolgp.scenarios.experiments.kind import Options, Stage, Watcher
from coolgp.scenarios.experiments.registry import start
from coolgp.scenarios.experiments.run import resume

from tests.run_folders import timeless

TASKS = (
    "tasks.owners=7",
    "tasks.newcomers=3",
    "tasks.inducing=5",
    'tasks.relations=["clusters","outlier"]',
    "tasks.examples=[3]",
    "run.repeats=2",
)
LOSSY = ("fusion.rule=consensus", "fusion.rounds_per_step=4", "network.loss=0.2", "network.topology=geometric")
SCENARIOS: dict[str, tuple[str, ...]] = {
    "digits": (
        "multitask-digits",
        'few_shot.methods=["background","few_shot","experts_sum"]',
        'few_shot.situations=["unseen","seen"]',
        "few_shot.shots=[2]",
        "few_shot.private=200",
        "run.repeats=2",
    ),
    "tasks": ("personalise-tasks", *TASKS),
    "lossy tasks": ("personalise-tasks", *TASKS, *LOSSY),
    "vectors": ("spahm-simulated", "vectors.noise=[2.0]", "vectors.groups=3", "run.repeats=4"),
}
TABLES = ("metrics.csv", "draws.csv", "newcomers.csv")
Program = Callable[..., CompletedProcess[str]]


def tables(folder: Path) -> dict[str, list[dict[str, str]]]:
    """What a run left, but for seconds."""
    return {name: timeless(folder / name) for name in TABLES if (folder / name).is_file()}


def run(name: str, folder: Path, show: Callable[[Stage], None] = lambda stage: None) -> None:
    scenario, *settings = SCENARIOS[name]
    start(load_scenario(scenario, settings), folder / name, Options(figures=False)).go(Watcher(show=show))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list[dict[str, str]]]]:
    """The tables of runs in one process that nobody stopped."""
    folder = tmp_path_factory.mktemp("whole")
    for name in SCENARIOS:
        run(name, folder)
    return {name: tables(folder / name) for name in SCENARIOS}


@pytest.mark.slow
def test_three_ranks_leave_the_tables_of_one(whole: dict[str, object], tmp_path: Path, on_ranks: Program) -> None:
    done = on_ranks(3, Path(__file__), "whole", tmp_path)
    assert done.returncode == 0, done.stderr
    assert {name: tables(tmp_path / name) for name in SCENARIOS} == whole


def test_ranks_go_on_with_what_was_killed_on_ranks_or_not_to_the_same_tables(
    whole: dict[str, object], tmp_path: Path, on_ranks: Program
) -> None:
    assert on_ranks(2, Path(__file__), "killed", tmp_path).returncode != 0
    with pytest.raises(Stopped):
        run("lossy tasks", tmp_path, stop)
    shutil.copytree(tmp_path / "lossy tasks", tmp_path / "alone" / "lossy tasks")
    assert len(tables(tmp_path / "digits")["draws.csv"]) == 2 * 3
    assert len(tables(tmp_path / "lossy tasks")["newcomers.csv"]) == 3 * len(METHODS)
    done = on_ranks(2, Path(__file__), "resumed", tmp_path)
    assert done.returncode == 0, done.stderr
    resume(tmp_path / "alone" / "lossy tasks", figures=False)
    for path in (tmp_path / "digits", tmp_path / "lossy tasks", tmp_path / "alone" / "lossy tasks"):
        assert tables(path) == whole[path.name]


class Stopped(Exception):
    """The first draw is done."""


def stop(stage: Stage) -> None:
    raise Stopped


def kill(stage: Stage) -> None:
    if stage.done == 2:
        os.kill(os.getpid(), signal.SIGKILL)


def main(what: str, folder: Path) -> None:
    if what == "whole":
        for name in SCENARIOS:
            run(name, folder)
    elif what == "killed":
        run("digits", folder, kill)
    else:
        for name in ("digits", "lossy tasks"):
            resume(folder / name, figures=False)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
