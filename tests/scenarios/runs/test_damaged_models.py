"""A model.npz that is damaged, or made by a stranger, is refused in one sentence or predicts finite numbers."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from coolgp.scenarios import load_model
from coolgp.scenarios.config.loading import resolve
from coolgp.scenarios.runs.run import run

SETTINGS = {"source": "field"}


@pytest.fixture(scope="module", params=["inducing", "rff"])
def arrays(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, NDArray[Any]]:
    agents = {"count": 3, "inducing": 6, "batch_size": 8, "basis": request.param}
    folder = tmp_path_factory.mktemp("model") / "run"
    mapping = {"data": SETTINGS, "agents": agents, "network": {"topology": "ring"}, "run": {"rounds": 2}}
    run(resolve(mapping, "model"), folder, figures=False)
    return dict(np.load(folder / "model.npz"))


def outcome(path: Path) -> str:
    """The one sentence of a refusal, or nothing where the model predicts finite numbers."""
    try:
        model = load_model(path)
        forecast = model.predict(np.full((2, len(model.features)), 0.3))
    except ValueError as problem:
        return str(problem).replace("\n", " AND MORE THAN ONE LINE: ")
    assert np.isfinite(forecast.mean).all()
    assert (forecast.variance > 0).all()
    return ""


def store(path: Path, arrays: dict[str, NDArray[Any]]) -> Path:
    np.savez(path, **arrays)
    return path


def test_a_whole_model_is_read(arrays, tmp_path):
    assert outcome(store(tmp_path / "model.npz", arrays)) == ""


def test_each_array_that_is_missing_or_of_another_shape_is_named(arrays, tmp_path):
    kept = {name for name in arrays if outcome(store(tmp_path / "m.npz", {k: arrays[k] for k in arrays if k != name}))}
    assert kept >= {"theta", "precision", "shift", "square", "count", "features", "agents", "x_mean", "y_scale", "full"}
    for name in kept - {"basis", "shared", "coordinates"}:
        assert name in outcome(store(tmp_path / "m.npz", arrays | {name: arrays[name][None]}))


def test_numbers_that_are_not_finite_are_named(arrays, tmp_path):
    for name in ("theta", "precision", "shift", "x_mean", "x_scale", "y_mean"):
        spoiled = arrays[name].copy()
        spoiled.flat[0] = np.nan
        assert f"{name} holds" in outcome(store(tmp_path / "m.npz", arrays | {name: spoiled}))


def test_what_is_no_archive_is_said(tmp_path):
    path = tmp_path / "model.npz"
    for content in (b"", b"no zip at all", b"PK\x03\x04" + b"x" * 40, b"\x93NUMPY\x01\x00"):
        path.write_bytes(content)
        assert outcome(path)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("precision.npy", b"not an array")
    assert outcome(path)


@pytest.mark.parametrize("tries", [150, pytest.param(4_000, marks=pytest.mark.slow)])
def test_no_damaged_byte_gives_a_traceback(arrays, tmp_path, tries):
    path = store(tmp_path / "model.npz", arrays)
    whole, rng = path.read_bytes(), np.random.default_rng(tries)
    for _ in range(tries):
        content = bytearray(whole)
        for place in rng.integers(len(content), size=rng.integers(1, 5)):
            content[place] = rng.integers(256)
        path.write_bytes(content[: rng.integers(len(content))] if rng.random() < 0.2 else content)
        outcome(path)
