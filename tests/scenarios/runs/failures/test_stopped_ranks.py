"""Failure drills: ranks that die, launchers of another make, two at work on one run. A run always ends and goes on."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from coolgp.scenarios import load_scenario, resume, run
from coolgp.scenarios.base.lock import held
from coolgp.scenarios.simulation.state import Record

from tests.scenarios.runs.failures.drills import metrics

pytestmark = pytest.mark.usefixtures("findable")

Program = Callable[..., subprocess.CompletedProcess[str]]


def coolgp(place: Path, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "coolgp.scenarios", *map(str, arguments)]
    return subprocess.run(
        command, cwd=place, env=os.environ | environment, capture_output=True, text=True, timeout=60, check=False
    )


# Two at once.


def test_only_one_process_at_a_time_is_at_work_on_a_run(finished: Path, killed: Path) -> None:
    with held(killed):
        with pytest.raises(ValueError, match="another process is at work on this run"):
            resume(killed, figures=False)
        with pytest.raises(ValueError, match="another process is at work on this run"):
            run(load_scenario(killed / "config.toml"), killed, overwrite=True)
    resume(killed, figures=False)
    assert metrics(killed) == metrics(finished)


def test_a_run_is_held_while_it_goes_and_let_go_at_its_end(place: Path, tmp_path: Path) -> None:
    def look(record: Record, row: dict[str, float]) -> None:
        with pytest.raises(ValueError, match="another process"), held(tmp_path / "run"):
            pass

    run(load_scenario(place / "study.toml"), tmp_path / "run", figures=False, watch=look)
    with held(tmp_path / "run"):
        pass


# Ranks and launchers.


def test_a_rank_that_is_killed_ends_the_job_and_the_run_goes_on_elsewhere(
    place: Path, finished: Path, tmp_path: Path, on_ranks: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRILL_KILL", "1 4")
    arguments = ("run", place / "study.toml", "--out", tmp_path / "run", "--no-figures")
    done = on_ranks(2, "coolgp.scenarios", *arguments, timeout=60, runner=("-m",))
    assert done.returncode != 0
    assert len(metrics(tmp_path / "run")) == 3
    monkeypatch.delenv("DRILL_KILL")
    resume(tmp_path / "run", figures=False)
    assert metrics(tmp_path / "run") == metrics(finished)


@pytest.mark.parametrize(
    "variables",
    [
        {"PMI_RANK": "0", "PMI_SIZE": "2"},
        {"OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "2"},
    ],
    ids=lambda variables: next(iter(variables)),
)
def test_a_launcher_of_another_make_is_found_out(
    place: Path, tmp_path: Path, variables: dict[str, str], on_ranks: Program
) -> None:
    done = coolgp(place, "run", "study.toml", "--out", tmp_path / "run", **variables)
    assert done.returncode == 2
    assert "launcher and MPI library are of different makes" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()
