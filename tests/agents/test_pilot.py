"""Laws of the start from a pilot sample."""

import numpy as np
import pytest

from coolgp.agents.kernels.se import SE
from coolgp.agents.pilot import Start, _evidence, fit_start

from tests.oracle import LONG, kernel, log_determinant, slope, solve

RNG = np.random.default_rng(3)
X = RNG.uniform(-2, 2, (40, 2))
Y = np.sin(3 * X[:, 0]) + 0.3 * X[:, 1] + 0.1 * RNG.standard_normal(40)
ALL = np.zeros(len(Y), dtype=np.intp)
BEGIN = Start(np.array([1.0, 1.5]), 0.8, 0.2, np.nan)


def log_evidence(theta: np.ndarray) -> np.ndarray:
    """``log N(y | 0, K + σ_η²I)`` per row, with the nugget of 1e-8 signal that the pilot adds."""
    theta = np.asarray(theta, LONG)
    z, signal, noise = X / np.exp(theta[:2]), np.exp(theta[2]), np.exp(theta[3])
    covariance = signal * kernel(z, z) + (noise + LONG(1e-8) * signal) * np.eye(len(X), dtype=LONG)
    return -(Y @ solve(covariance, Y) + log_determinant(covariance) + len(X) * np.log(2 * LONG(np.pi))) / 2 / len(X)


def logs(start: Start) -> np.ndarray:
    return np.log([*start.lengthscale, start.signal_variance, start.noise_variance])


def test_the_evidence_is_that_of_the_exact_process():
    np.testing.assert_allclose(_evidence(X, Y, ALL, logs(BEGIN), SE)[0], float(log_evidence(logs(BEGIN))), rtol=1e-10)


def test_its_gradient_is_that_of_finite_differences():
    expected = slope(log_evidence, logs(BEGIN)).astype(float)
    np.testing.assert_allclose(_evidence(X, Y, ALL, logs(BEGIN), SE)[1], expected, rtol=1e-6, atol=1e-7)


def test_the_fit_ends_where_the_evidence_is_flat():
    best = fit_start(X, Y, BEGIN, (True, True, True), iterations=200)
    assert best.evidence > _evidence(X, Y, ALL, logs(BEGIN), SE)[0]
    np.testing.assert_allclose(best.evidence, float(log_evidence(logs(best))), rtol=1e-9)
    np.testing.assert_allclose(slope(log_evidence, logs(best)).astype(float), 0.0, atol=1e-3)


@pytest.mark.parametrize("free", [(True, False, False), (False, True, False), (False, False, True)], ids=str)
def test_only_what_is_free_moves(free):
    best = fit_start(X, Y, BEGIN, free)
    moved = np.abs(logs(best) - logs(BEGIN)) > 1e-3
    np.testing.assert_array_equal(moved, [free[0], free[0], free[1], free[2]])


def test_where_nothing_is_free_nothing_is_done():
    assert fit_start(X, Y, BEGIN, (False, False, False)) is BEGIN


def test_the_ratio_of_lengthscales_is_recovered():
    rng = np.random.default_rng(0)
    x = rng.uniform(-3, 3, (160, 2))
    root = np.linalg.cholesky(kernel(x / [0.6, 1.8], x / [0.6, 1.8]).astype(float) + 1e-8 * np.eye(160))
    y = root @ rng.standard_normal(160) + 0.1 * rng.standard_normal(160)
    fitted = fit_start(x, y, Start(np.ones(2), 1.0, 0.1, np.nan), (True, True, True))
    assert fitted.lengthscale[1] / fitted.lengthscale[0] == pytest.approx(3.0, rel=0.25)
