"""States that older versions stored go on: what these did not know of is put in as nothing known."""

import numpy as np
import pytest

from coolgp.agents.population import Population
from coolgp.scenarios import scenario_named
from coolgp.scenarios.runs.checkpoints.state_rows import LEARNED, Stored, put_back, take_down
from coolgp.scenarios.simulation.assembly import assemble
from coolgp.scenarios.simulation.learning import begin
from coolgp.scenarios.simulation.rounds import simulate
from coolgp.scenarios.simulation.state import RunState, Simulation

SMALL = ["agents.count=4", "agents.inducing=6", "agents.pilot=30", "agents.pilot_iterations=1", "run.rounds=4"]


@pytest.fixture
def simulation() -> Simulation:
    return assemble(scenario_named("field", [*SMALL, "agents.hyperparameters=collective"]))


def stored(simulation: Simulation) -> tuple[RunState, Stored]:
    """The state after two rounds, and as it is stored."""
    steps = simulate(simulation)
    run_state = [next(steps), next(steps)][-1].run_state
    return run_state, take_down(run_state, simulation.transport)


def again(simulation: Simulation, rows: dict[str, np.ndarray], numbers: dict[str, int]) -> Population:
    return put_back(begin(simulation), rows, numbers, simulation.transport).population


def test_trials_with_fewer_columns_are_gone_on_with_as_they_are(simulation: Simulation) -> None:
    run_state, of = stored(simulation)
    trial = np.arange(16.0).reshape(4, 4)
    back = again(simulation, {**of.arrays, "population/trial": trial}, of.numbers)
    np.testing.assert_array_equal(back.trial[:, :4], trial)
    assert back.trial.shape == run_state.population.trial.shape
    assert not back.trial[:, 4:].any()


def test_states_without_trials_begin_them_at_present_hyperparameters(simulation: Simulation) -> None:
    run_state, of = stored(simulation)
    older = {name: rows for name, rows in of.arrays.items() if name.removeprefix("population/") not in LEARNED}
    back, theta = again(simulation, older, of.numbers), run_state.population.theta
    np.testing.assert_array_equal(back.candidate, theta)
    np.testing.assert_array_equal(back.told, theta[:, -2:])
    assert not back.trial.any()
