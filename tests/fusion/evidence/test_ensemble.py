"""The ensemble over kernels against Bayes' rule evaluated directly, and its laws."""

from collections.abc import Iterator

import numpy as np
import pytest

from coolgp.agents.batches import Batch
from coolgp.agents.encoding import ENCODINGS
from coolgp.agents.features.fourier import FourierBasis, draw_waves
from coolgp.agents.model import Model
from coolgp.agents.population import Population, new_population, observe
from coolgp.fusion.evidence.ensemble import Ensemble, EnsembleState
from coolgp.fusion.registry import RULES
from coolgp.fusion.rule import AveragesParameters, EvidenceRule, FusionRule, SeesData
from coolgp.network.graphs.generate import generate
from coolgp.network.graphs.topology import from_edges
from coolgp.network.links.faults import PERFECT
from coolgp.network.serial import SerialTransport
from coolgp.scenarios import run
from coolgp.scenarios.config.loading import ConfigError, resolve

from tests.oracle import QUERIES, build_model, dense, draw, ranked, start

AGENTS, ROUNDS = 5, 4
SCALES = (0.5, 1.0, 2.0)
MODELS = ("function", "latent", "rff")
CARRIERS = ("consensus", "chebyshev", "push-sum", "flood", "server", "central")


FIELD = {
    "data": {"source": "field", "observations": 600},
    "agents": {"count": 12, "inducing": 20, "batch_size": 10, "pilot": 200},
    "fusion": {"rule": "ensemble"},
    "run": {"rounds": 4, "probes": 5},
}


def model_of(basis: str) -> Model:
    if basis != "rff":
        return build_model(basis)
    model = build_model()
    waves = draw_waves(model.layout.projection(start(model)), 12, np.random.default_rng(2))
    return Model(model.layout, FourierBasis(waves), ENCODINGS["transport"]())


def scaled(model: Model, scale: float) -> tuple[Model, np.ndarray]:
    """An expert by itself, written out: lengthscales times a factor, the inducing inputs or draws the same."""
    theta = start(model)
    theta[:2] -= np.log(scale)
    if isinstance(model.basis, FourierBasis):
        return Model(model.layout, FourierBasis(model.basis.waves / scale), model.encoding), theta
    inputs = model.basis.inducing / (scale if not model.basis.moves else 1.0)
    return Model(model.layout, type(model.basis)(inputs, *_rest(model)), model.encoding), theta


def _rest(model: Model) -> tuple:
    return (model.basis.reference, model.basis.jitter) if model.basis.moves else (model.basis.jitter,)


def went(
    rule: FusionRule, model: Model, batches: list[Batch], kind: str = "grid"
) -> tuple[FusionRule, object, Population, SerialTransport]:
    """Rounds of learning with an exchange after each, as the loop does them."""
    agents = len(batches[0].y)
    graph = generate(kind, agents, seed=1) if agents > 1 else from_edges([], [], 1)
    rule = rule.fit(graph, PERFECT)
    transport = SerialTransport(rule.links(graph))
    population = new_population(model, start(model), agents)
    state = rule.init(population, transport)
    for batch in batches:
        seen = ranked(batch, transport)
        state = rule.observe(state, population, seen) if isinstance(rule, SeesData) else state
        population = observe(population, seen)
        state = rule.converge(state, population, transport)
    return rule, state, population, transport


def answers(rule: FusionRule, model: Model, batches: list[Batch]) -> tuple[np.ndarray, np.ndarray]:
    rule, state, population, transport = went(rule, model, batches)
    prediction = rule.predict(state, population, np.argsort(transport.shard.agents), QUERIES, transport)
    return prediction.mean, prediction.variance


def stream(agents: int, rows: int) -> list[Batch]:
    return [draw(agents, rows, seed) for seed in range(ROUNDS)]


def pooled(batches: list[Batch]) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """What everyone knew before each round, and what was observed in it."""
    x, y = np.empty((0, 2)), np.empty(0)
    for batch in batches:
        real = batch.mask > 0
        yield x, y, batch.x[real], batch.y[real]
        x, y = np.concatenate([x, batch.x[real]]), np.concatenate([y, batch.y[real]])


def direct(model: Model, scale: float, batches: list[Batch]) -> float:
    """Log density of each round's rows one by one, by a dense predictor that knows all earlier rounds."""
    expert, theta = scaled(model, scale)
    total = 0.0
    for x, y, new, target in pooled(batches):
        mean, variance = foretold(expert, theta, x, y, new)
        variance = variance + np.exp(theta[-1])
        total += float((-0.5 * (np.log(2 * np.pi * variance) + (target - mean) ** 2 / variance)).sum())
    return total


def foretold(
    model: Model, theta: np.ndarray, x: np.ndarray, y: np.ndarray, at: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    signal, noise = np.exp(theta[-2:])
    if not len(x):
        return np.zeros(len(at)), np.full(len(at), signal)
    if not isinstance(model.basis, FourierBasis):
        mean, variance = dense(model, theta).predict(x, y, at)
        return np.asarray(mean, float), np.asarray(variance, float)
    phi, query = (np.hstack([np.cos(z @ model.basis.waves.T), np.sin(z @ model.basis.waves.T)]) for z in (x, at))
    cross, between = signal * query @ phi.T / 6, signal * phi @ phi.T / 6 + noise * np.eye(len(x))
    return cross @ np.linalg.solve(between, y), signal - (cross * np.linalg.solve(between, cross.T).T).sum(1)


@pytest.mark.parametrize("basis", MODELS)
def test_an_ensemble_of_one_kernel_is_the_plain_rule(basis):
    model, batches = model_of(basis), stream(AGENTS, 6)
    for one, other in zip(
        answers(Ensemble(scales=(1.0,)), model, batches), answers(RULES["tree"](), model, batches), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("basis", MODELS)
@pytest.mark.parametrize("agents, rows", [(AGENTS, 4), (1, 1)])
def test_weights_are_bayes_rule_on_the_pooled_stream(basis, agents, rows):
    model, batches = model_of(basis), stream(agents, rows)
    rule, state, _, _ = went(Ensemble(scales=SCALES), model, batches)
    logs = np.array([direct(model, scale, batches) for scale in SCALES])
    expected = np.exp(logs - logs.max()) / np.exp(logs - logs.max()).sum()
    np.testing.assert_allclose(rule.weights(state, slice(None)), np.tile(expected, (agents, 1)), rtol=1e-6, atol=1e-9)


def test_one_row_at_a_time_the_weights_are_the_evidences_of_random_feature_models():
    """The chain rule: log densities of rows, each given those before it, add up to the evidence of all."""
    model, batches = model_of("rff"), stream(1, 1)
    rule, state, _, _ = went(Ensemble(scales=SCALES), model, batches)
    x, y = (np.concatenate([getattr(batch, name)[0] for batch in batches]) for name in ("x", "y"))
    signal, noise = np.exp(start(model)[-2:])
    logs = []
    for scale in SCALES:
        phase = x @ model.basis.waves.T / scale
        gram = np.cos(phase[:, None] - phase[None]).mean(-1)
        covariance = signal * gram + noise * np.eye(len(y))
        logs.append(-0.5 * (y @ np.linalg.solve(covariance, y) + np.linalg.slogdet(covariance)[1]))
    expected = np.exp(np.array(logs) - max(logs))
    np.testing.assert_allclose(rule.weights(state, slice(None))[0], expected / expected.sum(), rtol=1e-9)


def test_the_prediction_is_the_mixture_of_the_experts():
    model, batches = model_of("function"), stream(AGENTS, 5)
    rule, state, population, transport = went(Ensemble(scales=SCALES), model, batches)
    prediction = rule.predict(state, population, np.arange(AGENTS), QUERIES, transport)
    x, y = (
        np.concatenate(parts) for parts in zip(*[(new, target) for _, _, new, target in pooled(batches)], strict=True)
    )
    told = [foretold(*scaled(model, scale), x, y, QUERIES) for scale in SCALES]
    share = rule.weights(state, slice(None))[0]
    mean = sum(w * m for w, (m, _) in zip(share, told, strict=True))
    square = sum(w * (v + m**2) for w, (m, v) in zip(share, told, strict=True))
    np.testing.assert_allclose(prediction.mean, np.tile(mean, (AGENTS, 1)), rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(prediction.variance, np.tile(square - mean**2, (AGENTS, 1)), rtol=1e-6)


@pytest.mark.parametrize("via", CARRIERS)
def test_whatever_carries_the_rows_the_ensemble_is_the_same(via):
    model, batches = model_of("function"), stream(AGENTS, 5)
    one, other = (answers(Ensemble(via=way), model, batches) for way in ("tree", via))
    np.testing.assert_allclose(other[0], one[0], rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(other[1], one[1], rtol=1e-5)


@pytest.mark.parametrize("truth", range(len(SCALES)))
def test_weight_gathers_on_the_kernel_that_the_data_were_drawn_from(truth):
    model, rng, rows = model_of("rff"), np.random.default_rng(truth), 60
    expert, theta = scaled(model, SCALES[truth])
    signal, noise = np.exp(theta[-2:])
    x = rng.uniform(-2.2, 2.2, (AGENTS, rows, 2))
    phi = expert.basis.values(expert.basis.waves, np.eye(2), x)
    y = np.sqrt(signal) * np.einsum("amn,m->an", phi, rng.standard_normal(12))
    y += np.sqrt(noise) * rng.standard_normal(y.shape)
    parts = [slice(first, first + 4) for first in range(0, rows, 4)]
    batches = [Batch(x[:, part], y[:, part], np.ones((AGENTS, 4))) for part in parts]
    rule, state, _, _ = went(Ensemble(scales=SCALES), model, batches)
    assert rule.weights(state, slice(None))[:, truth].min() > 0.95


def test_what_the_loop_asks_of_an_ensemble():
    rule = Ensemble()
    assert isinstance(rule, SeesData)
    assert isinstance(rule, AveragesParameters)
    assert not isinstance(rule, EvidenceRule)
    assert {"sums", "anchor", "log_density"} < set(EnsembleState.__dataclass_fields__)


@pytest.mark.parametrize("mode", ["fixed", "collective", "local"])
def test_experts_follow_the_hyper_parameters_of_the_agents(mode):
    records = run(resolve(FIELD, "field", [f"agents.hyperparameters={mode}"]))
    assert np.isfinite(records[-1].probed.post.mean).all()
    assert (records[-1].probed.post.variance > 0).all()


def test_an_ensemble_refuses_an_uncertain_projection_and_lengthscales_below_nothing():
    with pytest.raises(ValueError, match="projection_std to 0"):
        run(resolve(FIELD, "field", ["agents.shared=latent", "agents.projection_std=0.1"]))
    with pytest.raises(ConfigError, match="a list of numbers above 0"):
        resolve(FIELD, "field", ["fusion.scales=[1.0, -2.0]"])
    assert resolve(FIELD, "field", ["fusion.scales=[1, 2]"]).fusion.options["scales"] == [1, 2]
