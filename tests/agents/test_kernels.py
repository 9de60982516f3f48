"""Laws of the kernel and of its expectations under a Gaussian projection."""

import numpy as np
import pytest

from coolgp.agents.kernels.base import project
from coolgp.agents.kernels.se import SE, expected_kernel, expected_outer

from tests.oracle import kernel

RNG = np.random.default_rng(0)
X, POINTS = RNG.normal(size=(5, 3)), RNG.normal(size=(4, 3))
MEAN, SPREAD = RNG.normal(0, 0.6, (3, 3)), RNG.uniform(0.1, 0.8, (3, 3))
DIAGONAL = np.eye(3)


@pytest.fixture(params=[1.0, DIAGONAL], ids=["full", "diagonal"])
def moments(request):
    return MEAN * request.param, SPREAD * request.param


def sampled(moments: tuple[np.ndarray, np.ndarray], size: int = 40_000) -> np.ndarray:
    """``κ [samples, B, M]`` under drawn projections."""
    draws = moments[0] + moments[1] * np.random.default_rng(1).standard_normal((size, 3, 3))
    return np.exp(-0.5 * np.square(project(X, draws)[:, :, None] - POINTS).sum(-1))


def assert_is_the_mean(samples: np.ndarray, expected: np.ndarray) -> None:
    """Within 5 standard errors: among a hundred numbers one beyond would be seen once in 10,000 seeds."""
    error = samples.std(0) / np.sqrt(len(samples))
    assert (np.abs(samples.mean(0) - expected) <= 5 * error + 1e-12).all()


def test_the_kernel_is_that_of_the_differences():
    np.testing.assert_allclose(SE.values(X, POINTS), kernel(X, POINTS).astype(float), rtol=1e-13)


def test_no_kernel_is_above_one_far_from_the_origin():
    far = X + 1e4
    np.testing.assert_array_less(SE.values(far, far), 1.0 + 1e-15)


def test_agents_kernels_do_not_mix():
    stacked = np.random.default_rng(2).normal(size=(2, 6, 3))
    values = SE.values(stacked, POINTS)
    np.testing.assert_array_equal(values[1], SE.values(stacked[1], POINTS))


def test_expected_kernel_is_the_mean_over_projections(moments):
    assert_is_the_mean(sampled(moments), expected_kernel(X, POINTS, *moments))


def test_expected_outer_is_the_mean_over_projections(moments):
    kappa = sampled(moments)
    assert_is_the_mean(kappa[..., :, None] * kappa[..., None, :], expected_outer(X, POINTS, *moments))


def test_without_spread_the_expected_kernel_is_the_kernel(moments):
    kappa = SE.values(project(X, moments[0]), POINTS)
    np.testing.assert_allclose(expected_kernel(X, POINTS, moments[0], 0 * SPREAD), kappa, rtol=1e-12)


def test_without_spread_the_expected_outer_is_the_outer_product(moments):
    kappa = SE.values(project(X, moments[0]), POINTS)
    expected = kappa[:, :, None] * kappa[:, None, :]
    np.testing.assert_allclose(expected_outer(X, POINTS, moments[0], 0 * SPREAD), expected, rtol=1e-12)


def test_expectations_take_leading_axes(moments):
    stacked = np.stack([X, -X])
    for expected in (expected_kernel, expected_outer):
        both = [np.stack([step, step]) for step in moments]
        np.testing.assert_allclose(expected(stacked, POINTS, *both)[1], expected(-X, POINTS, *moments), rtol=1e-13)
