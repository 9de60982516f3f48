"""Laws of triangular inverses and products."""

import numpy as np
import pytest

from coolgp.agents.base.triangular import inverse_of_lower, product_with_lower


@pytest.mark.parametrize("lead", [(), (3,), (2, 2), (0,)], ids=str)
def test_inverses_of_all_sizes_are_those_of_general_matrices(lead):
    rng = np.random.default_rng(0)
    for size in range(71):
        factor = np.tril(rng.normal(size=(*lead, size, size)) / np.sqrt(size)) + 2.0 * np.eye(size)
        np.testing.assert_allclose(inverse_of_lower(factor), np.linalg.inv(factor), rtol=1e-9, atol=1e-12)


def test_above_the_diagonal_an_inverse_is_zero_to_the_bit():
    inverse = inverse_of_lower(np.tril(np.random.default_rng(1).normal(size=(2, 60, 60))) + 3.0 * np.eye(60))
    assert not np.triu(inverse, 1).any()


def test_what_stands_above_the_diagonal_of_the_factor_is_not_read():
    factor = np.tril(np.random.default_rng(2).normal(size=(60, 60))) + 3.0 * np.eye(60)
    garbage = factor + np.triu(np.full((60, 60), 7.0), 1)
    np.testing.assert_array_equal(inverse_of_lower(garbage), inverse_of_lower(factor))


@pytest.mark.parametrize("lead", [(), (3,), (2, 2)], ids=str)
def test_products_of_all_sizes_are_those_of_general_matrices(lead):
    rng = np.random.default_rng(3)
    for size in (1, 2, 19, 20, 21, 60, 101, 257, 501):
        factor, right = np.tril(rng.normal(size=(size, size))), rng.normal(size=(*lead, size, 7))
        np.testing.assert_allclose(product_with_lower(factor, right), factor @ right, rtol=0, atol=1e-12 * size)
