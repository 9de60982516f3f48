"""Laws of calibration: scores against their definitions, and that fusing counts nothing twice."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from coolgp.fusion.sums.tree import Tree
from coolgp.scenarios import assemble, run, scenario_named, simulate
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.metrics.scores import Forecast, coverage, crps, nlpd, pit, rmse
from coolgp.scenarios.plots.reliability import LEVELS, forecasts, share_inside
from coolgp.scenarios.records.run_folder import Predictions, read_run
from coolgp.scenarios.simulation.state import Probed

from tests.calibration import AGENTS, LENGTHSCALE, NOISE_STD, Array, calibration_gap, fields_of_the_model

FIELDS = 40
SMALL = ["agents.count=6", "agents.inducing=12", "agents.pilot=60", "run.rounds=2", "run.probes=4"]


@pytest.fixture
def drawn() -> tuple[Forecast, Array]:
    """Forecasts of 5 probes and 4,000 rows that lie as each forecast says: drawn from it."""
    rng = np.random.default_rng(0)
    forecast = Forecast(rng.normal(size=(5, 4000)), rng.gamma(2.0, size=(5, 4000)))
    return forecast, rng.normal(forecast.mean, np.sqrt(forecast.variance))


# Scores ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mean, std, y", [(0.0, 1.0, 0.0), (2.0, 0.3, 1.1), (-1.0, 4.0, 5.0)])
def test_the_crps_is_the_integral_that_defines_it(mean: float, std: float, y: float) -> None:
    left = quad(lambda x: norm.cdf(x, mean, std) ** 2, -np.inf, y)[0]
    right = quad(lambda x: norm.sf(x, mean, std) ** 2, y, np.inf)[0]
    one = np.ones((1, 1))
    assert crps(Forecast(mean * one, std**2 * one), y * one, one) == pytest.approx(left + right, rel=1e-7)


def test_the_crps_of_a_forecast_all_but_certain_is_the_absolute_error() -> None:
    forecast = Forecast(np.array([[0.0, 3.0]]), np.full((1, 2), 1e-20))
    assert crps(forecast, np.array([2.0, 2.5]), np.ones((1, 2))) == pytest.approx([1.25])


def test_rows_that_were_not_asked_do_not_count(drawn: tuple[Forecast, Array]) -> None:
    forecast, y = drawn
    asked = np.zeros_like(y)
    asked[:, :50] = 1
    first = Forecast(forecast.mean[:, :50], forecast.variance[:, :50])
    for score in (rmse, nlpd, crps, coverage):
        np.testing.assert_allclose(score(forecast, y, asked), score(first, y[:, :50], asked[:, :50]), rtol=1e-12)


def told_of(forecast: Forecast, y: Array, asked: Array) -> Predictions:
    names = tuple(map(str, range(len(asked))))
    return Predictions(np.empty((len(y), 0)), y, names, *astuple(forecast), *astuple(forecast), asked)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95])
def test_the_curve_passes_through_the_coverages(level: float) -> None:
    rng = np.random.default_rng(1)
    forecast, y = Forecast(rng.normal(size=(3, 200)), rng.gamma(2.0, size=(3, 200))), rng.normal(size=200)
    asked = rng.random((3, 200)) < 0.4
    share = share_inside(forecast, told_of(forecast, y, asked))
    assert share[round(100 * level)] == pytest.approx(coverage(forecast, y, asked.astype(float), level).mean())
    assert (share[0], share[-1]) == (0, pytest.approx(1))


def test_rows_drawn_from_forecasts_are_on_the_diagonal_and_smaller_variances_below_it(
    drawn: tuple[Forecast, Array],
) -> None:
    forecast, y = drawn
    needed = np.abs(2 * pit(forecast, y) - 1)
    share = (needed[..., None] <= LEVELS).mean((0, 1))
    assert np.abs(share - LEVELS).max() < 4 * np.sqrt(0.25 / y.size)
    assert abs(calibration_gap(forecast, y)) < 4 * np.sqrt(1 / 12 / y.size)
    assert calibration_gap(Forecast(forecast.mean, 0.5 * forecast.variance), y) < -0.05
    assert calibration_gap(Forecast(forecast.mean, 2.0 * forecast.variance), y) > 0.05


# Counting twice -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def told_of_fields() -> list[tuple[Dataset, Probed]]:
    return list(fields_of_the_model("tree", FIELDS))


def exact(data: Dataset) -> Forecast:
    """The Gaussian process of everyone's rows, dense: ``k_*ᵀ(K + σ²I)⁻¹y``."""
    x, y = data.training.x, data.training.y  # type: ignore[attr-defined]

    def kernel(a: Array, b: Array) -> Array:
        return np.exp(-0.5 * np.square(a[:, None] - b).sum(-1) / LENGTHSCALE**2)

    weights = np.linalg.solve(kernel(x, x) + NOISE_STD**2 * np.eye(len(x)), kernel(x, data.x_test)).T
    variance = 1 - (weights * kernel(data.x_test, x)).sum(1)
    return Forecast((weights @ y)[None], variance[None] + NOISE_STD**2)


def product(alone: Forecast) -> Forecast:
    """Product of experts: precisions of the latent function add up, and with them as many priors as agents."""
    precision = 1 / (alone.variance - NOISE_STD**2)
    mean = (precision * alone.mean).sum(0) / precision.sum(0)
    return Forecast(mean[None], 1 / precision.sum(0)[None] + NOISE_STD**2)


def test_the_tree_counts_nothing_twice_and_a_product_of_experts_does(
    told_of_fields: list[tuple[Dataset, Probed]],
) -> None:
    inside_share = [
        [calibration_gap(each, data.y_test) for each in (said.post, exact(data), product(said.pre))]
        for data, said in told_of_fields
    ]
    tree, dense, experts = np.array(inside_share).T
    np.testing.assert_allclose(tree, dense, atol=1e-3)  # the inducing inputs are all that differs
    error = tree.std() / np.sqrt(FIELDS)  # rows of one field depend on one another, fields do not
    assert error < 0.01
    assert abs(tree.mean()) < 3 * error
    assert experts.mean() < -0.08
    assert (experts < tree).mean() > 0.9


def test_after_fusion_intervals_hold_what_they_say(told_of_fields: list[tuple[Dataset, Probed]]) -> None:
    everyone = np.ones((AGENTS, told_of_fields[0][0].y_test.size))
    for level in (0.5, 0.9, 0.95):
        share = np.array([coverage(said.post, data.y_test, everyone, level).mean() for data, said in told_of_fields])
        error = share.std() / np.sqrt(FIELDS)
        assert error < 0.015, level
        assert abs(share.mean() - level) < 3 * error, level


# What is recorded -----------------------------------------------------------------------------------------------------


def test_the_last_row_of_metrics_is_that_of_the_predictions(tmp_path: Path) -> None:
    run(scenario_named("field", SMALL), tmp_path / "run", figures=False)
    folder = read_run(tmp_path / "run")
    stored = folder.predictions
    for when, forecast in zip(("pre", "post"), forecasts(stored), strict=True):
        rows = stored.y_test, stored.asked.astype(float)
        each = {score.__name__: score(forecast, *rows) for score in (rmse, nlpd, crps)}
        assert stored.truth is not None
        each["error"] = rmse(forecast, stored.truth, rows[1])
        for name, score in each.items():
            assert folder.metrics[f"{name}_{when}"][-1] == float(score.mean())
    for level in (50, 90, 95):
        assert folder.metrics[f"coverage{level}_post"][-1] == coverage(forecast, *rows, level / 100).mean()
    assert (folder.metrics["seconds_predicting"] > 0).all()


def test_messages_for_a_prediction_count_in_the_round_that_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = scenario_named("field", SMALL)
    quiet = [step.record for step in simulate(assemble(scenario))]
    simulation, predict = assemble(scenario), Tree.predict

    def ask(self: Tree, *known: object) -> object:
        simulation.transport.send(np.zeros((len(simulation.transport.shard.tail), 2)))
        return predict(self, *known)  # type: ignore[arg-type]

    monkeypatch.setattr(Tree, "predict", ask)
    asking = [step.record for step in simulate(simulation)]
    edges = len(simulation.transport.shard.tail)
    for before, after in zip(quiet, asking, strict=True):
        assert before is not None
        assert after is not None
        more = after.sent - before.sent
        assert (more.messages, more.bytes) == (edges, edges * 2 * 8)
