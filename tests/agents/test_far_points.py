"""Distances are as accurate wherever the origin is, and whatever one row far away may be."""

import numpy as np
import pytest

from coolgp.agents.features.lens import kernel_lens
from coolgp.agents.kernels.base import exponents
from coolgp.agents.kernels.registry import KERNELS
from coolgp.agents.sparse.collapsed import Parameters, bound_and_slopes
from coolgp.agents.sparse.rows import Pooled

RNG = np.random.default_rng(6)
A, B = RNG.integers(-40, 40, (2, 7, 3, 2)) / 8  # eighths: sums with a power of two are exact
SHIFTS = [0.0, 2.0**10, 2.0**27, -(2.0**40)]


@pytest.mark.parametrize("shift", SHIFTS)
def test_distances_do_not_depend_on_the_origin(shift):
    expected = -0.5 * np.square(A[:, :, None] - B[:, None]).sum(-1)
    np.testing.assert_allclose(exponents(A + shift, B + shift), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("far", [1e6, 1e12, 1e200])
def test_one_row_far_away_changes_no_distance_of_others(far):
    points, others = A.copy(), B.copy()
    points[0, 0] = others[0, 1] = far
    near = exponents(points, others)
    expected = -0.5 * np.square(A[:, :, None] - B[:, None]).sum(-1)
    np.testing.assert_allclose(near[1:], expected[1:], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(near[0, 1:][:, [0, 2]], expected[0, 1:][:, [0, 2]], rtol=1e-9, atol=1e-9)
    assert near[0, 0, 1] == 0.0


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("shift", SHIFTS)
def test_features_do_not_depend_on_the_origin(name, shift):
    kernel, identity = KERNELS[name], np.eye(2)[None]
    x, points, y, mask = A[:1], B[:1], np.ones((1, 3)), np.ones((1, 3))
    far = kernel_lens(identity, points + shift, np.eye(3)[None], np.float64, kernel).features(x + shift, y, mask)
    np.testing.assert_allclose(far[:, :-1], kernel.values(points, x), rtol=1e-7)
    np.testing.assert_array_equal(far[:, -1], y)


@pytest.mark.parametrize("name", KERNELS)
def test_features_stand_an_inducing_input_far_away(name):
    kernel, identity = KERNELS[name], np.eye(2)[None]
    x, points, y, mask = A[:1], B[:1].copy(), np.ones((1, 3)), np.ones((1, 3))
    points[0, 2] = 1e7
    near = kernel_lens(identity, points, np.eye(3)[None], np.float64, kernel).features(x, y, mask)
    np.testing.assert_allclose(near[:, :2], kernel.values(B[:1, :2], x), rtol=1e-6)
    np.testing.assert_allclose(near[:, 2], 0.0, atol=1e-12)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("shift", SHIFTS[1:])
def test_slopes_of_the_collapsed_bound_do_not_depend_on_the_origin(name, shift):
    x, y, inducing = np.concatenate(A), RNG.normal(size=21), B[0]
    lengthscale = np.array([2.0, 4.0])  # powers of two, so that no place is rounded
    near, far = (
        bound_and_slopes(Pooled(x + by, y), Parameters(inducing + by, lengthscale, 1.3, 0.1), KERNELS[name], 1e-8)
        for by in (0.0, shift)
    )
    assert far[0] == pytest.approx(near[0], rel=1e-9)
    for one, other in zip(vars(near[1]).values(), vars(far[1]).values(), strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-6, atol=1e-9)
