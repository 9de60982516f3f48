"""Failure drills: signals. A run ends after its round with a checkpoint, says how to go on, and goes on."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from coolgp.scenarios import load_scenario, resume, run
from coolgp.scenarios.base.mpiexec import stand_ins
from coolgp.scenarios.base.signals import noted
from coolgp.scenarios.simulation.state import Record

from tests.scenarios.runs.failures.drills import ROUNDS, metrics

pytestmark = pytest.mark.usefixtures("findable")

Program = Callable[..., subprocess.CompletedProcess[str]]


def signalled(number: int, command: list[object], out: Path) -> tuple[int, str]:
    """Start a slow run, send it a signal when it has ended two rounds; its exit code and what it said."""
    environment = os.environ | {"DRILL_SECONDS": "0.3"}
    # In a session of its own: all its processes can be reached as a terminal reaches them.
    job = subprocess.Popen(
        [*map(str, command)], env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    until = time.monotonic() + 60
    while time.monotonic() < until and (not (out / "metrics.csv").exists() or len(metrics(out)) < 2):
        time.sleep(0.05)
    os.killpg(job.pid, number)
    return job.wait(timeout=60), job.communicate()[1]


@pytest.mark.parametrize(
    "number, kind", [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)], ids=lambda part: str(part)
)
def test_a_signal_ends_a_run_after_its_round_with_a_checkpoint(
    place: Path, finished: Path, tmp_path: Path, number: int, kind: type[BaseException]
) -> None:
    scenario = load_scenario(place / "study.toml", ["run.checkpoint_minutes=60"])

    def interrupt(record: Record, row: dict[str, float]) -> None:
        if record.round == 2:
            signal.raise_signal(number)

    before = signal.getsignal(number)
    with pytest.raises(kind, match="stopped after round 2 of 6; go on with: coolgp resume"):
        run(scenario, tmp_path / "run", figures=False, watch=interrupt)
    assert signal.getsignal(number) == before
    assert [record.round for record in resume(tmp_path / "run", figures=False)] == [3, 4, 5, 6]
    assert metrics(tmp_path / "run") == metrics(finished)


def test_a_signal_in_the_last_round_changes_nothing(place: Path, finished: Path, tmp_path: Path) -> None:
    def interrupt(record: Record, row: dict[str, float]) -> None:
        if record.round == ROUNDS:
            signal.raise_signal(signal.SIGINT)

    assert len(run(load_scenario(place / "study.toml"), tmp_path / "run", figures=False, watch=interrupt)) == ROUNDS
    assert metrics(tmp_path / "run") == metrics(finished)


def test_a_run_without_a_folder_is_interrupted_at_once(place: Path) -> None:
    def interrupt(record: Record, row: dict[str, float]) -> None:
        signal.raise_signal(signal.SIGINT)
        pytest.fail("the interrupt was put off, and there is nothing to store")

    with pytest.raises(KeyboardInterrupt):
        run(load_scenario(place / "study.toml"), watch=interrupt)


def test_after_the_first_signal_the_second_is_the_systems_own() -> None:
    with noted() as noticed:
        signal.raise_signal(signal.SIGINT)
        assert noticed.signals == [signal.SIGINT]
        assert signal.getsignal(signal.SIGINT) == signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_signal_that_was_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with noted() as noticed:
            signal.raise_signal(signal.SIGTERM)
        assert noticed.signals == []
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(
    "number, code, way",
    [
        (signal.SIGINT, 130, "alone"),
        (signal.SIGTERM, 143, "--ranks"),
        (signal.SIGINT, 130, "mpiexec"),
        pytest.param(signal.SIGINT, 130, "--ranks", marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, 143, "mpiexec", marks=pytest.mark.slow),
    ],
)
def test_the_command_line_says_how_to_go_on_and_ends_with_the_signals_exit_code(
    place: Path, finished: Path, tmp_path: Path, on_ranks: Program, number: int, code: int, way: str
) -> None:
    launcher = shutil.which("mpiexec", path=str(Path(sys.executable).parent)) or "mpiexec"
    before: list[object] = [launcher, "-n", 2] if way == "mpiexec" else []
    if way == "mpiexec":  # that of Open MPI kills its ranks at the signals themselves
        number = stand_ins(Path(launcher)).get(number, number)
    after: list[object] = ["--ranks", 2] if way == "--ranks" else []
    out = tmp_path / "run"
    arguments = ["run", place / "study.toml", "--out", out, "--no-figures"]
    noticed, output = signalled(number, [*before, sys.executable, "-m", "coolgp.scenarios", *arguments, *after], out)
    assert noticed == code, output
    assert output.count(f"go on with: coolgp resume {out}") == 1
    assert "Traceback" not in output
    assert 2 <= len(metrics(out)) < ROUNDS
    resume(out, figures=False)
    assert metrics(out) == metrics(finished)
