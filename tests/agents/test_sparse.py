"""Laws of the collapsed bound, of the search for its maximum, and of the estimator that is fitted by it."""

import warnings

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import check_estimator

from coolgp.agents.experts.sparse_gp import SparseGPRegressor
from coolgp.agents.kernels.registry import KERNELS
from coolgp.agents.sparse import fitting
from coolgp.agents.sparse.collapsed import Parameters, bound_and_slopes, posterior_of
from coolgp.agents.sparse.fitting import best_start, maximise
from coolgp.agents.sparse.rows import Pooled

ROWS, INDUCING, WIDTH = 40, 7, 2
JITTER = 1e-8
ALL = pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)


def draw(seed: int = 0, rows: int = ROWS):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, WIDTH))
    return x, np.sin(x.sum(1)) + 0.1 * rng.normal(size=rows)


def parameters(seed: int = 1) -> Parameters:
    inducing = np.random.default_rng(seed).normal(size=(INDUCING, WIDTH))
    return Parameters(inducing, np.array([0.8, 1.4]), 1.3, 0.05)


def dense(x, at, kernel):
    """Covariances of rows, of rows with inducing inputs, and of inducing inputs, one pair of points at a time."""

    def covariance(a, b):
        scaled = [[(p - q) / at.lengthscale for q in b] for p in a]
        values = [[float(kernel.of_exponents(np.array([-0.5 * gap @ gap]))[0]) for gap in row] for row in scaled]
        return at.signal_variance * np.array(values)

    z = at.inducing_inputs
    inner = covariance(z, z) + JITTER * at.signal_variance * np.eye(len(z))
    return covariance(x, x), covariance(x, z), inner


@ALL
def test_the_bound_is_titsias_formula(kernel) -> None:
    (x, y), at = draw(), parameters()
    full, cross, inner = dense(x, at, kernel)
    explained = cross @ np.linalg.solve(inner, cross.T)
    fit = multivariate_normal(np.zeros(ROWS), explained + at.noise_variance * np.eye(ROWS)).logpdf(y)
    expected = fit - np.trace(full - explained) / (2 * at.noise_variance)
    assert bound_and_slopes(Pooled(x, y), at, kernel, JITTER)[0] == pytest.approx(expected, rel=1e-9)


@ALL
def test_the_slopes_are_finite_differences(kernel) -> None:
    (x, y), at = draw(), parameters()
    start, moving = fitting._packed(at), fitting._moving(at, True, (True, True, True))

    def bound(theta):
        return bound_and_slopes(Pooled(x, y), fitting._unpacked(theta, at, moving), kernel, JITTER)[0]

    slopes = bound_and_slopes(Pooled(x, y), at, kernel, JITTER)[1]
    scale = [*slopes.log_lengthscale, slopes.log_signal_variance, slopes.log_noise_variance]
    step = 1e-5
    numeric = [(bound(start + step * unit) - bound(start - step * unit)) / (2 * step) for unit in np.eye(start.size)]
    assert np.concatenate([scale, slopes.inducing_inputs.ravel()]) == pytest.approx(numeric, rel=1e-5, abs=1e-4)


@ALL
def test_with_all_rows_as_inducing_inputs_the_bound_is_the_exact_evidence(kernel) -> None:
    x, y = draw(rows=15)
    at = Parameters(x, np.array([0.8, 1.4]), 1.3, 0.05)
    covariance = dense(x, at, kernel)[0] + at.noise_variance * np.eye(15)
    expected = multivariate_normal(np.zeros(15), covariance).logpdf(y)
    assert posterior_of(x, y, at, kernel, 1e-10).bound == pytest.approx(expected, abs=1e-5)


@ALL
def test_predictions_and_inducing_moments_are_those_of_the_dense_posterior(kernel) -> None:
    (x, y), at = draw(), parameters()
    queries = draw(5)[0]
    posterior = posterior_of(x, y, at, kernel, JITTER)
    _, cross, inner = dense(x, at, kernel)
    precision = inner + cross.T @ cross / at.noise_variance
    mean_inducing = inner @ np.linalg.solve(precision, cross.T @ y / at.noise_variance)
    covariance_inducing = inner @ np.linalg.solve(precision, inner)
    mean, covariance = posterior.inducing_moments()
    assert mean == pytest.approx(mean_inducing, rel=1e-6, abs=1e-7)
    assert covariance == pytest.approx(covariance_inducing, rel=1e-5, abs=1e-7)
    to_query = np.linalg.solve(inner, dense(queries, at, kernel)[1].T)
    gap = at.signal_variance - np.einsum("jq,qj->q", to_query, dense(queries, at, kernel)[1])
    spread = gap + np.einsum("jq,jk,kq->q", to_query, covariance_inducing, to_query)
    predicted, variance = posterior.predict(queries, kernel)
    assert predicted == pytest.approx(to_query.T @ mean_inducing, rel=1e-6, abs=1e-7)
    assert variance == pytest.approx(spread, rel=1e-5, abs=1e-7)


@ALL
def test_the_search_never_ends_below_its_start_and_goes_up(kernel) -> None:
    (x, y), at = draw(), parameters()
    fit = maximise(Pooled(x, y), at, kernel, JITTER, 30)
    assert fit.start_bound == pytest.approx(posterior_of(x, y, at, kernel, JITTER).bound)
    assert fit.bound > fit.start_bound
    assert fit.bound == pytest.approx(posterior_of(x, y, fit.parameters, kernel, JITTER).bound)


def test_inducing_inputs_that_may_not_move_stay() -> None:
    (x, y), at = draw(), parameters()
    fit = maximise(Pooled(x, y), at, KERNELS["se"], JITTER, 10, move_inputs=False)
    assert np.array_equal(fit.parameters.inducing_inputs, at.inducing_inputs)


def test_the_best_start_is_the_one_with_the_largest_bound() -> None:
    (x, y), good = draw(), parameters()
    bad = Parameters(good.inducing_inputs, good.lengthscale, 1.3, 1e-6)
    assert best_start(Pooled(x, y), [bad, good], KERNELS["se"], JITTER) is good


def test_a_start_whose_kernel_matrix_is_singular_is_refused() -> None:
    (x, y), at = draw(), parameters()
    doubled = Parameters(np.repeat(at.inducing_inputs[:1], INDUCING, axis=0), at.lengthscale, 1.0, 0.1)
    with pytest.raises(ValueError, match="larger jitter"):
        maximise(Pooled(x, y), doubled, KERNELS["se"], 1e-18, 10)


def test_the_estimator_keeps_the_conventions_of_scikit_learn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_estimator(SparseGPRegressor(n_inducing=10, max_iter=3, random_state=0))


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_estimator_is_near_the_function_and_knows_its_noise(kernel: str) -> None:
    x, y = draw(2, 400)
    model = SparseGPRegressor(n_inducing=40, kernel=kernel, random_state=0).fit(100 + 5 * x, 20 + 3 * y)
    queries = np.clip(draw(3, 300)[0], -1.5, 1.5)
    mean, std = model.predict(100 + 5 * queries, return_std=True)
    assert np.sqrt(np.mean(np.square(mean - 20 - 3 * np.sin(queries.sum(1))))) < 0.15
    assert model.noise_variance_ == pytest.approx((3 * 0.1) ** 2, rel=0.3)
    assert (std >= np.sqrt(model.noise_variance_)).all()
    assert model.bound_ >= model.start_bound_


def test_units_of_inputs_and_target_do_not_matter() -> None:
    x, y = draw(4, 150)
    queries = draw(5)[0]
    plain = SparseGPRegressor(n_inducing=15, max_iter=20, random_state=0).fit(x, y).predict(queries)
    scaled = SparseGPRegressor(n_inducing=15, max_iter=20, random_state=0).fit(1e3 * x + 7, 1e-3 * y - 2)
    assert (scaled.predict(1e3 * queries + 7) + 2) * 1e3 == pytest.approx(plain, abs=1e-6)


def test_a_value_that_ends_at_a_limit_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(fitting.LIMITS, "noise_variance", (0.5, 1.0))  # more than there is
    with pytest.warns(ConvergenceWarning, match="noise variance ended at a limit"):
        SparseGPRegressor(n_inducing=5, random_state=0).fit(*draw())


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"kernel": "cubic"}, "kernel needs one of se"),
        ({"n_inducing": 0}, "n_inducing needs a whole number of at least 1; got 0"),
        ({"max_iter": 1.5}, "max_iter needs a whole number of at least 0; got 1.5"),
        ({"jitter": 0.0}, "jitter needs a positive number"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        SparseGPRegressor(**settings).fit(*draw())
