"""A checkpoint that no run wrote, whatever its checksums say, is refused in one sentence or left for an earlier one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coolgp.scenarios import load_scenario
from coolgp.scenarios.runs.checkpoints.checkpoint import _index_checksum
from coolgp.scenarios.runs.prepare import prepare_resume

from tests.scenarios.runs.test_checkpoint import run_and_copy, write_study

STRANGE: tuple[Any, ...] = (None, "x", -1, 10**12, 1.5, [], {}, [[]], "|O8", True, [1, 2], {"a": 1})


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("crafted")
    run_and_copy(load_scenario(write_study(folder)), folder / "whole", {3: folder / "killed"})
    return folder / "killed"


def outcome(folder: Path) -> str:
    """What is said of a folder that is to be gone on with; nothing where its newest checkpoint is taken."""
    try:
        prepared = prepare_resume(folder, figures=False)
    except ValueError as problem:
        return str(problem)
    prepared.locks.close()
    return "; ".join(prepared.notes)


def spoil(value: Any, rng: np.random.Generator) -> Any:
    """The value with one part of it, somewhere inside, taken out or replaced."""
    if not isinstance(value, dict | list) or not value or rng.random() < 0.2:
        return STRANGE[rng.integers(len(STRANGE))]
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = keys[rng.integers(len(keys))]
    if rng.random() < 0.2:
        del value[key]
    else:
        value[key] = spoil(value[key], rng)
    return value


def craft(folder: Path, index: Any) -> None:
    for path in (folder / "checkpoints").glob("*/index.json"):
        checked = index | {"checksum": _index_checksum(index)} if isinstance(index, dict) else index
        path.write_text(json.dumps(checked))


@pytest.mark.parametrize("tries", [40, pytest.param(600, marks=pytest.mark.slow)])
def test_no_crafted_index_gives_a_traceback(killed, tmp_path, tries):
    rng = np.random.default_rng(tries)
    original = json.loads(max((killed / "checkpoints").glob("*/index.json")).read_text())
    original.pop("checksum")
    refused = 0
    for turn in range(tries):
        folder = Path(shutil.copytree(killed, tmp_path / f"r{turn}"))
        craft(folder, spoil(json.loads(json.dumps(original)), rng))
        said = outcome(folder)
        refused += bool(said)
        shutil.rmtree(folder)
        assert "\n" not in said
    assert refused > tries / 3


def test_arrays_of_another_shape_are_named(killed, tmp_path):
    folder = Path(shutil.copytree(killed, tmp_path / "run"))
    index = json.loads(max((folder / "checkpoints").glob("*/index.json")).read_text())
    index.pop("checksum")
    for column in index["columns"]:
        if column["name"] == "population/theta":
            column["tail"], column["dtype"] = [column["tail"][0] * 2], "<f4"
    craft(folder, index)
    assert "theta needs float64" in outcome(folder)
