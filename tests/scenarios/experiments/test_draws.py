"""Kinds whose work is draws: the same tables on any number of ranks, killed and gone on with or not.

Run as a program on several ranks, this file runs them into the folder that it is given.
"""

from __future__ import annotations

import csv
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from coolgp.scenarios.config.catalogue import load_scenario
from coolgp.scenarios.experiments.kind import Options, Stage, Watcher
from coolgp.scenarios.experiments.registry import start
from coolgp.scenarios.experiments.run import resume

SCENARIOS: dict[str, tuple[str, ...]] = {
    "multitask-digits": (
        'few_shot.methods=["background","few_shot","experts_sum"]',
        'few_shot.situations=["unseen","seen"]',
        "few_shot.shots=[2]",
        "run.repeats=3",
    ),
    "spahm-simulated": ("vectors.noise=[0.5,2.0]", "vectors.groups=3", "run.repeats=3"),
}
TABLES = ("metrics.csv", "draws.csv")
Program = Callable[..., CompletedProcess[str]]


def tables(folder: Path) -> dict[str, list[dict[str, str]]]:
    """What a run left, but for seconds."""
    left = {}
    for path in (folder / name for name in TABLES):
        if path.is_file():
            with path.open(newline="") as file:
                left[path.name] = [
                    {key: cell for key, cell in line.items() if key != "seconds"} for line in csv.DictReader(file)
                ]
    return left


def run(name: str, folder: Path, show: Callable[[Stage], None] = lambda stage: None) -> None:
    start(load_scenario(name, list(SCENARIOS[name])), folder / name, Options(figures=False)).go(Watcher(show=show))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list[dict[str, str]]]]:
    """The tables of runs in one process that nobody stopped."""
    folder = tmp_path_factory.mktemp("whole")
    for name in SCENARIOS:
        run(name, folder)
    return {name: tables(folder / name) for name in SCENARIOS}


def test_three_ranks_leave_the_tables_of_one(whole: dict[str, object], tmp_path: Path, on_ranks: Program) -> None:
    done = on_ranks(3, Path(__file__), "whole", tmp_path)
    assert done.returncode == 0, done.stderr
    assert {name: tables(tmp_path / name) for name in SCENARIOS} == whole


def test_ranks_that_were_killed_go_on_to_the_same_tables(
    whole: dict[str, object], tmp_path: Path, on_ranks: Program
) -> None:
    name = "multitask-digits"
    assert on_ranks(2, Path(__file__), "killed", tmp_path).returncode != 0
    assert len(tables(tmp_path / name)["draws.csv"]) == 4 * 3
    done = on_ranks(2, Path(__file__), "resumed", tmp_path)
    assert done.returncode == 0, done.stderr
    assert tables(tmp_path / name) == whole[name]


def kill(stage: Stage) -> None:
    if stage.done == 4:
        os.kill(os.getpid(), signal.SIGKILL)


def main(what: str, folder: Path) -> None:
    if what == "whole":
        for name in SCENARIOS:
            run(name, folder)
    elif what == "killed":
        run("multitask-digits", folder, kill)
    else:
        resume(folder / "multitask-digits", figures=False)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
