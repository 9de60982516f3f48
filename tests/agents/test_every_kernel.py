"""Laws of all kernels: as functions, and of all that is learned with them, against the dense textbook process."""

import numpy as np
import pytest

from coolgp.agents.batch_gp import BatchGP
from coolgp.agents.coverage import best_added, coverage
from coolgp.agents.encoding import ENCODINGS
from coolgp.agents.features.basis import FunctionBasis, LatentBasis
from coolgp.agents.features.fourier import draw_waves
from coolgp.agents.features.inducing import conditional_variance
from coolgp.agents.kernels.base import HasExpectations, Kernel, expectations_of, spectrum_of
from coolgp.agents.kernels.registry import KERNELS
from coolgp.agents.learning import bound, gradient
from coolgp.agents.model import Model
from coolgp.agents.parameters import Layout
from coolgp.agents.pilot import _evidence
from coolgp.agents.pitc import block_evidence
from coolgp.agents.prediction import predict
from coolgp.fusion.registry import rule_named
from coolgp.network.graphs.generate import generate
from coolgp.network.serial import SerialTransport

from tests.oracle import (
    BASES,
    LAYOUTS,
    LONG,
    QUERIES,
    build_model,
    dense,
    draw,
    informed,
    kernel,
    log_determinant,
    ranked,
    rows_of,
    slope,
    solve,
    start,
)

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(5, 3)), RNG.normal(size=(4, 3))
KNOWN, NEWEST = draw(1, 40, seed=1), draw(1, 12, seed=2)
WITHOUT_EXPECTATIONS = [name for name, of in KERNELS.items() if not isinstance(of, HasExpectations)]


@pytest.fixture(params=KERNELS)
def name(request):
    return request.param


def test_values_are_those_of_the_textbook(name):
    np.testing.assert_allclose(KERNELS[name].values(A, B), kernel(A, B, name).astype(float), rtol=1e-13)


def test_a_kernel_is_symmetric_positive_definite_and_one_at_zero_distance(name):
    x = np.random.default_rng(3).normal(0, 1.5, (40, 3))
    matrix = KERNELS[name].values(x, x)
    np.testing.assert_allclose(matrix, matrix.T, rtol=1e-14)
    np.testing.assert_allclose(np.diagonal(matrix), 1.0, rtol=1e-13)
    assert np.linalg.eigvalsh(matrix)[0] > 0


def test_it_is_at_most_one_far_from_the_origin_and_nothing_far_away(name):
    far = A + 1e4
    values, slopes = KERNELS[name].values_and_slopes(far, np.concatenate([far, -far]))
    assert (values <= 1.0).all()
    assert not values[:, len(far) :].any()
    assert np.isfinite(slopes).all()


def test_exponents_that_rounding_leaves_above_zero_are_no_distance(name):
    assert KERNELS[name].of_exponents(np.array([1e-15])) == pytest.approx(1.0, rel=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_have_the_precision_of_their_inputs(name, dtype):
    values = KERNELS[name].values(A.astype(dtype), B.astype(dtype))
    assert values.dtype == dtype
    np.testing.assert_allclose(values, kernel(A, B, name).astype(float), rtol=50 * np.finfo(dtype).eps)


def test_slopes_are_the_gradient_by_finite_differences(name):
    values, slopes = KERNELS[name].values_and_slopes(A, B)
    np.testing.assert_allclose(values, KERNELS[name].values(A, B), rtol=1e-15)
    for row, at in enumerate(A):
        for column, other in enumerate(B):
            expected = slope(lambda x, other=other: kernel(x[None], other[None], name)[0, 0], at.astype(LONG))
            gradient_by_row = -slopes[row, column] * (at - other)
            np.testing.assert_allclose(gradient_by_row, expected.astype(float), rtol=1e-8, atol=1e-11)


def test_slopes_at_zero_distance_are_the_limit_of_those_nearby(name):
    slopes = KERNELS[name].with_slopes(np.array([0.0, -1e-14]))[1]
    assert slopes[0] == pytest.approx(slopes[1], rel=1e-6)
    assert slopes[0] > 0


def test_frequencies_make_the_kernel(name):
    """Within 5 standard errors of the mean of cosines."""
    waves = spectrum_of(KERNELS[name]).frequencies(40_000, 3, np.random.default_rng(1))
    cosines = np.cos((A[:, None] - B[None]) @ waves.T)
    error = cosines.std(-1) / np.sqrt(cosines.shape[-1])
    assert (np.abs(cosines.mean(-1) - KERNELS[name].values(A, B)) < 5 * error).all()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("basis", BASES)
class TestLearning:
    """One agent against the dense process."""

    def test_predictions_and_the_bound_are_those_of_the_dense_process(self, name, basis, layout):
        model, batch = build_model(basis, layout, kernel=name), draw(1, 60)
        theta, oracle = start(model), dense(model, start(model))
        evidence = informed(model, theta, batch).evidence()
        prediction = predict(model, theta[None], evidence, QUERIES)
        mean, variance = oracle.predict(*rows_of(batch), QUERIES)
        np.testing.assert_allclose(prediction.mean[0], mean.astype(float), rtol=1e-9)
        np.testing.assert_allclose(prediction.variance[0], variance.astype(float), rtol=1e-9)
        nats = bound(model, theta[None], evidence)[0]
        np.testing.assert_allclose(nats, float(oracle.bound(*rows_of(batch))), rtol=1e-9)

    def test_the_gradient_is_that_of_the_bound_of_the_held_posterior(self, name, basis, layout):
        model = build_model(basis, layout, kernel=name)
        theta, width = start(model), model.layout.width
        at, (x, y) = theta.astype(LONG), rows_of(NEWEST)
        mean, covariance = dense(model, at).moments(*rows_of(KNOWN))

        def objective(entries):
            oracle = dense(model, np.concatenate([entries, at[width:]]))
            fit = oracle.expected_log_likelihood(x, y, mean, covariance) / len(y)
            return fit - oracle.divergence(mean, covariance) / KNOWN.mask.sum()

        slopes = gradient(model, theta[None], informed(model, theta, KNOWN).evidence(), NEWEST)[0, :width]
        expected = slope(objective, at[:width]).astype(float)
        np.testing.assert_allclose(slopes, expected, rtol=1e-7, atol=1e-8 * np.abs(expected).max())

    def test_at_its_own_posterior_it_is_that_of_the_collapsed_bound(self, name, basis, layout):
        model = build_model(basis, layout, kernel=name)
        theta, rows = start(model), rows_of(KNOWN)
        slopes = gradient(model, theta[None], informed(model, theta, KNOWN).evidence(), KNOWN)[0]
        expected = slope(lambda at: dense(model, at).bound(*rows) / len(rows[1]), theta.astype(LONG)).astype(float)
        np.testing.assert_allclose(slopes, expected, rtol=1e-7, atol=1e-8 * np.abs(expected).max())


def test_the_gradient_is_finite_where_rows_lie_on_inducing_inputs(name):
    model = build_model(kernel=name)
    batch = draw(1, 12, seed=2)
    batch.x[0] = model.basis.inducing
    evidence = informed(model, start(model), KNOWN).evidence()
    assert np.isfinite(gradient(model, start(model)[None], evidence, batch)).all()


def test_the_evidence_of_the_pilot_and_its_gradient(name):
    x = RNG.uniform(-2, 2, (40, 2))
    y = np.sin(3 * x[:, 0]) + 0.3 * x[:, 1] + 0.1 * RNG.standard_normal(40)
    at = np.log([1.0, 1.5, 0.8, 0.2])

    def textbook(theta):
        theta = np.asarray(theta, LONG)
        z, signal, noise = x / np.exp(theta[:2]), np.exp(theta[2]), np.exp(theta[3])
        covariance = signal * kernel(z, z, name) + (noise + LONG(1e-8) * signal) * np.eye(len(x), dtype=LONG)
        return -(y @ solve(covariance, y) + log_determinant(covariance) + len(x) * np.log(2 * LONG(np.pi))) / 2 / len(x)

    value, slopes = _evidence(x, y, np.zeros(len(y), dtype=np.intp), at, KERNELS[name])
    np.testing.assert_allclose(value, float(textbook(at)), rtol=1e-10)
    np.testing.assert_allclose(slopes, slope(textbook, at).astype(float), rtol=1e-6, atol=1e-7)


def test_inducing_inputs_are_those_of_largest_conditional_variance(name):
    candidates = np.random.default_rng(5).normal(0, 1, (40, 2))
    covariance, picked = kernel(candidates, candidates, name), [0]
    while len(picked) < 9:
        among = covariance[np.ix_(picked, picked)] + LONG(1e-18) * np.eye(len(picked))
        picked.append(int(np.argmax(1 - (covariance[picked] * solve(among, covariance[picked])).sum(0))))
    chosen = conditional_variance(candidates, 9, np.random.default_rng(0), KERNELS[name])
    np.testing.assert_array_equal(chosen, candidates[picked])


def test_coverage_is_the_share_that_the_inducing_inputs_explain(name):
    model = build_model(kernel=name)
    oracle = dense(model, start(model))
    expected = np.diagonal(oracle.nystrom(KNOWN.x[0], KNOWN.x[0])) / oracle.signal
    share = coverage(model, start(model)[None], KNOWN)[0]
    np.testing.assert_allclose(share, np.where(KNOWN.mask[0] > 0, expected.astype(float), 1.0), rtol=1e-9)


def test_the_first_input_added_is_the_least_covered(name):
    model = build_model(kernel=name)
    theta, inputs = np.tile(start(model), (40, 1)), KNOWN.x[0]
    covered = np.diagonal(dense(model, start(model)).nystrom(inputs, inputs))
    assert best_added(model, theta, inputs, 0.9999, 3)[0] == np.argmin(covered)


def textbook_pitc(name, points, blocks, queries, signal=1.7, noise=0.2, jitter=1e-6):
    """Mean ``[Q]`` of PITC from the covariance of all rows."""
    inducing = kernel(points, points, name) + LONG(jitter) * np.eye(len(points))

    def explained(a, b):
        return signal * kernel(a, points, name) @ solve(inducing, kernel(points, b, name))

    x, y = (np.concatenate(rows) for rows in zip(*blocks, strict=True))
    owner = np.repeat(np.arange(len(blocks)), [len(rows) for _, rows in blocks])
    observed = np.where(owner[:, None] == owner, signal * kernel(x, x, name), explained(x, x))
    return explained(queries, x) @ solve(observed + LONG(noise) * np.eye(len(x)), y)


def test_a_central_process_in_blocks_is_the_textbooks(name):
    x, y, lengthscale = RNG.normal(size=(20, 2)), RNG.normal(size=20), np.array([0.8, 1.5])
    blocks = [(x[:8], y[:8]), (x[8:], y[8:])]
    gp = BatchGP(A[:, :2], lengthscale, 1.7, 0.2, kernel=KERNELS[name])
    scaled = [(rows / lengthscale, target) for rows, target in blocks]
    expected = textbook_pitc(name, A[:, :2] / lengthscale, scaled, QUERIES / lengthscale)
    np.testing.assert_allclose(gp.trained(gp.pitc(blocks)).predict(QUERIES)[0], expected.astype(float), rtol=1e-9)


def test_blocks_of_agents_say_what_pitc_says(name):
    model, batch = build_model(kernel=name), draw(3, 6, full=True)
    theta = start(model, signal=1.7, noise=0.2)
    block = block_evidence(model, np.tile(theta, (3, 1)), batch)
    total = type(block)(
        block.precision.sum(0)[None], block.shift.sum(0)[None], block.square.sum()[None], block.count.sum()[None]
    )
    projection = model.layout.projection(theta)
    blocks = [(x @ projection.T, y) for x, y in zip(batch.x, batch.y, strict=True)]
    expected = textbook_pitc(name, model.basis.inducing @ projection.T, blocks, QUERIES @ projection.T)
    np.testing.assert_allclose(predict(model, theta[None], total, QUERIES).mean[0], expected.astype(float), rtol=1e-8)


@pytest.mark.parametrize("basis", BASES)
def test_fused_over_a_tree_all_agents_predict_as_a_centre_that_saw_everything(name, basis):
    graph, model, batch = generate("random-tree", 7, seed=3), build_model(basis, kernel=name), draw(7, 8, 1)
    answers = []
    for rule in (rule_named("tree"), rule_named("central")):
        transport = SerialTransport(rule.links(graph))
        population = informed(model, start(model), ranked(batch, transport))
        state = rule.converge(rule.init(population, transport), population, transport)
        answers.append(rule.predict(state, population, np.arange(7), QUERIES, transport))
    mean, variance = dense(model, start(model)).predict(*rows_of(batch), QUERIES)
    for prediction in answers:
        np.testing.assert_allclose(prediction.mean, np.tile(mean.astype(float), (7, 1)), rtol=1e-8)
        np.testing.assert_allclose(prediction.variance, np.tile(variance.astype(float), (7, 1)), rtol=1e-8)


@pytest.mark.parametrize("name", WITHOUT_EXPECTATIONS)
def test_an_uncertain_projection_is_refused_by_a_kernel_without_expectations(name):
    with pytest.raises(ValueError, match="needs a kernel with expectations"):
        expectations_of(KERNELS[name])
    points = LatentBasis(build_model().basis.inducing, 1e-6, KERNELS[name])
    model = Model(Layout(2, uncertain=True), points, ENCODINGS["transport"]())
    with pytest.raises(ValueError, match="needs a kernel with expectations"):
        informed(model, start(model), KNOWN)


def test_random_features_are_refused_by_a_kernel_without_a_spectrum():
    class Plain(Kernel):
        def of_exponents(self, exponent):
            return np.exp(exponent)

        def with_slopes(self, exponent):
            return np.exp(exponent), np.exp(exponent)

    with pytest.raises(ValueError, match="need a kernel with spectral sampling"):
        draw_waves(np.eye(2), 10, RNG, Plain())


def test_more_inducing_inputs_and_longer_lengthscales_keep_the_kernel(name):
    basis = build_model(kernel=name).basis
    assert isinstance(basis, FunctionBasis)
    larger = basis.extended(basis.inducing[:1] + 5.0).stretched(2.0)
    assert larger.kernel == KERNELS[name]
