"""Run folders as sparse GPs that are fused: what agents learned online, matched with what others learned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import coolgp
from coolgp.scenarios.cli.app import app
from coolgp.scenarios.config.catalogue import load_scenario
from coolgp.scenarios.experiments.run import run
from coolgp.scenarios.records.model import SavedModel, load_model
from coolgp.scenarios.records.run_folder import read_metrics

QUERIES = np.random.default_rng(0).uniform(size=(40, 2))
SETTINGS: dict[str, Any] = {
    "data": {"source": "field", "observations": 300},
    "agents": {"count": 3, "inducing": 12, "batch_size": 20, "hyperparameters": "collective"},
    "network": {"topology": "ring"},
    "run": {"rounds": 2},
}


def left_by(folder: Path, *overrides: str) -> SavedModel:
    run(load_scenario(SETTINGS, overrides), folder, figures=False)
    return load_model(folder)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folders = [tmp_path_factory.mktemp("runs") / name for name in ("first", "second")]
    for seed, folder in enumerate(folders):
        left_by(folder, f"run.seed={seed}")
    return folders


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ("agents.coordinates=kernel",),
        ("agents.kernel=matern52",),
        ("agents.shared=latent",),
        ("run.precision=float32",),
    ],
    ids=lambda overrides: "".join(overrides) or "default",
)
def test_the_record_of_an_agent_predicts_as_the_run_does(overrides: tuple[str, ...], tmp_path: Path) -> None:
    model = left_by(tmp_path / "run", *overrides)
    for agent in (None, model.agents[-1]):
        forecast, (mean, std) = model.predict(QUERIES, agent), model.to_sparse_gp(agent).predict(QUERIES)
        np.testing.assert_allclose(mean, forecast.mean, atol=1e-7)
        np.testing.assert_allclose(np.square(std), forecast.variance, atol=1e-7)


def test_a_run_fused_with_itself_has_its_evidence_twice(runs: list[Path]) -> None:
    model = load_model(runs[0])
    twice = replace(model, evidence=model.evidence + model.evidence).predict(QUERIES)
    mean, std = coolgp.SPAHM().fuse([model, model]).predict(QUERIES, return_std=True)
    np.testing.assert_allclose(mean, twice.mean, atol=1e-8)
    np.testing.assert_allclose(np.square(std), twice.variance, atol=1e-8)


def test_run_folders_fuse_as_the_records_of_their_agents(runs: list[Path], tmp_path: Path) -> None:
    expected = coolgp.SPAHM().fuse([load_model(folder).to_sparse_gp() for folder in runs])
    out = tmp_path / "fused.skops"
    assert CliRunner().invoke(app, ["fuse", *map(str, runs), "--rule", "spahm", "--out", str(out)]).exit_code == 0
    np.testing.assert_allclose(coolgp.read_model_file(out).predict(QUERIES), expected.predict(QUERIES), rtol=1e-12)


def test_run_folders_are_experts_of_a_scenario(runs: list[Path], tmp_path: Path) -> None:
    settings = {
        "data": SETTINGS["data"],
        "network": SETTINGS["network"],
        "fusion": {"rule": "spahm"},
        "experts": {"files": [str(folder) for folder in runs]},
    }
    run(load_scenario(settings), tmp_path / "run", figures=False)
    fused = coolgp.SPAHM().fuse([load_model(folder) for folder in runs])
    assert read_metrics(tmp_path / "run")["parameters"][-1] == fused.model.size


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        (("agents.basis=rff",), "random features"),
        (("agents.projection=full",), "full projection"),
        (("agents.shared=latent", "agents.projection_std=0.1"), "uncertain"),
        (("agents.kernel=matern32",), "one kernel"),
    ],
)
def test_runs_without_such_a_sparse_gp_are_refused_with_the_reason(
    overrides: tuple[str, ...], reason: str, runs: list[Path], tmp_path: Path
) -> None:
    left_by(tmp_path / "other", *overrides)
    models = [str(runs[0]), str(tmp_path / "other")]
    fused = CliRunner().invoke(app, ["fuse", *models, "--rule", "spahm", "--out", str(tmp_path / "fused.skops")])
    assert fused.exit_code == 2
    assert reason in fused.stderr
    assert not (tmp_path / "fused.skops").exists()
    settings = {"data": SETTINGS["data"], "experts": {"files": models}, "fusion": {"rule": "spahm"}}
    with pytest.raises(ValueError, match=reason):
        run(load_scenario(settings), tmp_path / "run", figures=False)


def test_a_stored_model_shows_itself_in_a_line_without_arrays(runs: list[Path]) -> None:
    assert repr(load_model(runs[0])) == "SavedModel(agents: 0, 1, 2; inputs: x0, x1; 12 features)"
