"""Runs whose agents forget are the same on any number of ranks, stopped or not; and what it is for: drift."""

from pathlib import Path

import numpy as np
import pytest

from coolgp.scenarios import resume, run, scenario_named
from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.data.sensors import sensors
from coolgp.scenarios.records.run_folder import read_metrics

from tests.lifecycle import stop_after

SMALL = ["agents.count=12", "agents.inducing=10", "run.rounds=7", "run.probes=3", "data.drift=0.1", "agents.pilot=200"]
SMALL += ["agents.pilot_iterations=10"]
FORGETTING = [*SMALL, "agents.forget=0.7", "agents.hyperparameters=collective", "run.checkpoint_minutes=0"]
TIMES = {"seconds", "seconds_predicting"}


def same(one: Path, other: Path) -> None:
    first, second = read_metrics(one), read_metrics(other)
    for name in set(first) - TIMES:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)
    assert (one / "model.npz").read_bytes() == (other / "model.npz").read_bytes()


@pytest.mark.parametrize("rule", ["consensus", "ensemble"])
def test_a_run_that_was_stopped_while_a_batch_waits_ends_where_one_does_that_was_not(tmp_path: Path, rule: str) -> None:
    scenario = scenario_named("sensors", [*FORGETTING, "fusion.every=3", f"fusion.rule={rule}"])
    run(scenario, tmp_path / "through", figures=False)
    with pytest.raises(KeyboardInterrupt):
        run(scenario, tmp_path / "stopped", figures=False, watch=stop_after(5))
    resume(tmp_path / "stopped", figures=False)
    same(tmp_path / "through", tmp_path / "stopped")


@pytest.mark.slow
def test_on_two_ranks_the_same_is_forgotten(on_ranks, tmp_path: Path) -> None:
    run(scenario_named("sensors", FORGETTING), tmp_path / "one", figures=False)
    settings = [word for setting in FORGETTING for word in ("--set", setting)]
    done = on_ranks(2, "coolgp", "run", "sensors", *settings, "--out", tmp_path / "two", "--no-figures", runner=("-m",))
    assert done.returncode == 0, done.stdout + done.stderr
    same(tmp_path / "one", tmp_path / "two")


def test_on_a_drifting_field_forgetting_is_better_than_to_remember_all_and_than_the_newest_batch_alone() -> None:
    few = ["agents.count=40", "agents.inducing=30", "agents.batch_size=1", "run.rounds=18", "run.probes=1"]
    few += ["data.drift=0.04", "run.evaluate_every=100", "agents.pilot=200", "agents.pilot_iterations=10"]
    errors = {}
    for share in (1.0, 0.75, 0.001):
        records = run(scenario_named("sensors", [*few, f"agents.forget={share}"]), figures=False)
        errors[share] = float(records.metrics["rmse_post"].iloc[-1])
    assert errors[0.75] < 0.9 * min(errors[1.0], errors[0.001]), errors


def test_a_rule_that_keeps_all_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"agents\.forget: dpitc keeps what it saw of the data, and cannot forget it"):
        run(scenario_named("sensors", [*FORGETTING, "fusion.rule=dpitc"]), tmp_path / "run", figures=False)


@pytest.mark.parametrize("share", [0, 1.01, -0.5])
def test_a_share_is_above_0_and_at_most_1(share: float) -> None:
    with pytest.raises(ConfigError, match=r"agents\.forget: needed a number above 0 and of at most 1"):
        scenario_named("sensors", [f"agents.forget={share}"])


def test_a_field_of_no_drift_is_not_told_from_one_before_there_was_drift() -> None:
    plain, still = scenario_named("sensors", SMALL[:2]), scenario_named("sensors", [*SMALL[:2], "agents.forget=1.0"])
    assert plain.hash8() == still.hash8() != scenario_named("sensors", [*SMALL[:2], "agents.forget=0.9"]).hash8()


def test_fields_some_rounds_apart_correlate_as_the_drift_says() -> None:
    drift, fields = 0.1, [sensors(seed, 3, lengthscale=0.2, drift=0.1).training for seed in range(4)]
    x = np.random.default_rng(0).uniform(0, 1, (2000, 2))
    for rounds in (5, 40):
        pairs = np.array([[field.at(3).surface(x), field.at(3 + rounds).surface(x)] for field in fields])
        first, second = pairs.swapaxes(0, 1).reshape(2, -1)
        assert abs(np.corrcoef(first, second)[0, 1] - np.exp(-0.5 * (rounds * drift) ** 2)) < 0.15


def test_test_rows_are_of_the_field_in_the_last_round() -> None:
    data = sensors(0, 3, drift=0.1, rounds=9)
    np.testing.assert_array_equal(data.truth, data.training.at(8).surface(data.x_test))
    assert not np.allclose(data.truth, data.training.at(0).surface(data.x_test), atol=0.1)
