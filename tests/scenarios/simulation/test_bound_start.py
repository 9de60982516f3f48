"""The shared start by the bound of the pilot: never below where it began, given values kept, the same everywhere."""

from dataclasses import replace

import numpy as np
import pytest

from coolgp.agents.features.inducing import CHOICES
from coolgp.agents.kernels.se import SE
from coolgp.agents.sparse.collapsed import Parameters, posterior_of
from coolgp.agents.sparse.starting import Search, fit_pilot, planned_search, spread_starts
from coolgp.scenarios import load_scenario
from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.data.loading import load
from coolgp.scenarios.simulation.initialisation import SharedStart, start_from_pilot

SMALL = ["agents.count=6", "agents.inducing=10", "agents.pilot=150"]
ALL = (True, True, True)


def scenario(*more: str, source: str = "field"):
    return load_scenario({"data": {"source": source, "observations": 400}}, [*SMALL, *more])


def started(*more: str) -> SharedStart:
    settings = scenario(*more)
    return start_from_pilot(settings.agents, load(settings), 0, standardize=True)


def pilot(rows: int = 150, noise: float = 0.1, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, (rows, 2))
    return x, np.sin(2 * x[:, 0]) + noise * rng.normal(size=rows)


def starts(x: np.ndarray, free=ALL) -> list[Parameters]:
    inputs = [choose(x, 10, np.random.default_rng(0), SE) for choose in CHOICES.values()]
    begin = Parameters(inputs[0], np.array([0.7, 3.0]), 1.2, 0.02)
    return spread_starts(begin, Parameters(inputs[0], np.full(2, 1.4), 0.5, 0.5), inputs, free)


@pytest.mark.parametrize("search", [Search(20, True), Search(20, False), Search(0, False)])
def test_the_bound_is_not_below_that_of_any_start(search):
    x, y = pilot()
    found = fit_pilot(x, y, starts(x), SE, 1e-6, search)
    at = found.fit.parameters
    bounds = [posterior_of(x, y, start, SE, 1e-6).bound for start in starts(x)]
    assert posterior_of(x, y, at, SE, 1e-6).bound >= max(bounds) - 1e-6 * abs(max(bounds))
    assert np.array_equal(at.inducing_inputs, starts(x)[found.chosen].inducing_inputs) is not search.moves


def test_an_input_that_the_best_start_leaves_out_is_found_from_another():
    x, y = pilot(noise=1.0)
    inputs = CHOICES["kmeans"](x, 10, np.random.default_rng(0), SE)
    blind = Parameters(inputs, np.array([1e3, 1e3]), 0.1, 1.5)
    plain = Parameters(inputs, np.full(2, 1.4), 1.0, 0.1)
    bounds = [posterior_of(x, y, start, SE, 1e-6).bound for start in (blind, plain)]
    assert bounds[0] > bounds[1]
    alone, found = (fit_pilot(x, y, of, SE, 1e-6, Search(40, True)) for of in ([blind], [blind, plain]))
    assert found.chosen == 1
    assert found.fit.bound > alone.fit.bound + 10
    assert alone.fit.parameters.lengthscale[0] > 100
    assert found.fit.parameters.lengthscale[0] < 3
    assert fit_pilot(x, y, [plain, blind], SE, 1e-6, Search(40, True)).chosen == 0


def test_units_of_inputs_and_target_do_not_matter():
    x, y = pilot()
    found = fit_pilot(x, y, starts(x), SE, 1e-6, Search(10, True)).fit.parameters
    other = [
        replace(
            start,
            inducing_inputs=1e5 * start.inducing_inputs,
            lengthscale=1e5 * start.lengthscale,
            signal_variance=1e-8 * start.signal_variance,
            noise_variance=1e-8 * start.noise_variance,
        )
        for start in starts(x)
    ]
    moved = fit_pilot(1e5 * x, 1e-4 * y, other, SE, 1e-6, Search(10, True)).fit.parameters
    np.testing.assert_allclose(moved.inducing_inputs / 1e5, found.inducing_inputs, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(moved.noise_variance * 1e8, found.noise_variance, rtol=1e-4)


def test_a_search_that_ends_in_noise_is_given_up(monkeypatch):
    x, y = pilot()
    everything_noise = Parameters(starts(x)[0].inducing_inputs, np.full(2, 1.0), 1e-6, 1.0)

    def collapses(rows, start, kernel, jitter, iterations, **keywords):
        fit = maximise(rows, start, kernel, jitter, 0)
        return replace(fit, parameters=everything_noise) if iterations else fit

    from coolgp.agents.sparse import starting

    maximise = starting.maximise
    monkeypatch.setattr(starting, "maximise", collapses)
    found = fit_pilot(x, y, starts(x), SE, 1e-6, Search(20, True))
    assert found.collapsed
    np.testing.assert_allclose(found.fit.parameters.lengthscale, starts(x)[found.chosen].lengthscale)


def test_pure_noise_is_no_collapse():
    x, y = pilot()
    y = np.random.default_rng(5).normal(size=len(y))
    assert not fit_pilot(x, y, starts(x), SE, 1e-6, Search(20, True)).collapsed


@pytest.mark.parametrize("key", ["lengthscale", "signal_variance", "noise_variance"])
def test_given_values_stay_and_the_rest_moves(key):
    shared, free = started(f"agents.{key}=0.3"), started()
    layout = shared.model.layout
    values = {name: getattr(layout, name)(shared.start[None])[0] for name in ("signal_variance", "noise_variance")}
    values["lengthscale"] = layout.lengthscale(shared.start[None])[0]
    np.testing.assert_allclose(values.pop(key), 0.3, rtol=1e-12)  # the layout stores logarithms
    assert not any(np.any(np.isclose(value, 0.3)) for value in values.values())
    assert not np.array_equal(shared.inducing_inputs, free.inducing_inputs)


def test_the_search_follows_from_the_sizes_alone():
    assert planned_search(2000, 100, 8).moves
    assert not planned_search(2000, 2000, 8).moves  # no better than at the rows
    assert planned_search(2000, 1000, 8).iterations < planned_search(2000, 250, 8).iterations
    assert planned_search(2000, 100, 8, iterations=0) == Search(0, False)


def test_a_run_says_how_its_start_was_found_and_what_did_not_move():
    assert "on the bound of 150 pilot rows" in started().words
    assert "inducing inputs moved" in started().words
    assert "inducing inputs stay" in started("agents.pilot_iterations=3").words
    few = started("agents.inducing=100")
    assert "inducing inputs stay where conditional-variance put them" in few.words
    assert started("agents.inducing_choice=kmeans").words == ""


def test_a_start_is_a_function_of_scenario_and_seed():
    one, other = started(), started()
    assert np.array_equal(one.start, other.start)
    assert np.array_equal(one.inducing_inputs, other.inducing_inputs)


@pytest.mark.parametrize(
    ("more", "choice"),
    [
        ([], "bound"),
        (["agents.coordinates=kernel"], "bound"),
        (["agents.shared=latent"], "conditional-variance"),
        (["agents.basis=rff"], "conditional-variance"),
        (["agents.shared=latent", "agents.inducing_choice=bound"], "bound"),
    ],
)
def test_the_bound_is_the_default_where_agents_share_a_function(more, choice):
    assert scenario(*more).agents.inducing_choice == choice


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        (["agents.basis=rff", "agents.inducing_choice=bound"], "no inducing inputs"),
        (
            [
                "agents.shared=latent",
                "agents.lengthscale=own",
                "agents.hyperparameters=fixed",
                "agents.inducing_choice=bound",
            ],
            "in its own way",
        ),
        (["agents.pilot_iterations=-1"], "pilot_iterations"),
        (["agents.pilot_iterations=5", "agents.inducing_choice=kmeans"], "nothing else is searched"),
        (["agents.pilot_held=federated", "agents.inducing_choice=kmeans"], "sums alone of the rows"),
        (["agents.pilot_held=federated", "agents.shared=latent"], "sums alone of the rows"),
    ],
)
def test_what_the_bound_cannot_do_is_refused(more, complaint):
    with pytest.raises(ConfigError, match=complaint):
        scenario(*more)
