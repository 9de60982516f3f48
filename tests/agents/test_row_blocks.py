"""Many rows of one place are worked on in blocks: the sums are those of all rows, whoever works on them."""

from dataclasses import astuple

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from coolgp.agents.blocks import on_cores
from coolgp.agents.kernels.registry import KERNELS
from coolgp.agents.sparse import together
from coolgp.agents.sparse.collapsed import bound_and_slopes
from coolgp.agents.sparse.parameters import Parameters
from coolgp.agents.sparse.rows import Pooled
from coolgp.agents.sparse.starting import Search, fit_pilot

JITTER = 1e-6
RNG = np.random.default_rng(4)
X = RNG.normal(size=(301, 3))
Y = np.sin(X.sum(1)) + 0.1 * RNG.normal(size=len(X))
AT = Parameters(X[:20] + 0.1, np.array([1.0, 2.0, 1.5]), 1.3, 0.05)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "BLOCK", 1500)


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
def test_blocks_have_the_bound_of_all_rows_and_its_slopes(kernel, small_blocks: None) -> None:
    blocks = together.in_blocks(X, Y, len(AT.inducing_inputs))
    assert isinstance(blocks, together.Together)
    assert [part.count for part in blocks.parts] == [76, 75, 75, 75]
    (found, slopes), (value, wanted) = (bound_and_slopes(rows, AT, kernel, JITTER) for rows in (blocks, Pooled(X, Y)))
    assert found == pytest.approx(value, rel=1e-12)
    for one, other in zip(astuple(slopes), astuple(wanted), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)


def test_few_rows_are_one_block() -> None:
    assert isinstance(together.in_blocks(X, Y, 20), Pooled)


def test_a_search_ends_at_the_same_bits_on_any_number_of_cores(small_blocks: None) -> None:
    def end(cores: int) -> Parameters:
        with on_cores(cores), threadpool_limits(limits=1):
            return fit_pilot(X, Y, [AT], KERNELS["se"], JITTER, Search(6, moves=True)).fit.parameters

    for one, other in zip(astuple(end(1)), astuple(end(3)), strict=True):
        np.testing.assert_array_equal(one, other)
