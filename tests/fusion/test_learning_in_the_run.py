"""Laws of learning in the run: where it ends, and that it does no harm."""

import numpy as np
import pytest

from coolgp.agents.batches import Batch
from coolgp.agents.encoding import Transport
from coolgp.agents.features.basis import FunctionBasis
from coolgp.agents.model import Model
from coolgp.agents.parameters import Layout
from coolgp.agents.population import Population, new_population, observe_in_place
from coolgp.agents.trial import ACCEPT, ALIKE, LEEWAY, LONG, Adam, confirmed, judged, promoted
from coolgp.fusion.hyperparameters import MODES, training_evidence_of
from coolgp.fusion.sums.tree import Tree
from coolgp.network.graphs.generate import generate
from coolgp.network.serial import SerialTransport

AGENTS, ROWS, ROUNDS, SCALE = 10, 20, 200, 0.6
GRID = np.linspace(0.0, 10.0, 1501)[:, None]


def toy(noise: float) -> tuple[Model, np.ndarray, np.ndarray]:
    """Model, a start that is true but for the noise variance, and a function whose directions all have variance 1."""
    layout = Layout(1)
    theta = layout.pack(np.array([SCALE]), 1.0, noise)
    inducing = np.linspace(-0.2, 10.2, 40)[:, None]
    model = Model(layout, FunctionBasis(inducing, layout.projection(theta), 1e-8), Transport())
    geometry = model.geometry(theta[None])
    features = (geometry.inverse[0] @ model.basis.values(geometry.points[0], layout.projection(theta), GRID)).T
    _, directions = np.linalg.eigh(features.T @ features)
    return model, theta, features @ (directions @ np.random.default_rng(0).choice([-1.0, 1.0], len(inducing)))


def test_variances_end_near_the_truth_from_a_start_with_a_thousand_times_the_noise():
    """Evidence told under one noise variance and read under another lets the signal variance collapse to 0.02."""
    model, theta, function = toy(noise=0.1)
    rule, rng = Tree(), np.random.default_rng(0)
    transport = SerialTransport(rule.links(generate("random-tree", AGENTS, seed=0)))
    mode = MODES["collective"](Adam(0.02), AGENTS)
    population = mode.start(new_population(model, theta, AGENTS))
    state = rule.init(population, transport)
    for turn in range(ROUNDS):
        rows = rng.integers(0, len(GRID), (AGENTS, ROWS))
        y = function[rows] + 0.01 * rng.standard_normal(rows.shape)
        batch = Batch(GRID[rows], y, np.ones(rows.shape))
        population = mode.adopt(population, rule.announced(state, population)) if turn else population
        population = mode.propose(population, batch, training_evidence_of(rule, state, population))
        observe_in_place(population, batch)
        state = rule.converge(state, population, transport)
    np.testing.assert_array_equal(population.theta, np.tile(population.theta[0], (AGENTS, 1)))
    signal, noise = np.exp(population.theta[0, -2:])
    assert signal == pytest.approx(1.0, rel=0.1)
    assert noise == pytest.approx(1e-4, rel=0.1)


def tried(gains: list[tuple[float, float]]) -> tuple[Population, np.ndarray]:
    """An agent whose candidate gained so much in rounds one after another, and that candidate."""
    model, theta, _ = toy(noise=0.1)
    population, candidate = new_population(model, theta, 1), theta[None] + 0.1
    for gain in gains:
        population = judged(population, candidate, np.array([gain]))
    return population, candidate


def test_no_single_round_decides():
    population, candidate = tried([(100.0, 100.0)])
    assert (population.theta != candidate).all()
    population, candidate = tried([(-100.0, -100.0)])
    np.testing.assert_array_equal(population.candidate, candidate)


def test_what_predicts_better_is_taken_in_and_steps_grow():
    population, candidate = tried([(1.0, 0.0)] * int(ACCEPT))
    np.testing.assert_array_equal(population.theta, candidate)
    assert population.trial[0, 2] > 0


@pytest.mark.parametrize("gain", [(-1.0, 0.0), (1.0, -1.0)], ids=["less likely", "larger errors"])
def test_what_predicts_worse_is_sent_back_and_steps_shrink(gain):
    population, candidate = tried([gain] * int(ACCEPT))
    assert (population.theta != candidate).all()
    np.testing.assert_array_equal(population.candidate, population.theta)
    assert population.trial[0, 2] < 0


def test_what_is_more_likely_but_errs_more_waits():
    population, candidate = tried([(1.0, -0.6 * LEEWAY)] * int(ACCEPT))
    assert (population.theta != candidate).all()
    np.testing.assert_array_equal(population.candidate, candidate)


def test_after_trials_that_were_lost_more_is_asked():
    lost = [(-1.0, 0.0)] * int(ACCEPT)
    population, candidate = tried([*lost, *[(1.0, 0.0)] * int(ACCEPT)])
    assert (population.theta != candidate).all()
    population, candidate = tried([*lost, *[(1.0, 0.0)] * (int(ACCEPT) + 1)])
    np.testing.assert_array_equal(population.theta, candidate)


@pytest.mark.parametrize(("told", "taken"), [(0.9 * ALIKE / LONG, True), (1.5 * ALIKE / LONG, False), (0.0, False)])
def test_what_rows_cannot_tell_apart_follows_the_bound_but_not_where_there_are_no_rows(told, taken):
    gains = [(told if turn % 2 else -told, 0.0) for turn in range(LONG)]
    population, candidate = tried(gains)
    np.testing.assert_array_equal(population.theta == candidate, taken)


def away() -> Population:
    """An agent that does not use the start any more, with the candidate that it uses."""
    population, candidate = tried([(0.0, 0.0)])
    moved = promoted(population, candidate, np.array([True]))
    for _ in range(10):  # it was better while little was known
        moved = confirmed(moved, candidate, np.array([[5.0, 5.0]]))
    return moved


@pytest.mark.parametrize("gain", [(-1.0, 0.0), (0.0, -1.0)], ids=["less likely", "larger errors"])
def test_agents_go_back_to_the_start_where_it_predicts_better_in_the_end(gain):
    population = away()
    for _ in range(2 * int(ACCEPT)):
        np.testing.assert_array_equal(population.theta, population.candidate)
        assert (population.theta != population.start).all()
        population = confirmed(population, population.candidate, np.array([gain]))
    np.testing.assert_array_equal(population.theta, population.start)
    np.testing.assert_array_equal(population.candidate, population.start)
    assert population.trial[0, 2] < 0
