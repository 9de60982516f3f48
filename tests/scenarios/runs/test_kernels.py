"""A kernel is one object in one table: runs, reports, plans, checkpoints and stored models take it from there."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from coolgp.agents.kernels.base import Kernel
from coolgp.agents.kernels.registry import KERNELS
from coolgp.scenarios import load_model, resume, run, scenario_named
from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.cli.app import app
from coolgp.scenarios.records.run_folder import read_run

from tests.run_folders import timeless

TINY = ("agents.count=8", "agents.inducing=10", "agents.batch_size=5", "agents.pilot=100", "data.observations=400")
ROUNDS = ("run.rounds=4", "run.probes=3", "run.checkpoint_minutes=0")
SUPPORTED = [(), ("agents.shared=latent", "agents.projection=full"), ("agents.basis=rff",)]
"""What every kernel in the package can do, in settings."""

ALMOST = 1e-8
"""Relative: sums that were added in another order."""


@dataclass(frozen=True)
class RationalQuadratic(Kernel):
    """Rational quadratic, (1 + r²/4)⁻²: a mixture of length-scales. Without spectral sampler or expectations."""

    def of_exponents(self, exponent: np.ndarray) -> np.ndarray:
        return (1.0 - 0.5 * exponent) ** -2.0

    def with_slopes(self, exponent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return (1.0 - 0.5 * exponent) ** -2.0, (1.0 - 0.5 * exponent) ** -3.0


@pytest.fixture
def rational(monkeypatch: pytest.MonkeyPatch) -> str:
    """A kernel of a line in the table."""
    monkeypatch.setitem(KERNELS, "rational", RationalQuadratic())
    return "agents.kernel=rational"


def errors(folder: Path) -> list[float]:
    return [float(row["rmse_post"]) for row in timeless(folder / "metrics.csv")]


def test_a_kernel_that_joins_the_table_runs_reports_plans_resumes_and_loads(rational: str, tmp_path: Path) -> None:
    scenario = scenario_named("field", [*TINY, *ROUNDS, rational])

    def copy(record: object, row: dict[str, float]) -> None:
        if row["round"] == 3:
            shutil.copytree(tmp_path / "run", tmp_path / "stopped")

    run(scenario, tmp_path / "run", watch=copy)
    resume(tmp_path / "stopped", figures=False)
    assert timeless(tmp_path / "stopped" / "metrics.csv") == timeless(tmp_path / "run" / "metrics.csv")
    assert errors(tmp_path / "run")[-1] < errors(tmp_path / "run")[0]
    assert "report.html" in {path.name for path in (tmp_path / "run").iterdir()}
    forecast = read_run(tmp_path / "run").predictions
    model, x = load_model(tmp_path / "run"), forecast.x_test
    np.testing.assert_allclose(model.predict(x, forecast.agents[0]).mean, forecast.mean_post[0], rtol=1e-6)
    terminal = CliRunner()
    assert "mixture of length-scales" in " ".join(terminal.invoke(app, ["list"]).output.split())
    sets = [option for setting in (*TINY, *ROUNDS, rational) for option in ("--set", setting)]
    assert terminal.invoke(app, ["plan", "field", *sets]).exit_code == 0


@pytest.mark.parametrize("key", ["agents.projection_std=0.1", "agents.encoding=importance", "agents.basis=rff"])
def test_what_a_kernel_does_not_have_is_refused_when_a_scenario_is_loaded(rational: str, key: str) -> None:
    more = ("agents.shared=latent",) if "std" in key else ()
    with pytest.raises(ConfigError, match=r'needs a kernel w.*"se".*"rational" has no'):
        scenario_named("field", [*TINY, rational, key, *more])


@pytest.mark.parametrize("settings", SUPPORTED, ids=" ".join)
@pytest.mark.parametrize("kernel", KERNELS)
def test_a_tree_says_what_a_centre_says(kernel: str, settings: tuple[str, ...], tmp_path: Path) -> None:
    answers = []
    for rule in ("tree", "central"):
        keys = (*TINY, *ROUNDS, *settings, f"agents.kernel={kernel}", f"fusion.rule={rule}")
        run(scenario_named("field", keys), tmp_path / rule, figures=False)
        answers.append(read_run(tmp_path / rule).predictions)
    np.testing.assert_allclose(answers[0].mean_post, answers[1].mean_post, rtol=ALMOST, atol=ALMOST)
    np.testing.assert_allclose(answers[0].variance_post, answers[1].variance_post, rtol=ALMOST)


def test_models_of_versions_that_had_one_kernel_are_squared_exponential(tmp_path: Path) -> None:
    run(scenario_named("field", [*TINY, *ROUNDS]), tmp_path / "run", figures=False)
    with np.load(tmp_path / "run" / "model.npz") as arrays:
        stored = dict(arrays)
    assert str(stored.pop("kernel")) == "se"
    np.savez(tmp_path / "old.npz", **stored)
    x = np.random.default_rng(0).uniform(size=(5, 2))
    old, new = load_model(tmp_path / "old.npz").predict(x), load_model(tmp_path / "run").predict(x)
    np.testing.assert_array_equal(old.mean, new.mean)
    np.savez(tmp_path / "strange.npz", **stored, kernel=np.array("strange"))
    with pytest.raises(ValueError, match="'strange'; there are se, matern32, matern52"):
        load_model(tmp_path / "strange.npz")
