"""Laws of what becomes of old statistics when hyper-parameters move."""

from dataclasses import fields

import numpy as np
import pytest

from coolgp.agents.batches import Batch
from coolgp.agents.encoding import ANCHOR_TOLERANCE, ENCODINGS, Importance, effective_sample_size
from coolgp.agents.features.basis import LatentBasis
from coolgp.agents.kernels.se import expected_kernel, expected_outer
from coolgp.agents.model import Model
from coolgp.agents.parameters import Layout
from coolgp.agents.population import Population
from coolgp.agents.prediction import predict
from coolgp.agents.statistics import Evidence, Statistics
from coolgp.agents.trial import Adam

from tests.oracle import BASES, JITTER, LAYOUTS, QUERIES, build_model, draw, informed, rows_of, start, walked


def moved(population: Population, change: np.ndarray | float) -> Population:
    """One step of the given length, as learning takes it."""
    slope = np.broadcast_to(np.sign(change), population.theta.shape).astype(float)
    return walked(population, Adam(float(np.abs(change).max()), decay=0.0, decay_square=0.0), population.theta, slope)


def copied(statistics: Statistics) -> dict[str, np.ndarray]:
    return {field.name: getattr(statistics, field.name).copy() for field in fields(statistics)}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_unchanged_hyper_parameters_leave_statistics_unchanged(basis, layout, encoding):
    model = build_model(basis, layout, encoding)
    population = informed(model, start(model), draw(3, 9))
    before = copied(population.statistics)
    statistics, anchor = model.encoding.move(model, population.statistics, population.anchor, population.theta)
    for name, value in before.items():
        np.testing.assert_array_equal(getattr(statistics, name), value)
    np.testing.assert_array_equal(anchor, population.anchor)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_known_of_the_function_itself_stays_to_the_bit_when_the_projection_moves(layout):
    model = build_model("function", layout)
    population = informed(model, start(model), draw(3, 9))
    before = copied(population.statistics)
    there = moved(population, 0.3)
    back = moved(there, -0.3)
    for population in (there, back):
        for name, value in before.items():
            np.testing.assert_array_equal(getattr(population.statistics, name), value)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_there_and_back_again_a_latent_basis_knows_about_the_same(layout):
    model = build_model("latent", layout)
    population = informed(model, start(model), draw(1, 60))
    before = predict(model, population.theta, population.evidence(), QUERIES)
    there = moved(population, np.array([0.1] * model.layout.width + [0.0, 0.0]))
    assert not np.array_equal(there.anchor, population.anchor)
    back = moved(there, np.array([-0.1] * model.layout.width + [0.0, 0.0]))
    np.testing.assert_allclose(back.theta, population.theta, atol=1e-12)
    after = predict(model, back.theta, back.evidence(), QUERIES)
    spread = before.mean.std()
    # Twelve points at 1.3 lengthscales cannot express what moves between them: each of two projections loses some.
    assert np.sqrt(np.square(after.mean - before.mean).mean()) < 0.15 * spread


@pytest.fixture(params=LAYOUTS)
def dense_model(request):
    """Latent points at half a lengthscale: between them nothing is lost."""
    coarse = build_model("latent", request.param)
    grid = np.stack(np.meshgrid(np.linspace(-4, 4, 12), np.linspace(-4, 4, 12)), axis=-1).reshape(-1, 2)
    return Model(coarse.layout, LatentBasis(grid, JITTER), coarse.encoding)


def projection_only(model: Model, change: float) -> np.ndarray:
    return np.array([change] * model.layout.width + [0.0, 0.0])


def test_points_that_cover_the_domain_densely_lose_nothing_there_and_back(dense_model):
    population = informed(dense_model, start(dense_model), draw(1, 60))
    before = predict(dense_model, population.theta, population.evidence(), QUERIES)
    back = moved(moved(population, projection_only(dense_model, 0.1)), projection_only(dense_model, -0.1))
    after = predict(dense_model, back.theta, back.evidence(), QUERIES)
    assert np.abs(after.mean - before.mean).max() < 0.01 * before.mean.std()


def test_transported_statistics_still_say_what_the_function_is_like(dense_model):
    """A new projection at the same data: predictions there are nearly those of data encoded anew."""
    batch = draw(1, 60)
    x, _ = rows_of(batch)
    there = moved(informed(dense_model, start(dense_model), batch), projection_only(dense_model, 0.1))
    anew = informed(dense_model, there.theta[0], batch)
    carried, expected = (predict(dense_model, there.theta, population.evidence(), x) for population in (there, anew))
    assert np.abs(carried.mean - expected.mean).max() < 0.05 * expected.mean.std()


def test_a_latent_anchor_stays_until_the_projection_is_far_from_it():
    model = build_model("latent")
    population = informed(model, start(model), draw(2, 30))
    before = population.statistics.gram.copy()
    near = moved(population, 0.9 * ANCHOR_TOLERANCE)
    np.testing.assert_array_equal(near.anchor, population.anchor)
    np.testing.assert_array_equal(near.statistics.gram, before)
    far = moved(near, 0.9 * ANCHOR_TOLERANCE)
    np.testing.assert_array_equal(far.anchor, far.theta)
    assert np.abs(far.statistics.gram - before).max() > 1e-3


def test_only_agents_that_moved_far_are_re_anchored():
    model = build_model("latent")
    population = informed(model, start(model), draw(3, 30))
    before, theta = population.statistics.gram.copy(), population.theta.copy()
    theta[1, 0] += 0.2
    statistics, anchor = model.encoding.move(model, population.statistics, population.anchor, theta)
    np.testing.assert_array_equal(statistics.gram[[0, 2]], before[[0, 2]])
    np.testing.assert_array_equal(anchor[[0, 2]], population.anchor[[0, 2]])
    np.testing.assert_array_equal(anchor[1], theta[1])


def test_transport_adds_over_batches():
    model, one, two = build_model("latent"), draw(2, 20, 1), draw(2, 20, 2)
    first, second, both = (
        moved(informed(model, start(model), *b), 0.2).evidence() for b in ((one,), (two,), (one, two))
    )
    np.testing.assert_allclose((first + second).pack(), both.pack(), rtol=1e-10, atol=1e-10)


def test_transported_precision_stays_positive_semi_definite():
    model = build_model("latent")
    population = informed(model, start(model), draw(2, 5))
    for change in (0.3, 0.3, -0.4, 0.2):
        population = moved(population, change)
    assert np.linalg.eigvalsh(population.evidence().precision).min() > -1e-10


@pytest.mark.parametrize("encoding", ["transport", "stale"])
@pytest.mark.parametrize("basis", BASES)
def test_variances_can_move_freely(basis, encoding):
    """Statistics are unscaled: after a change of both variances they say what data encoded now would say."""
    model, batch = build_model(basis, "diagonal", encoding), draw(2, 30)
    after = start(model, signal=0.4, noise=0.3)
    population = informed(model, start(model), batch)
    evidence = model.encoding.evidence(model, np.tile(after, (2, 1)), population.statistics)
    np.testing.assert_allclose(evidence.pack(), informed(model, after, batch).evidence().pack(), rtol=1e-12, atol=1e-12)


def test_stale_statistics_are_read_as_if_encoded_now():
    """Whitened sums keep their numbers, so the posterior of the whitened weights does not move at all."""
    model = build_model("function", "diagonal", "stale")
    population = informed(model, start(model), draw(1, 40))
    geometry = [model.geometry(theta[None]) for theta in (start(model), start(model, (1.5, 0.6)))]
    noise = model.layout.noise_variance(start(model))
    for theta, seen in zip((start(model), start(model, (1.5, 0.6))), geometry, strict=True):
        back = np.linalg.inv(seen.to_common[0])
        evidence = model.encoding.evidence(model, theta[None], population.statistics)
        whitened = back.T @ evidence.precision[0] @ back * noise
        np.testing.assert_allclose(whitened, population.statistics.gram[0], rtol=1e-8, atol=1e-8)


# Importance ---------------------------------------------------------------------------------------------------------


def importance(draws: np.ndarray, layout: str, points: int = 4) -> Model:
    inducing = np.random.default_rng(3).uniform(-1.5, 1.5, (points, 2))
    return Model(Layout(2, full=layout == "full", uncertain=True), LatentBasis(inducing, JITTER), Importance(draws))


def belief_about(layout: str, mean: float, spread: float) -> np.ndarray:
    """``θ`` with ``q(W)`` around ``mean`` times the identity."""
    middle = (mean * np.eye(2)).ravel() if layout == "full" else np.full(2, np.log(mean))
    return np.concatenate([middle, np.full(len(middle), np.log(spread)), np.log([1.3, 0.05])])[None]


@pytest.mark.parametrize("layout, mean, spread", [("full", 0.0, 1.0), ("full", 0.4, 0.7), ("diagonal", 0.5, 0.8)])
def test_importance_is_unbiased(layout, mean, spread):
    """The mean over 2,000 sets of 5 draws, within 4 standard errors of the closed form; q = prior is the first case."""
    model, batch = importance(np.zeros((1, 4 if layout == "full" else 2)), layout), draw(1, 12)
    theta, rng, draws = belief_about(layout, mean, spread), np.random.default_rng(0), []
    inverse = model.basis.geometry(np.eye(2)).inverse
    for _ in range(2000):
        drawn = Importance(rng.standard_normal((5, model.layout.width)))
        model = Model(model.layout, model.basis, drawn)
        draws.append(drawn.evidence(model, theta, drawn.encode(model, theta, batch)).pack()[0])
    (x, y), moments = rows_of(batch), (model.layout.projection(theta[0]), model.layout.spread(theta[0]))
    outer = expected_outer(x, model.basis.inducing, *moments).sum(0)
    cross = y @ expected_kernel(x, model.basis.inducing, *moments)
    signal, noise = 1.3, 0.05
    expected = Evidence(
        signal / noise * (inverse @ outer @ inverse.T), np.sqrt(signal) / noise * (inverse @ cross),
        np.square(y).sum() / noise, np.float64(len(y)),
    ).pack()  # fmt: skip
    error = np.std(draws, axis=0) / np.sqrt(len(draws))
    assert (np.abs(np.mean(draws, axis=0) - expected) <= 4 * error + 1e-9 * np.abs(expected)).all()


def test_importance_of_the_prior_weighs_all_draws_alike():
    model = importance(np.random.default_rng(0).standard_normal((20, 4)), "full")
    assert effective_sample_size(model.encoding, model, belief_about("full", 0.0, 1.0))[0] == pytest.approx(20.0)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_effective_sample_size_is_between_one_and_all(layout):
    model = importance(np.random.default_rng(0).standard_normal((20, 4 if layout == "full" else 2)), layout)
    for mean in (0.1, 0.7, 2.0, 6.0):
        for spread in (0.01, 0.5, 1.0, 2.0):
            size = effective_sample_size(model.encoding, model, belief_about(layout, mean, spread))
            assert (size >= 1 - 1e-9).all()
            assert (size <= 20 + 1e-9).all()


def test_importance_does_not_depend_on_the_hyper_parameters_of_the_moment_of_encoding():
    model, batch = importance(np.random.default_rng(0).standard_normal((20, 4)), "full"), draw(1, 12)
    now, then = belief_about("full", 0.4, 0.5), belief_about("full", 0.0, 1.0)
    one, two = (model.encoding.encode(model, theta, batch).gram for theta in (now, then))
    np.testing.assert_array_equal(one, two)


def test_a_certain_projection_among_the_draws_is_encoded_as_itself():
    """With one draw its sums are those of a point estimate there, in both bases."""
    for basis in BASES:
        plain = build_model(basis)
        theta = start(plain)
        entry = np.exp(theta[:2])[None]
        model = Model(Layout(2, uncertain=True), plain.basis, Importance(entry))
        x, y = rows_of(draw(1, 12))
        batch = Batch(x[None], y[None], np.ones((1, len(y))))
        statistics = model.encoding.encode(model, theta[None], batch)
        expected = plain.encoding.encode(plain, theta[None], batch)
        np.testing.assert_allclose(statistics.gram[:, 0], expected.gram, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(statistics.cross[:, 0], expected.cross, rtol=1e-10, atol=1e-10)
