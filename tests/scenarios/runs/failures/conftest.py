"""Failure drills: a study whose rule fails when it is told to, what a run of it leaves, and what a kill leaves."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from coolgp.scenarios import load_scenario, run
from coolgp.scenarios.simulation.state import Record

from tests.scenarios.runs.failures.drills import write_drill


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with a rule that fails when the environment says so."""
    folder = tmp_path_factory.mktemp("drills")
    write_drill(folder)
    return folder


@pytest.fixture
def findable(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(place))
    monkeypatch.setenv("PYTHONPATH", str(place), prepend=os.pathsep)


@pytest.fixture(scope="module")
def finished(place: Path) -> Path:
    """What a run leaves that nothing happened to, beside it `killed`, which was after 4 rounds."""
    sys.path.insert(0, str(place))

    def copy(record: Record, row: dict[str, float]) -> None:
        if record.round == 5:
            shutil.copytree(place / "whole", place / "killed")

    run(load_scenario(place / "study.toml"), place / "whole", figures=False, watch=copy)
    sys.path.remove(str(place))
    return place / "whole"


@pytest.fixture
def killed(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished.parent / "killed", tmp_path / "killed"))
