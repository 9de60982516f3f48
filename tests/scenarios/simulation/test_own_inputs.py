"""Runs whose agents choose their inducing inputs apart: what they choose from, and what they have in common."""

import numpy as np
import pytest
from typer.testing import CliRunner

from coolgp.agents.kernels.se import SE
from coolgp.agents.own_inputs import OwnInputs
from coolgp.scenarios import load_model, load_scenario, run
from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.cli.app import app
from coolgp.scenarios.data.dealt import Dealt
from coolgp.scenarios.data.loading import load
from coolgp.scenarios.planning.memory import estimate
from coolgp.scenarios.records.run_folder import read_metrics, read_run
from coolgp.scenarios.simulation.assembly import assemble
from coolgp.scenarios.simulation.own_inputs import common_inputs

from tests.lifecycle import live

ONES = np.ones(2)
SMALL = [
    "agents.count=12",
    "agents.inducing=8",
    "agents.pilot=200",
    "agents.inducing_choice=own",
    "run.rounds=3",
    "run.checkpoint_minutes=0",
]


def scenario(*more: str, source: str = "field"):
    return load_scenario({"data": {"source": source}}, [*SMALL, *more])


def groups(seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [centre + 0.2 * rng.standard_normal((6, 2)) for centre in rng.uniform(-1, 1, (5, 1, 2))]


def test_agents_that_chose_the_same_inputs_have_these_in_common():
    common = common_inputs([groups()[0]] * 4, 6, ONES, SE)
    np.testing.assert_allclose(common[np.lexsort(common.T)], groups()[0][np.lexsort(groups()[0].T)], rtol=1e-12)


def test_there_are_at_most_as_many_common_inputs_as_allowed_and_all_of_them_without_need():
    every = common_inputs(groups(), 30, ONES, SE)
    some = common_inputs(groups(), 10, ONES, SE)
    assert 10 < len(every) <= 30
    assert len(some) == 10
    assert {tuple(row) for row in some} <= {tuple(row) for row in every}


def test_who_chose_which_does_not_matter_to_what_is_common():
    one, other = common_inputs(groups(), 30, ONES, SE), common_inputs(groups()[::-1], 30, ONES, SE)
    np.testing.assert_allclose(one[np.lexsort(one.T)], other[np.lexsort(other.T)], rtol=1e-12)


@pytest.mark.parametrize("in_order", [False, True])
def test_own_rows_are_of_the_agent_itself(in_order):
    owner = np.array([0, 2, 0, 2, 2, 0, 2])
    dealt = Dealt(np.arange(7.0)[:, None], np.zeros(7), owner, in_order)
    chosen = list(dealt.own_rows(4, 3, seed=1))
    assert [len(rows) for rows in chosen] == [3, 0, 3, 0]
    assert all((owner[rows[:, 0].astype(int)] == agent).all() for agent, rows in enumerate(chosen))


def test_sensors_choose_from_readings_about_themselves():
    training = load(scenario(source="sensors")).training
    rows = list(training.own_rows(12, 50, seed=0))
    again = list(training.own_rows(12, 50, seed=0))
    for place, own, same in zip(training.positions, rows, again, strict=True):
        assert own.shape == (50, 2)
        assert np.abs(own.mean(axis=0) - place).max() < 0.15  # readings scatter by 0.1, and are reflected at the border
        np.testing.assert_array_equal(own, same)


def test_a_run_lives_through_all_that_is_done_with_one(tmp_path):
    live(scenario(), tmp_path)


@pytest.mark.parametrize("source", ["field", "sensors"])
def test_the_model_file_predicts_what_was_recorded(tmp_path, source):
    run(scenario("run.rounds=1", source=source), tmp_path / "run", figures=False)
    model, stored = load_model(tmp_path / "run"), read_run(tmp_path / "run").predictions
    forecast = model.predict(stored.x_test, model.agents[1])
    np.testing.assert_allclose(forecast.mean, stored.mean_post[1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(forecast.variance, stored.variance_post[1], rtol=1e-5)


def test_without_fusion_agents_predict_at_their_own_inputs(tmp_path):
    run(scenario("fusion.rule=none", "agents.hyperparameters=fixed"), tmp_path / "run", figures=False)
    metrics = read_metrics(tmp_path / "run")
    np.testing.assert_allclose(metrics["rmse_post"], metrics["rmse_pre"], rtol=1e-12)


def test_agents_near_their_positions_know_more_with_inputs_of_their_own(tmp_path):
    """At equally many sums to keep; measured at 20 inducing inputs: 0.106 against 0.373 with 80 common ones."""
    errors = {}
    for choice in ("own", "kmeans"):
        more = (f"agents.inducing_choice={choice}", "agents.hyperparameters=fixed")
        run(scenario(*more), tmp_path / choice, figures=False)
        errors[choice] = read_metrics(tmp_path / choice)
    assert errors["own"]["rmse_post"][-1] < 0.9 * errors["kmeans"]["rmse_post"][-1]


def test_messages_are_planned_about_the_common_inputs_and_sums_about_own_ones():
    planned = {most: estimate(scenario(f"agents.inducing_common={most}")) for most in (8, 40)}
    assert planned[40].row > 15 * planned[8].row / 2
    parts = [estimate_.phases[-1].parts["statistics"] for estimate_ in planned.values()]
    assert parts[0] == parts[1]


def test_a_run_sends_rows_about_as_many_inputs_as_are_common():
    simulation = assemble(scenario("agents.inducing_common=20"))
    encoding = simulation.shared_start.model.encoding
    assert isinstance(encoding, OwnInputs)
    assert encoding.inputs.shape == (12, 8, 2)
    assert 8 <= simulation.shared_start.model.inducing <= 20
    assert len(simulation.shared_start.inducing_inputs) == simulation.shared_start.model.inducing


def test_a_run_says_how_many_inputs_its_messages_are_about(tmp_path):
    more = ["run.rounds=1", "data.source=field"]
    sets = [option for setting in [*SMALL, *more] for option in ("--set", setting)]
    said = CliRunner().invoke(app, ["run", "field", *sets, "--no-figures", "--out", str(tmp_path / "run")])
    common = load_model(tmp_path / "run").model.inducing
    assert f"Inducing inputs: 8 of each agent's own, matched in {common} common ones" in " ".join(said.output.split())


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        (("agents.shared=latent",), 'agents.shared: not with inducing_choice = "own"'),
        (("agents.encoding=stale",), 'agents.encoding: not with inducing_choice = "own"'),
        (("agents.coordinates=kernel",), 'agents.coordinates: not with inducing_choice = "own"'),
        (("agents.inducing_most=20",), 'agents.inducing_most: not with inducing_choice = "own"'),
        (("agents.inducing_common=5",), "agents.inducing_common: needed at least agents.inducing, 8"),
        (("agents.inducing_choice=kmeans", "agents.inducing_common=9"), "agents.inducing_common: needs inducing_ch"),
        (("agents.basis=rff",), "agents.inducing_choice: not with basis"),
    ],
)
def test_what_own_inputs_cannot_do_is_refused(settings, complaint):
    with pytest.raises(ConfigError, match=complaint):
        scenario(*settings)
