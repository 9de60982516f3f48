"""The README and the page on what is one's own tell the truth: scenario, Python and rule run as they stand."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from coolgp.scenarios.cli.app import app

from tests.paths import ROOT

README = (ROOT / "README.md").read_text()
OWN = (ROOT / "docs" / "own.md").read_text()


def blocks(language: str, page: str = OWN) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def write_study(folder: Path) -> None:
    rng = np.random.default_rng(0)
    x, station = rng.uniform(size=(600, 2)), rng.integers(0, 8, 600)
    y = x[:, 0] - x[:, 1] ** 2 + 0.1 * rng.normal(size=600)
    rows = [f"{s},{a},{b},{c}" for s, (a, b), c in zip(station, x, y, strict=True)]
    (folder / "points.csv").write_text("\n".join(["station,x0,x1,y", *rows]))
    study = (
        blocks("toml")[0].replace("rounds = 30", "rounds = 3").replace("inducing = 100", "inducing = 20\npilot = 100")
    )
    assert "pilot = 100" in study
    (folder / "study.toml").write_text(study)


def test_the_scenario_and_the_python_lines_run_as_written(tmp_path: Path) -> None:
    write_study(tmp_path)
    code = blocks("python")[0] + "print(forecast.mean.shape)\n"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.endswith("(2,)\n"), done.stderr


def test_the_lines_that_compare_run_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_study(tmp_path)
    monkeypatch.chdir(tmp_path)
    block = next(block for block in blocks("bash") if "coolgp compare" in block)
    for line in block.splitlines():
        done = CliRunner().invoke(app, shlex.split(line)[1:])
        assert done.exit_code == 0, done.output
    assert (tmp_path / "rules.png").is_file()


def test_the_rule_of_ones_own_runs_as_written(tmp_path: Path) -> None:
    write_study(tmp_path)
    rule = next(block for block in blocks("python") if "class Neighbours" in block)
    (tmp_path / "neighbours.py").write_text(rule)
    command = ["run", "study.toml", "--set", "fusion.rule=neighbours:Neighbours", "--out", "here"]
    asked = [sys.executable, "-m", "coolgp.scenarios", *command]
    done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Observed: 1 communication round in a round of learning" in done.stdout


def test_every_file_that_the_readme_links_to_exists() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
