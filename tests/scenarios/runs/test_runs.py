"""Laws of whole runs: exact against a central sparse Gaussian process, equal over ranks, readable again."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import solve_triangular
from scipy.spatial.distance import cdist

from coolgp.fusion.registry import RULES
from coolgp.scenarios import load_model, load_scenario, run
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.data.loading import load

from tests.paths import ROOT
from tests.run_folders import table, timeless

STEPS = {"consensus": 3, "push-sum": 3, "gossip": 3}
"""Rounds of communication for rules that take long to their fixed point; the others go there."""
CASES = [[f"fusion.rule={rule}", f"fusion.rounds_per_step={STEPS.get(rule, 'converge')}"] for rule in RULES]
CASES += [["fusion.rule=tree", "fusion.rounds_per_step=2", "agents.hyperparameters=local"]]
CASES += [["network.partition=metis", "agents.shared=latent"]]
CASES = [[*settings, "run.rounds=3", "agents.inducing=20", "agents.pilot=60"] for settings in CASES]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small study of one's own: 11 stations observe one function of two inputs, unevenly often."""
    folder = tmp_path_factory.mktemp("study")
    rng = np.random.default_rng(7)
    x = rng.uniform(0, 1, (900, 2))
    y = 20 + 3 * np.sin(6 * x[:, 0]) * np.cos(4 * x[:, 1]) + 0.3 * rng.normal(size=len(x))
    station = np.minimum(rng.geometric(0.2, len(x)), 11)
    rows = [f"s{s},{a!r},{b!r},{c!r}" for s, (a, b), c in zip(station, x.tolist(), y.tolist(), strict=True)]
    (folder / "points.csv").write_text("\n".join(["station,x0,x1,y", *rows]) + "\n")
    (folder / "study.toml").write_text(
        '[data]\nsource = "points.csv"\ntarget = "y"\nagent = "station"\n'
        "[agents]\ninducing = 40\nbatch_size = 15\npilot = 300\n[run]\nrounds = 4\nprobes = 5\n"
    )
    return folder / "study.toml"


def central(folder: Path, scenario: Scenario) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance [probes,Q] of one sparse GP (DTC) on all training rows, by QR on what the run stored."""
    model, stored, data = np.load(folder / "model.npz"), np.load(folder / "predictions.npz"), load(scenario)
    x, queries = ((part - model["x_mean"]) / model["x_scale"] for part in (data.training.x, stored["x_test"]))
    y, inducing = (data.training.y - model["y_mean"]) / model["y_scale"], model["inducing_inputs"]
    means, variances = [], []
    for length, signal, noise in zip(
        model["lengthscale"], model["signal_variance"], model["noise_variance"], strict=True
    ):

        def kernel(a: np.ndarray, b: np.ndarray, length: np.ndarray = length) -> np.ndarray:
            return np.exp(-0.5 * cdist(a / length, b / length, "sqeuclidean"))

        factor = np.linalg.cholesky(kernel(inducing, inducing) + model["jitter"] * np.eye(len(inducing)))
        phi = np.sqrt(signal) * solve_triangular(factor, kernel(inducing, x), lower=True).T
        design = np.vstack([np.eye(len(inducing)), phi / np.sqrt(noise)])
        q, r = np.linalg.qr(design)
        weights = solve_triangular(r, q[len(inducing) :].T @ (y / np.sqrt(noise)))
        at = np.sqrt(signal) * solve_triangular(factor, kernel(inducing, queries), lower=True)
        known = solve_triangular(r, at, trans=1)
        means.append(at.T @ weights * model["y_scale"] + model["y_mean"])
        variance = signal - (at**2).sum(0) + (known**2).sum(0) + noise
        variances.append(variance * model["y_scale"] ** 2)
    return np.array(means), np.array(variances)


@pytest.mark.parametrize(
    "rule, shared, relative",
    [
        ("tree", "function", 1e-8),
        ("tree", "latent", 1e-8),
        ("consensus", "function", 1e-6),
        ("central", "latent", 1e-8),
    ],
)
def test_after_fusion_every_agent_predicts_as_one_central_sparse_gp(
    study: Path, tmp_path: Path, rule: str, shared: str, relative: float
) -> None:
    settings = ("agents.hyperparameters=fixed", "run.rounds=all", f"fusion.rule={rule}", f"agents.shared={shared}")
    scenario = load_scenario(study, settings)
    run(scenario, tmp_path / "run", figures=False)
    mean, variance = central(tmp_path / "run", scenario)
    stored = np.load(tmp_path / "run" / "predictions.npz")
    np.testing.assert_allclose(stored["mean_post"], mean, rtol=relative)
    np.testing.assert_allclose(stored["variance_post"], variance, rtol=relative)
    assert np.abs(stored["mean_pre"] / mean - 1).max() > 1e-4


def run_all(study: Path, out: Path, cases: list[list[str]]) -> Path:
    for place, settings in enumerate(cases):
        run(load_scenario(study, settings), out / str(place), figures=False)
    return out


@pytest.fixture(scope="module")
def alone(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_all(study, tmp_path_factory.mktemp("alone"), CASES)


def test_a_run_as_users_start_it_gives_the_same_metrics_on_two_ranks(
    study: Path, alone: Path, tmp_path: Path, on_ranks: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """``test_one_answer`` has other numbers of ranks, and all that can go wrong."""
    done = on_ranks(2, Path(__file__), study, tmp_path)
    assert done.returncode == 0, done.stderr
    for place, settings in enumerate(CASES):
        told, expected = (timeless(folder / str(place) / "metrics.csv") for folder in (tmp_path, alone))
        assert told == expected, settings


def test_rounds_all_observes_every_training_row_exactly_once(study: Path) -> None:
    scenario = load_scenario(study, ["run.rounds=all"])
    rows = len(load(scenario).training.y)
    records = run(scenario)
    assert records[-1].observations == rows
    assert records[-2].observations < rows


def test_a_stored_model_predicts_what_the_run_predicted(study: Path, tmp_path: Path) -> None:
    run(load_scenario(study), tmp_path / "run", figures=False)
    stored, model = np.load(tmp_path / "run" / "predictions.npz"), load_model(tmp_path / "run")
    for place, agent in enumerate(stored["agents"].tolist()):
        forecast = model.predict(stored["x_test"], agent)
        np.testing.assert_allclose(forecast.mean, stored["mean_post"][place], rtol=1e-10)
        np.testing.assert_allclose(forecast.variance, stored["variance_post"][place], rtol=1e-10)


def test_the_documented_formula_predicts_from_the_model_file_alone(study: Path, tmp_path: Path) -> None:
    run(load_scenario(study), tmp_path / "run", figures=False)
    model, stored = np.load(tmp_path / "run" / "model.npz"), np.load(tmp_path / "run" / "predictions.npz")
    x, u = (stored["x_test"] - model["x_mean"]) / model["x_scale"], model["inducing_inputs"]

    def kernel(a: np.ndarray, b: np.ndarray, length: np.ndarray) -> np.ndarray:
        return np.exp(-0.5 * cdist(a / length, b / length, "sqeuclidean"))

    jitter = model["jitter"] * np.eye(len(u))
    reference = np.linalg.cholesky(kernel(u, u, model["reference_lengthscale"]) + jitter)
    length, signal = model["lengthscale"][0], model["signal_variance"][0]
    gram, k = kernel(u, u, length) + jitter, kernel(u, x, length)
    inside = np.linalg.solve(reference, np.linalg.solve(reference, signal * gram).T)
    a = reference.T @ np.linalg.solve(gram, k)
    precision = np.linalg.inv(inside) + model["precision"][0]
    mean = a.T @ np.linalg.solve(precision, model["shift"][0])
    np.testing.assert_allclose(mean * model["y_scale"] + model["y_mean"], stored["mean_post"][0], rtol=1e-7)


def test_a_run_is_the_same_twice_and_another_with_another_seed(study: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        run(load_scenario(study, [f"run.seed={seed}"]), tmp_path / name, figures=False)
    assert timeless(tmp_path / "a" / "metrics.csv") == timeless(tmp_path / "b" / "metrics.csv")
    assert timeless(tmp_path / "a" / "metrics.csv") != timeless(tmp_path / "c" / "metrics.csv")


@pytest.mark.parametrize("mode", ["fixed", "local", "collective"])
@pytest.mark.parametrize(
    "settings",
    [
        ("agents.encoding=stale",),
        ("agents.encoding=importance",),
        ("agents.shared=latent", "agents.encoding=transport"),
        ("agents.shared=latent", "agents.projection_std=0.05", "agents.inducing=15"),
        ("agents.projection=full",),
        ("agents.inducing_choice=kmeans",),
        ("fusion.rounds_per_step=1",),
        ("fusion.rule=consensus", "fusion.rounds_per_step=3"),
        ("fusion.rule=none",),
        ("network.topology=star",),
        (
            "data.standardize=false",
            "agents.lengthscale=[0.3, 0.4]",
            "agents.signal_variance=4",
            "agents.noise_variance=1",
        ),
    ],
    ids=lambda settings: " ".join(settings),
)
def test_every_way_to_learn_runs_and_fusing_does_not_hurt(study: Path, mode: str, settings: tuple[str, ...]) -> None:
    records = run(load_scenario(study, [*settings, f"agents.hyperparameters={mode}"]))
    last, y = records[-1].probed, load(load_scenario(study)).y_test
    before, after = (float(np.sqrt(np.mean((part.mean - y) ** 2))) for part in (last.pre, last.post))
    assert after <= before * 1.02
    assert np.isfinite(last.bound).all()


def test_the_importance_encoding_reports_its_effective_sample_size(study: Path, tmp_path: Path) -> None:
    run(load_scenario(study, ["agents.encoding=importance"]), tmp_path / "run", figures=False)
    sizes = [float(row["effective_sample_size"]) for row in table(tmp_path / "run" / "hyperparameters.csv")]
    assert all(1 <= size <= 20 for size in sizes)


@pytest.mark.parametrize("scale", [1.0, 1e5])
def test_without_standardizing_the_units_of_the_data_do_not_matter(study: Path, tmp_path: Path, scale: float) -> None:
    header, *rows = (study.parent / "points.csv").read_text().split()
    cells = [row.split(",") for row in rows]
    wide = [f"{s},{float(a) * scale!r},{float(b) * scale!r},{y}" for s, a, b, y in cells]
    (tmp_path / "points.csv").write_text("\n".join([header, *wide]))
    (tmp_path / "study.toml").write_text(study.read_text())
    scenario = load_scenario(tmp_path / "study.toml", ["data.standardize=false"])
    last = run(scenario)[-1].probed
    assert last is not None
    assert np.sqrt(np.mean((last.post.mean - load(scenario).y_test) ** 2)) < 0.4


@pytest.mark.slow
def test_a_scenario_runs_by_path_as_a_module_and_by_name_with_the_same_metrics(tmp_path: Path) -> None:
    name = "field"
    small = ["--rounds", "2", "--set", "agents.inducing=20", "--set", "data.observations=400", "--no-figures"]
    ways = {
        "path": [f"scenarios/{name}.py"],
        "module": ["-m", f"coolgp.scenarios.{name}"],
        "name": ["-m", "coolgp.scenarios", "run", name],
    }
    for way, command in ways.items():
        where = ROOT if way == "path" else tmp_path
        asked = [sys.executable, *command, *small, "--out", str(tmp_path / way)]
        done = subprocess.run(asked, cwd=where, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert (
        timeless(tmp_path / "path" / "metrics.csv")
        == timeless(tmp_path / "module" / "metrics.csv")
        == timeless(tmp_path / "name" / "metrics.csv")
    )


if __name__ == "__main__":
    run_all(Path(sys.argv[1]), Path(sys.argv[2]), CASES)
