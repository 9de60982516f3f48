"""What surrounds a program does not leak into it: backends, encodings, standard input, a parent that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from coolgp.network.launcher import library_problem
from coolgp.scenarios.config.loading import resolve

COOLGP = [sys.executable, "-m", "coolgp.scenarios"]
SMALL = ["run", "field", "--agents", "3", "--set", "agents.inducing=6", "--rounds", "2"]


@pytest.mark.parametrize("backend", ["module://no.such.backend", "qt4agg"])
def test_figures_are_drawn_whatever_backend_is_named(backend: str) -> None:
    code = "from coolgp.scenarios.plots.style import house_style\nwith house_style(): print('drawn')"
    result = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"MPLBACKEND": backend}, capture_output=True, text=True
    )
    assert result.stdout == "drawn\n", result.stderr


def test_a_narrow_encoding_shows_what_it_can() -> None:
    result = subprocess.run([*COOLGP, "list"], env=os.environ | {"PYTHONIOENCODING": "cp1252"}, capture_output=True)
    assert result.returncode == 0, result.stderr
    assert b"tree" in result.stdout


def test_what_is_asked_of_other_programs_leaves_standard_input_alone() -> None:
    code = "from coolgp.scenarios.cli.doctor import examine; examine(); import sys; print(sys.stdin.read())"
    result = subprocess.run([sys.executable, "-c", code], input="a line\nanother\n", capture_output=True, text=True)
    assert result.stdout == "a line\nanother\n\n", result.stderr


@pytest.mark.parametrize("name", ["~$book.csv", "~nobody-of-that-name.csv"])
def test_a_tilde_may_begin_the_name_of_a_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text("x,y\n1,2\n")
    scenario = resolve({}, "s", [f"data.source={name}", "data.target=y"])
    assert Path(scenario.data.source) == tmp_path / name


@pytest.mark.skipif(library_problem() is not None or not hasattr(signal, "SIGKILL"), reason="needs MPI and signals")
def test_ranks_end_when_the_process_that_started_them_is_killed(tmp_path: Path) -> None:
    command = [*COOLGP, *SMALL[:-1], "20000", "--no-figures", "--ranks", "2", "--out", "run"]
    parent = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    metrics = tmp_path / "run" / "metrics.csv"
    _wait(lambda: metrics.is_file() and metrics.read_text().count("\n") > 2)
    parent.kill()
    parent.wait()
    _wait(lambda: not (tmp_path / "run" / ".lock").exists())  # the root has let go
    assert list((tmp_path / "run" / "checkpoints").glob("round-*"))


def _wait(happened: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.05)
