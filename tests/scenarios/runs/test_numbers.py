"""Numbers that a precision cannot hold: refused before the run, or said where a run comes to them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coolgp.agents.base.failures import NotFinite
from coolgp.agents.pilot import Start
from coolgp.agents.prediction import Prediction
from coolgp.scenarios import load_scenario, run
from coolgp.scenarios.runs.prepare import prepare
from coolgp.scenarios.simulation.initialisation import notes_of
from coolgp.scenarios.simulation.scaling import scaler_of


def scenario(folder: Path, scale: float, shift: float = 0.0, **sections: dict[str, Any]) -> Any:
    """Two agents that observe thirty rows of a sine of one input, the target times a scale, the input shifted."""
    rng = np.random.default_rng(4)
    t = np.sort(rng.uniform(0, 10, 40)).round(2)
    y = np.sin(t) + 0.1 * rng.normal(size=len(t))
    rows = [f"{shift + a!r},{scale * b!r}" for a, b in zip(t.tolist(), y.tolist(), strict=True)]
    (folder / "t.csv").write_text("\n".join(["t,y", *rows]) + "\n")
    data = {"source": str(folder / "t.csv"), "target": "y", "test_count": 10} | sections.pop("data", {})
    agents = {"count": 2, "inducing": 6, "hyperparameters": "fixed"} | sections.pop("agents", {})
    return load_scenario({"data": data, "agents": agents, "network": {"topology": "ring"}} | sections)


def test_what_an_agent_predicts_must_be_finite():
    with pytest.raises(NotFinite) as caught:
        Prediction(np.array([[0.0], [np.nan]]), np.ones((2, 1)), np.ones(2)).checked()
    assert caught.value.row == 1
    assert "agent seven predicts is not finite" in caught.value.of("seven")


@pytest.mark.parametrize(
    ("scale", "precision", "standardize", "said"),
    [
        (1e-24, "float32", False, "told from 0 in float32"),
        (1e25, "float32", False, "can be summed in float32"),
        (1e-310, "float64", True, "told from 0 in float64"),
        (1e160, "float64", True, r"above 1e\+150"),
    ],
)
def test_numbers_outside_the_range_of_the_precision_are_refused_before_the_run(
    tmp_path, scale, precision, standardize, said
):
    with pytest.raises(ValueError, match=said):
        run(
            scenario(tmp_path, scale, data={"standardize": standardize}, run={"precision": precision}),
            tmp_path / "run",
        )
    assert not (tmp_path / "run" / "metrics.csv").exists()


def last(folder: Path) -> dict[str, float]:
    header, *rows = (folder / "metrics.csv").read_text().splitlines()
    return {name: float(cell) for name, cell in zip(header.split(","), rows[-1].split(","), strict=True) if cell}


@pytest.mark.parametrize("kernel", ["se", "matern32", "matern52"])
@pytest.mark.parametrize("lengthscale", [1.0, "pilot"])
def test_predictions_do_not_depend_on_where_the_origin_is(tmp_path, kernel, lengthscale):
    scores = []
    for shift in (0.0, 2.0**27):  # so that times with seven binary places keep their digits
        given = {"kernel": kernel, "lengthscale": lengthscale, "signal_variance": 1.0, "noise_variance": 0.01}
        of_shift = scenario(tmp_path, 1.0, shift, data={"standardize": False}, agents=given)
        run(of_shift, tmp_path / f"{shift}", figures=False)
        scores.append(last(tmp_path / f"{shift}"))
    for name in ("rmse_pre", "rmse_post", "nlpd_pre", "nlpd_post"):
        assert scores[1][name] == pytest.approx(scores[0][name], rel=1e-3), name


def test_noise_free_data_are_fitted_as_such(tmp_path):
    rng = np.random.default_rng(8)
    a, b = rng.normal(size=(2, 40))
    rows = [f"{u!r},{v!r},{2 * u - v!r}" for u, v in zip(a.tolist(), b.tolist(), strict=True)]
    (tmp_path / "plane.csv").write_text("\n".join(["a,b,y", *rows]) + "\n")
    data = {"source": str(tmp_path / "plane.csv"), "target": "y", "test_count": 10}
    run(load_scenario({"data": data, "agents": {"count": 2, "inducing": 8}}), tmp_path / "run", figures=False)
    assert last(tmp_path / "run")["crps_post"] < 0.05


def test_a_value_at_a_limit_and_digits_that_do_not_suffice_are_said():
    start = Start(np.ones(1), 1.0, 1e-6, 0.0, at_limits=("noise variance",))
    limit, digits = notes_of(start, "float32")
    assert "limit for the noise variance" in limit
    assert "float32 leaves 0.9 digits" in digits
    assert notes_of(Start(np.ones(1), 1.0, 1e-6, 0.0), "float64") == ()


@pytest.mark.parametrize(
    ("shift", "precision", "said"), [(1e8, "float32", True), (1e8, "float64", False), (10.0, "float32", False)]
)
def test_places_that_single_precision_cannot_tell_apart_are_said(tmp_path, shift, precision, said):
    agents = {"lengthscale": 1.0, "signal_variance": 1.0, "noise_variance": 0.1}
    data, how = {"standardize": False}, {"precision": precision}
    prepared = prepare(scenario(tmp_path, 1.0, shift, data=data, agents=agents, run=how), tmp_path / "run")
    notes = prepared.simulation.shared_start.notes
    assert any('digits of a difference of one lengthscale in "t"' in note for note in notes) == said


@pytest.mark.parametrize("far", [1e9, -1e13])
def test_one_row_far_away_leaves_the_scaling_of_others_alone(far):
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(50, 2)), rng.normal(size=50)
    x[17, 0] = far
    places = scaler_of(x, y, True).inputs(np.delete(x, 17, axis=0))
    assert (places.std(axis=0) > 0.3).all()
    assert (np.abs(np.median(places, axis=0)) < 0.5).all()


def test_one_row_far_away_does_not_spoil_a_run_with_defaults(tmp_path):
    near = scenario(tmp_path, 1.0, agents={"inducing": 12})
    run(near, tmp_path / "near", figures=False)
    lines = (tmp_path / "t.csv").read_text().splitlines()
    (tmp_path / "t.csv").write_text("\n".join([*lines[:20], "1e12,0.5", *lines[20:]]) + "\n")
    run(near, tmp_path / "far", figures=False)
    assert last(tmp_path / "far")["rmse_post"] < 3.0 * last(tmp_path / "near")["rmse_post"]
