"""Laws of the dashboard of a run: it shows what the tables say; without a terminal there are plain lines."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from coolgp.scenarios.cli.app import app
from coolgp.scenarios.cli.dashboard import Dashboard, sparkline
from coolgp.scenarios.experiments.kind import Stage
from coolgp.scenarios.records.run_folder import read_metrics

SMALL = ["run", "field", "--no-figures", "--agents", "4", "--rounds", "3", "--set", "agents.inducing=9"]


def shown(*stages: Stage) -> str:
    """The dashboard after these stages, as a terminal has it at the end."""
    screen = io.StringIO()
    with Dashboard(Console(file=screen, force_terminal=True, width=110, color_system=None)) as dashboard:
        for stage in stages:
            dashboard(stage)
    return screen.getvalue().rpartition("╭")[2]


def test_errors_fall_from_the_highest_block_and_bytes_add_up() -> None:
    errors = [(4.0, 2.0), (3.0, 1.0), (2.0, 0.0)]
    stages = [
        Stage(place, 3, "", seconds=1.0, numbers={"rmse_pre": pre, "rmse_post": post, "bytes": 1e6, "messages": 10.0})
        for place, (pre, post) in enumerate(errors, start=1)
    ]
    text = shown(*stages)
    assert "3 of 3" in text
    assert re.search(r"RMSE before fusion\s+2\s+█▆▅", text)
    assert re.search(r"RMSE after fusion\s+0\s+▅▃▁", text)
    assert re.search(r"sent\s+3 MB\s+30 messages", text)
    assert "0 s left" in text


def test_a_kind_without_errors_has_its_words_shown() -> None:
    assert "12 trained" in shown(Stage(12, 30, "12 trained", unit="model"))


@pytest.mark.parametrize("count", [1, 32, 33, 1000])
def test_a_line_fits_and_ends_with_the_last_value(count: int) -> None:
    line = sparkline([1.0] * (count - 1) + [8.0], 8.0, 32)
    assert len(line) <= 32
    assert line[-1] == "█"


def test_without_a_terminal_there_are_the_plain_lines(tmp_path: Path) -> None:
    live = CliRunner().invoke(app, [*SMALL, "--live", "--out", str(tmp_path / "live")])
    assert live.exit_code == 0, live.output
    assert re.search(r"^round 3/3: RMSE .* after fusion, .* messages, 0 s left$", live.output, re.MULTILINE)
    assert "╭" not in live.output


def test_a_terminal_shows_the_errors_of_the_last_round(tmp_path: Path) -> None:
    master, terminal = pty.openpty()
    command = [sys.executable, "-m", "coolgp", *SMALL, "--live", "--out", str(tmp_path / "run")]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "110"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=terminal, env=environment) as process:
        os.close(terminal)
        screen = b""
        try:
            while content := os.read(master, 4096):
                screen += content
        except OSError:  # the other end is closed
            pass
        os.close(master)
        process.communicate()
    assert process.returncode == 0
    last = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", screen.decode()).rpartition("╭")[2]
    assert "3 of 3" in last
    assert f"{read_metrics(tmp_path / 'run')['rmse_post'][-1]:.4g}" in last
