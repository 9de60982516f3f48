"""Laws of prediction: bounds, the prior, the paper's own parametrisation, and an uncertain projection."""

from dataclasses import replace

import numpy as np
import pytest

from coolgp.agents.base.failures import Indefinite
from coolgp.agents.features.basis import LatentBasis
from coolgp.agents.learning import bound
from coolgp.agents.model import Model
from coolgp.agents.parameters import Layout
from coolgp.agents.prediction import posterior, predict
from coolgp.agents.statistics import Evidence

from tests.oracle import (
    BASES,
    LAYOUTS,
    LONG,
    QUERIES,
    build_model,
    dense,
    draw,
    informed,
    pooled,
    rows_of,
    solve,
    start,
)

ENCODINGS = ("transport", "stale", "importance")


def nothing(model: Model, theta: np.ndarray) -> Evidence:
    return model.encoding.evidence(model, theta, model.encoding.zeros(model, len(theta)))


def everyone(model: Model, seed: int = 0) -> tuple[np.ndarray, Evidence]:
    """Two agents with different hyper-parameters, and what they know."""
    population = informed(model, start(model), draw(2, 30, seed), draw(2, 30, seed + 1))
    theta = np.stack([start(model), start(model, (1.15, 0.87), signal=0.9, noise=0.1)])
    return theta, model.encoding.evidence(model, theta, population.statistics)


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("layout", LAYOUTS)
class TestAgainstTheOracle:
    """One agent, one setting."""

    def test_predictions_are_those_of_the_dense_process(self, basis, layout):
        model, batch = build_model(basis, layout), draw(1, 60)
        prediction = predict(model, start(model)[None], informed(model, start(model), batch).evidence(), QUERIES)
        mean, variance = dense(model, start(model)).predict(*rows_of(batch), QUERIES)
        np.testing.assert_allclose(prediction.mean[0], mean.astype(float), rtol=1e-9)
        np.testing.assert_allclose(prediction.variance[0], variance.astype(float), rtol=1e-9)

    def test_the_bound_is_that_of_the_dense_process(self, basis, layout):
        model, batch = build_model(basis, layout), draw(1, 60)
        bounds = bound(model, start(model)[None], informed(model, start(model), batch).evidence())
        np.testing.assert_allclose(bounds[0], float(dense(model, start(model)).bound(*rows_of(batch))), rtol=1e-9)

    def test_the_latent_variance_is_between_zero_and_the_prior(self, basis, layout):
        model = build_model(basis, layout)
        theta, evidence = everyone(model)
        for data in (evidence, evidence + evidence[::-1], nothing(model, theta)):
            prediction = predict(model, theta, data, np.concatenate([QUERIES, model.basis.inducing, 20 * QUERIES]))
            signal = model.layout.signal_variance(theta)[:, None]
            assert (prediction.variance >= 0).all()
            assert (prediction.variance <= signal * (1 + 1e-9)).all()

    def test_an_agent_with_a_row_of_its_own_predicts_as_alone(self, basis, layout):
        model = build_model(basis, layout)
        theta, evidence = everyone(model)
        both = predict(model, theta, evidence, QUERIES)
        for agent in range(2):
            alone = predict(model, theta[[agent]], evidence[np.array([agent])], QUERIES)
            np.testing.assert_allclose(both.mean[agent], alone.mean[0], rtol=1e-12)
            np.testing.assert_allclose(both.variance[agent], alone.variance[0], rtol=1e-10)

    def test_the_determinant_is_that_of_the_posterior_against_the_prior(self, basis, layout):
        model = build_model(basis, layout)
        theta, evidence = everyone(model)
        belief = posterior(model, theta, evidence)
        nobody = posterior(model, theta, nothing(model, theta))
        amplitude = np.square(model.basis.amplitude(model.layout.signal_variance(theta)))[:, None, None]
        prior = model.geometry(theta).prior / amplitude
        expected = np.linalg.slogdet(evidence.precision + prior)[1] - np.linalg.slogdet(prior)[1]
        np.testing.assert_allclose(belief.log_determinant, expected, rtol=1e-9)
        np.testing.assert_allclose(nobody.log_determinant, 0.0, atol=1e-9)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_without_data_the_prediction_is_the_prior(basis, layout, encoding):
    model = build_model(basis, layout, encoding)
    theta = np.stack([start(model), start(model, (1.15, 0.87), signal=0.9)])
    prediction = predict(model, theta, nothing(model, theta), QUERIES)
    np.testing.assert_array_equal(prediction.mean, 0.0)
    np.testing.assert_allclose(prediction.variance, np.broadcast_to([[1.3], [0.9]], (2, len(QUERIES))), rtol=1e-9)
    np.testing.assert_allclose(prediction.noise_variance, 0.05, rtol=1e-14)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_variance_is_never_negative(basis, layout, encoding):
    model = build_model(basis, layout, encoding)
    theta, evidence = everyone(model)
    assert (predict(model, theta, evidence, np.concatenate([QUERIES, model.basis.inducing])).variance >= 0).all()


@pytest.mark.parametrize("basis", BASES)
def test_more_data_never_raise_the_variance(basis):
    model = build_model(basis)
    theta, evidence = everyone(model)
    before, after = (predict(model, theta, data, QUERIES).variance for data in (evidence, evidence + evidence[::-1]))
    assert (after <= before * (1 + 1e-9)).all()


def test_queries_beyond_a_block_are_answered_alike():
    model = build_model()
    theta, evidence = everyone(model)
    many = np.tile(QUERIES, (130, 1))
    prediction, expected = predict(model, theta, evidence, many), predict(model, theta, evidence, QUERIES)
    np.testing.assert_allclose(prediction.mean, np.tile(expected.mean, 130), rtol=1e-12)
    np.testing.assert_allclose(prediction.variance, np.tile(expected.variance, 130), rtol=1e-10)


@pytest.mark.parametrize("basis", BASES)
def test_no_agents_and_no_queries_give_empty_predictions(basis):
    model = build_model(basis)
    theta, evidence = everyone(model)
    assert predict(model, theta[:0], evidence[:0], QUERIES).mean.shape == (0, len(QUERIES))
    assert predict(model, theta, evidence, QUERIES[:0]).variance.shape == (2, 0)


# The paper's parametrisation ----------------------------------------------------------------------------------------


@pytest.fixture(params=LAYOUTS)
def natural(request):
    """A latent model's whitened posterior, and ``K, Ψ, ψ, σ_s², σ_η²`` straight from the data."""
    model, batch = build_model("latent", request.param), draw(1, 60)
    theta, (x, y) = start(model), rows_of(batch)
    oracle = dense(model, theta)
    kappa = oracle.cross(x)
    evidence = informed(model, theta, batch).evidence()
    factor = model.geometry(theta[None]).factor[0]
    sums = (oracle.inducing_kernel, kappa.T @ kappa, kappa.T @ y, oracle.signal, oracle.noise)
    return np.eye(12) + evidence.precision[0], evidence.shift[0], factor, sums


def test_unwhitened_natural_parameters_are_those_of_equation_3(natural):
    precision, shift, factor, (kernel, outer, cross, signal, noise) = natural
    inverse, root = np.linalg.inv(factor), np.sqrt(signal)
    identity = np.eye(12, dtype=LONG)
    first = solve(kernel, identity) + signal / noise * solve(kernel, solve(kernel, outer).T)
    second = root / noise * solve(kernel, cross)
    assert_close(inverse.T @ precision @ inverse, first)
    assert_close(inverse.T @ shift, second)


def test_unwhitened_moments_are_those_of_equation_2(natural):
    precision, shift, factor, (kernel, outer, cross, signal, noise) = natural
    joint = noise * kernel + signal * outer
    covariance, mean = noise * kernel @ solve(joint, kernel), np.sqrt(signal) * kernel @ solve(joint, cross)
    posterior_covariance = factor @ np.linalg.solve(precision, factor.T)
    assert_close(posterior_covariance, covariance)
    assert_close(factor @ np.linalg.solve(precision, shift), mean)


def assert_close(actual: np.ndarray, expected: np.ndarray) -> None:
    """To a part in 1e9 of the largest entry: small ones come from the cancelling of large ones."""
    np.testing.assert_allclose(actual, expected.astype(float), rtol=0, atol=1e-9 * float(np.abs(expected).max()))


# An uncertain projection --------------------------------------------------------------------------------------------


@pytest.fixture(params=LAYOUTS)
def uncertain(request):
    """A latent model with ``q(W)``, its hyper-parameters, and evidence that is a sum of expectations."""
    plain = build_model("latent", request.param)
    model = Model(Layout(2, request.param == "full", uncertain=True), plain.basis, plain.encoding)
    theta = start(model)
    theta[model.layout.width : -2] = np.log(0.25) + 0.3 * np.sin(np.arange(model.layout.width))
    return model, theta, informed(model, theta, draw(1, 30)).evidence()


def test_an_uncertain_projection_gives_the_moments_of_the_mixture(uncertain):
    model, theta, evidence = uncertain
    prediction, dimension = predict(model, theta[None], evidence, QUERIES), 4 if model.layout.full else 2
    rng, samples = np.random.default_rng(8), 20_000
    middle, spread = theta[:4] if dimension == 4 else np.exp(theta[:2]), np.exp(theta[dimension:-2])
    entries = middle + spread * rng.standard_normal((samples, dimension))
    projections = entries.reshape(-1, 2, 2) if dimension == 4 else entries[:, :, None] * np.eye(2)
    covariance = np.linalg.inv(np.eye(12) + evidence.precision[0])
    inverse = np.linalg.inv(model.geometry(theta[None]).factor[0])
    gap = (QUERIES @ projections.swapaxes(-1, -2))[:, :, None] - model.basis.inducing
    phi, signal = np.exp(-0.5 * np.square(gap).sum(-1)) @ inverse.T, np.exp(theta[-2])
    mean = np.sqrt(signal) * phi @ (covariance @ evidence.shift[0])
    within = signal * (1 - np.square(phi).sum(-1) + (phi @ covariance * phi).sum(-1))
    around = within + np.square(mean - prediction.mean[0])
    for sample, expected in ((mean, prediction.mean[0]), (around, prediction.variance[0])):
        assert (np.abs(sample.mean(0) - expected) < 5 * sample.std(0) / np.sqrt(samples)).all()


def test_as_the_projection_becomes_certain_so_do_predictions(uncertain):
    model, theta, evidence = uncertain
    theta = theta.copy()
    theta[model.layout.width : -2] = np.log(1e-7)
    certain = Model(Layout(2, model.layout.full), model.basis, model.encoding)
    point = np.concatenate([theta[: model.layout.width], theta[-2:]])[None]
    prediction, expected = predict(model, theta[None], evidence, QUERIES), predict(certain, point, evidence, QUERIES)
    np.testing.assert_allclose(prediction.mean, expected.mean, rtol=1e-9)
    np.testing.assert_allclose(prediction.variance, expected.variance, rtol=1e-8)


# Agents of different hyper-parameters, one function ------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS)
def test_evidence_of_agents_with_any_hyper_parameters_adds_up(layout):
    model, batch = build_model("function", layout), draw(3, 25)
    thetas = np.stack([start(model), start(model, (1.3, 0.8), 0.7, 0.1), start(model, (0.8, 1.2), 2.0, 0.03)])
    evidence = model.encoding.evidence(model, thetas, model.encoding.encode(model, thetas, batch))
    total = evidence[np.array([0])] + evidence[np.array([1])] + evidence[np.array([2])]
    likelihoods = [(dense(model, theta), *rows_of(batch[a : a + 1])) for a, theta in enumerate(thetas)]
    for reader in thetas:
        prediction = predict(model, reader[None], total, QUERIES)
        mean, variance = pooled(likelihoods, dense(model, reader), QUERIES)
        np.testing.assert_allclose(prediction.mean[0], mean.astype(float), rtol=1e-9)
        np.testing.assert_allclose(prediction.variance[0], variance.astype(float), rtol=1e-9)


# Refusals -----------------------------------------------------------------------------------------------------------


def test_evidence_that_is_none_is_refused_naming_the_agent():
    model = build_model()
    theta, evidence = everyone(model)
    broken = replace(evidence, precision=evidence.precision * np.array([1.0, -1.0])[:, None, None])
    with pytest.raises(Indefinite, match="is not positive definite") as caught:
        predict(model, theta, broken, QUERIES)
    assert caught.value.row == 1


def test_coinciding_inducing_inputs_are_refused_without_jitter():
    with pytest.raises(ValueError, match=r"2 inducing inputs is not positive definite.*raise agents\.jitter"):
        LatentBasis(np.ones((2, 2)), -1e-6).geometry(np.eye(2)[None])
