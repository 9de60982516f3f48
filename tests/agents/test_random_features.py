"""Random Fourier features against a dense Bayesian linear regression and the exact Gaussian process, and their laws."""

from dataclasses import replace

import numpy as np
import pytest

from coolgp.agents.batches import Batch
from coolgp.agents.encoding import ENCODINGS
from coolgp.agents.features.fourier import FourierBasis, draw_waves
from coolgp.agents.learning import bound, gradient
from coolgp.agents.model import Model
from coolgp.agents.parameters import Layout
from coolgp.agents.prediction import Prediction, predict, query_rows
from coolgp.agents.trial import Adam
from coolgp.fusion.hyperparameters import MODES, training_evidence_of
from coolgp.fusion.registry import RULES, SUM_RULES
from coolgp.network.graphs.generate import generate
from coolgp.network.links.faults import PERFECT
from coolgp.network.serial import SerialTransport
from coolgp.scenarios import load_model, run
from coolgp.scenarios.config.loading import ConfigError, resolve

from tests.oracle import QUERIES, draw, informed, kernel, ranked, rows_of

AGENTS = 6
LAYOUT = Layout(2)
START = LAYOUT.pack(np.array([0.8, 1.1]), 1.3, 0.05)
BATCH = draw(AGENTS, 9, 4)
SCENARIO = {
    "data": {"source": "field", "observations": 600},
    "agents": {"count": 12, "basis": "rff", "inducing": 24, "batch_size": 10, "pilot": 200},
    "run": {"rounds": 4, "probes": 5},
}


def built(features: int = 20, seed: int = 3) -> Model:
    waves = draw_waves(LAYOUT.projection(START), features, np.random.default_rng(seed))
    return Model(LAYOUT, FourierBasis(waves), ENCODINGS["transport"]())


def design(model: Model, x: np.ndarray) -> np.ndarray:
    """``φ(x) [n, M]``, written out."""
    phase = x @ model.basis.waves.T
    return np.concatenate([np.cos(phase), np.sin(phase)], axis=1) * np.sqrt(2 / model.inducing)


def regression(model: Model, x: np.ndarray, y: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bayesian linear regression on the features: weights a priori independent with variance ``σ_s²``."""
    signal, noise = np.exp(START[-2:])
    phi, query = design(model, x), design(model, at)
    precision = phi.T @ phi / noise + np.eye(model.inducing) / signal
    mean = query @ np.linalg.solve(precision, phi.T @ y / noise)
    return mean, (query * np.linalg.solve(precision, query.T).T).sum(1)


def exact(x: np.ndarray, y: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Mean of the Gaussian process with the squared exponential kernel itself."""
    weight, (signal, noise) = LAYOUT.projection(START), np.exp(START[-2:])
    x, at = x @ weight.T, at @ weight.T
    covariance = signal * kernel(x, x).astype(float) + noise * np.eye(len(x))
    return signal * kernel(at, x).astype(float) @ np.linalg.solve(covariance, y)


def fused(name: str, model: Model) -> Prediction:
    """What all agents predict after one exchange."""
    graph = generate("grid", AGENTS, seed=1)
    rule = RULES[name]().fit(graph, PERFECT)
    transport = SerialTransport(rule.links(graph))
    population = informed(model, START, ranked(BATCH, transport))
    state = rule.converge(rule.init(population, transport), population, transport)
    return rule.predict(state, population, np.argsort(transport.shard.agents), QUERIES, transport)


def alone(model: Model, batch: Batch = BATCH) -> Prediction:
    population = informed(model, START, batch)
    return predict(model, population.theta, population.evidence(), QUERIES)


def test_an_agent_is_a_bayesian_linear_regression_on_its_features():
    model, prediction = built(), alone(built())
    for agent in range(AGENTS):
        mean, variance = regression(model, *rows_of(BATCH[agent : agent + 1]), QUERIES)
        np.testing.assert_allclose(prediction.mean[agent], mean, rtol=1e-9, atol=1e-10)
        np.testing.assert_allclose(prediction.variance[agent], variance, rtol=1e-9)


@pytest.mark.parametrize("name", [name for name in SUM_RULES if name != "none"])
def test_fused_agents_are_the_regression_on_what_all_observed(name):
    model = built()
    mean, variance = regression(model, *rows_of(BATCH), QUERIES)
    prediction = fused(name, model)
    np.testing.assert_allclose(prediction.mean, np.tile(mean, (AGENTS, 1)), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(prediction.variance, np.tile(variance, (AGENTS, 1)), rtol=1e-9)


def test_before_any_data_the_variance_is_the_signal_variance_everywhere():
    model = built()
    empty = replace(BATCH, mask=np.zeros_like(BATCH.mask))
    np.testing.assert_allclose(alone(model, empty).variance, np.exp(START[-2]), rtol=1e-12)
    rows, rest = query_rows(model, START[None], QUERIES)
    np.testing.assert_allclose(rows, design(model, QUERIES), atol=1e-14)
    np.testing.assert_allclose(rest, 0.0, atol=1e-14)


def test_the_error_against_the_exact_process_falls_with_the_root_of_the_features():
    x, y = rows_of(BATCH)
    signal, noise = np.exp(START[-2:])
    target, sizes, errors = exact(x, y, QUERIES), np.array([1024, 4096, 16384]), []
    for features in sizes:
        means = []
        for seed in range(12):
            waves = built(int(features), seed).basis
            phi, query = (waves.values(waves.waves, np.eye(2), at) for at in (x, QUERIES))
            means.append(signal * query.T @ phi @ np.linalg.solve(signal * phi.T @ phi + noise * np.eye(len(x)), y))
        errors.append(np.sqrt(np.mean(np.square(np.array(means) - target))))
    slope = np.polyfit(np.log(sizes), np.log(errors), 1)[0]
    assert -0.65 < slope < -0.35, (errors, slope)


def test_the_bound_is_the_log_evidence_and_its_gradient_moves_the_variances_alone():
    model, batch = built(), BATCH[:1]
    x, y = rows_of(batch)
    evidence = informed(model, START, batch).evidence()

    def log_evidence(theta: np.ndarray) -> float:
        signal, noise = np.exp(theta[-2:])
        covariance = signal * design(model, x) @ design(model, x).T + noise * np.eye(len(x))
        return -0.5 * (y @ np.linalg.solve(covariance, y) + np.linalg.slogdet(2 * np.pi * covariance)[1])

    np.testing.assert_allclose(bound(model, START[None], evidence)[0], log_evidence(START), rtol=1e-9)
    steps = 1e-5 * np.eye(len(START))
    expected = [(log_evidence(START + h) - log_evidence(START - h)) / 2e-5 / len(x) for h in steps]
    np.testing.assert_allclose(gradient(model, START[None], evidence, batch)[0], expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("mode", ["collective", "local"])
def test_variances_are_learned_and_lengthscales_stay(mode):
    model, how = built(), MODES[mode](Adam(0.05))
    graph = generate("grid", AGENTS, seed=1)
    rule = RULES["tree"]().fit(graph, PERFECT)
    transport = SerialTransport(rule.links(graph))
    batch = ranked(BATCH, transport)
    population = how.start(informed(model, START, batch))
    state = rule.init(population, transport)
    for _ in range(3):
        population = how.propose(population, batch, training_evidence_of(rule, state, population))
        state = rule.converge(state, population, transport)
        population = how.adopt(population, rule.announced(state, population))
    np.testing.assert_allclose(population.candidate[:, :-2], np.tile(START[:-2], (AGENTS, 1)), atol=1e-8)
    assert (np.abs(population.candidate[:, -2:] - START[-2:]) > 1e-3).all()


def test_a_run_leaves_a_model_that_predicts_again(tmp_path):
    run(resolve(SCENARIO, "field"), tmp_path / "run", figures=False)
    predictions, model = np.load(tmp_path / "run" / "predictions.npz"), load_model(tmp_path / "run")
    again = [model.predict(predictions["x_test"], agent) for agent in model.agents]
    np.testing.assert_allclose([one.mean for one in again], predictions["mean_post"], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("inducing", "15", "even number"),
        ("shared", "latent", 'not with basis = "rff"'),
        ("coordinates", "kernel", 'not with basis = "rff"'),
        ("encoding", "importance", 'not with basis = "rff"'),
        ("projection", "full", 'not with basis = "rff"'),
        ("inducing_choice", "kmeans", "no inducing inputs"),
    ],
)
def test_what_means_nothing_to_random_features_is_refused(key, value, words):
    with pytest.raises(ConfigError, match=words):
        resolve(SCENARIO, "field", [f"agents.{key}={value}"])
