"""Whitened and kernel coordinates: the same sums, predictions and learning, but for lost digits."""

from dataclasses import replace

import numpy as np
import pytest

from coolgp.agents.model import Model
from coolgp.agents.population import Population, fold, new_population, observe
from coolgp.agents.prediction import predict
from coolgp.agents.trial import Adam
from coolgp.fusion.hyperparameters import MODES
from coolgp.fusion.sums.tree import Tree
from coolgp.network.graphs.generate import generate
from coolgp.network.serial import SerialTransport
from coolgp.scenarios.config.loading import resolve
from coolgp.scenarios.records.model import load_model
from coolgp.scenarios.runs.run import run

from tests.agents.fast_paths.plain import (
    AGENTS,
    EPS,
    ROWS,
    at,
    plain_evidence,
    settings,
)
from tests.agents.test_statistics import assert_equal
from tests.oracle import LAYOUTS, QUERIES, build_model, draw, start, walked


def in_coordinates(coordinates: str, layout: str = "diagonal") -> Model:
    model = build_model("function", layout)
    return Model(model.layout, replace(model.basis, coordinates=coordinates), model.encoding)


def lost(model: Model, theta: np.ndarray) -> float:
    """Relative error that kernel coordinates may have: rounding times the condition number of their prior precision."""
    worst = np.linalg.cond(model.geometry(theta).prior).max() + np.linalg.cond(model.basis.frame.factor)
    return float(EPS * worst)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("alike", [True, False], ids=["agreeing", "differing"])
@pytest.mark.parametrize("coordinates", ["whitened", "kernel"])
def test_sums_in_both_coordinates_are_those_of_a_plain_loop(coordinates, alike, layout):
    model, batch = in_coordinates(coordinates, layout), draw(AGENTS, ROWS)
    for theta in (settings(model, alike=alike), at_home(model)):
        found_evidence = fold(observe(at(model, theta), batch)).evidence()
        assert_equal(found_evidence, plain_evidence(model, theta, batch), max(1e-10, lost(model, theta)))


def at_home(model: Model) -> np.ndarray:
    """Hyper-parameters at the reference, whose carrier needs no rounding; for a diagonal layout, near it."""
    reference = model.basis.reference
    theta = np.tile(start(model), (AGENTS, 1))
    theta[:, : model.layout.width] = reference.ravel() if model.layout.full else np.log(np.diagonal(reference))
    return theta


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("moved", [False, True], ids=["where they started", "moved since"])
def test_predictions_do_not_depend_on_the_coordinates(moved, layout):
    """Beyond as many digits as the condition number of the kernel matrix has; also where hyper-parameters moved."""
    predictions = []
    for coordinates in ("whitened", "kernel"):
        model = in_coordinates(coordinates, layout)
        population = at(model, settings(model, alike=False))
        for seed in range(3):
            population = fold(observe(population, draw(AGENTS, 30, seed)))
            if moved:
                slope = np.random.default_rng(seed).standard_normal(population.theta.shape)
                population = walked(population, Adam(0.2), population.theta, slope)
        predictions.append(predict(model, population.theta, population.evidence(), QUERIES))
    bound = lost(model, population.theta)
    assert bound < 1e-4
    for name in ("mean", "variance"):
        np.testing.assert_allclose(getattr(predictions[1], name), getattr(predictions[0], name), rtol=bound, atol=bound)


def learned(coordinates: str) -> tuple[Population, np.ndarray, np.ndarray]:
    """Four rounds of agents that learn together over a tree."""
    model, graph = in_coordinates(coordinates), generate("small-world", 8, seed=1)
    rule = Tree()
    transport = SerialTransport(rule.links(graph))
    mode = MODES["collective"](Adam(0.1))
    population = mode.start(new_population(model, start(model), 8))
    state = rule.init(population, transport)
    for turn in range(4):
        batch = draw(8, 20, turn)
        population = mode.adopt(population, rule.announced(state, population)) if turn else population
        population = fold(observe(population, batch))
        observed = population
        population = mode.propose(population, batch, lambda rows: rule.fused_evidence(state, observed, rows))  # noqa: B023
        state = rule.converge(state, population, transport)
    prediction = rule.predict(state, population, np.arange(8), QUERIES, transport)
    return population, prediction.mean, prediction.variance


def test_learning_together_does_not_depend_on_the_coordinates():
    whitened, kernel = learned("whitened"), learned("kernel")
    assert np.abs(whitened[0].candidate - start(whitened[0].model)).max() > 0.1
    bound = 100 * lost(kernel[0].model, kernel[0].theta)  # steps divide small gradients by their own size
    assert bound < 1e-3
    np.testing.assert_allclose(kernel[0].candidate, whitened[0].candidate, rtol=bound, atol=bound)
    for one, other in zip(kernel[1:], whitened[1:], strict=True):
        np.testing.assert_allclose(one, other, rtol=bound, atol=bound)


@pytest.mark.parametrize("mode", ["fixed", "collective", "local"])
def test_a_model_in_kernel_coordinates_predicts_again(tmp_path, mode):
    settings = {
        "data": {"source": "field"},
        "agents": {"count": 6, "inducing": 8, "batch_size": 5, "coordinates": "kernel", "hyperparameters": mode},
        "run": {"rounds": 3, "probes": 3},
    }
    run(resolve(settings, "kernel"), tmp_path / "run", figures=False)
    model, predictions = load_model(tmp_path / "run"), dict(np.load(tmp_path / "run" / "predictions.npz"))
    for place, agent in enumerate(model.agents):
        again = model.predict(predictions["x_test"], agent)
        np.testing.assert_allclose(again.mean, predictions["mean_post"][place], rtol=1e-9)
        np.testing.assert_allclose(again.variance, predictions["variance_post"][place], rtol=1e-9)
