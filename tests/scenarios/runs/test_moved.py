"""A project folder may be renamed or moved: data and graph are known by their contents, not by where they are."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from coolgp.scenarios.config.loading import read_scenario
from coolgp.scenarios.runs.run import resume, run

ROWS = "".join(f"{i % 7}.{i % 3},{i % 5}\n" for i in range(40))
SCENARIO = """
[data]
source = "data/rows.csv"
target = "y"
test_count = 4
[agents]
count = 2
batch_size = 2
inducing = 4
hyperparameters = "fixed"
[network]
topology = "graph.edges"
[run]
rounds = 4
"""


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    """A project with a run that was stopped after two rounds of four."""
    project = tmp_path / "before"
    (project / "data").mkdir(parents=True)
    (project / "data" / "rows.csv").write_text(f"x,y\n{ROWS}")
    (project / "graph.edges").write_text("0 1\n")
    (project / "s.toml").write_text(SCENARIO)
    scenario = read_scenario(project / "s.toml")
    with pytest.raises(KeyboardInterrupt):
        run(
            scenario,
            project / "runs" / "a",
            figures=False,
            watch=lambda record, row: os.kill(os.getpid(), signal.SIGINT) if record.round == 2 else None,
        )
    return project


@pytest.mark.parametrize("edited", [False, True])
def test_a_run_in_a_renamed_project_goes_on(stopped: Path, *, edited: bool) -> None:
    project = stopped.rename(stopped.with_name("after"))
    config = project / "runs" / "a" / "config.toml"
    if edited:
        config.write_text(config.read_text().replace("/before/", "/after/"))
    records = resume(project / "runs" / "a", figures=False)
    assert [record.round for record in records] == [3, 4]


def test_other_data_at_the_new_place_are_refused(stopped: Path) -> None:
    project = stopped.rename(stopped.with_name("after"))
    (project / "data" / "rows.csv").write_text(f"x,y\n{ROWS}".replace("6.0", "6.5"))
    with pytest.raises(ValueError, match="data are not what this run was started with"):
        resume(project / "runs" / "a", figures=False)


def test_what_is_nowhere_is_said_to_be_missing_where_it_was(stopped: Path) -> None:
    project = stopped.rename(stopped.with_name("after"))
    (project / "data" / "rows.csv").unlink()
    with pytest.raises(ValueError, match=r"before/data/rows\.csv: no such file"):
        resume(project / "runs" / "a", figures=False)
