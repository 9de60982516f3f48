"""Laws of mixing weights and of their eigenvalues."""

import numpy as np
import pytest

from coolgp.network.graphs.generate import GENERATORS, generate
from coolgp.network.mixing import edge_sums, metropolis, weighted
from coolgp.network.spectrum import interval, laplacian_interval, second_eigenvalue

SPARSE = 230  # agents, so many that eigenvalues are found by iteration
SIZES = (2, 3, 30, SPARSE)


@pytest.fixture(params=[(kind, size) for kind in GENERATORS for size in SIZES], ids=str)
def topology(request):
    return generate(*request.param, seed=1)


def spectrum(topology) -> np.ndarray:
    return np.linalg.eigvalsh(metropolis(topology).toarray())[:-1]


def test_the_highest_eigenvalue_tells_the_gap_to_a_permille(topology):
    assert 1 - interval(metropolis(topology))[1] == pytest.approx(1 - spectrum(topology)[-1], rel=1e-3)


def test_the_interval_holds_the_whole_spectrum(topology):
    low, high = interval(metropolis(topology))
    values = spectrum(topology)
    assert low <= values[0] + 1e-12
    assert high >= values[-1] - 1e-3 * (1 - values[-1]) - 1e-12


def test_the_lowest_eigenvalue_is_no_less_than_gershgorin_allows(topology):
    matrix = metropolis(topology)
    assert interval(matrix)[0] >= 2 * matrix.diagonal().min() - 1 - 1e-12


def test_the_laplacian_interval_is_that_of_the_dense_laplacian(topology):
    laplacian = np.diag(topology.degree) - topology.matrix().toarray()
    values = np.linalg.eigvalsh(laplacian)
    low, high = laplacian_interval(topology)
    assert low == pytest.approx(values[1], rel=1e-3)
    assert values[-1] * (1 - 1e-12) <= high <= 1.05 * values[-1]


@pytest.mark.parametrize("size", [1000, 10_000])
def test_the_gap_of_a_long_ring_is_the_closed_form(size):
    low, high = interval(metropolis(generate("ring", size, seed=0)))
    assert low == pytest.approx(-1 / 3, abs=2e-3)
    assert 1 - high == pytest.approx(2 / 3 * (1 - np.cos(2 * np.pi / size)), rel=1e-3)


def test_one_agent_has_no_other_eigenvalue():
    alone = generate("ring", 1, seed=0)
    assert interval(metropolis(alone)) == laplacian_interval(alone) == (0.0, 0.0)


def test_an_interval_can_leave_out_another_eigenvector():
    topology = generate("scale-free", SPARSE, seed=0)
    root = np.sqrt(1.0 + topology.degree)
    dense = (topology.matrix().toarray() + np.eye(SPARSE)) / np.outer(root, root)
    _, high = interval(type(metropolis(topology))(dense), root)
    assert high == pytest.approx(np.linalg.eigvalsh(dense)[-2], abs=1e-6)


@pytest.mark.parametrize("weight", [0.05, 0.2])
def test_weights_of_one_number_are_the_identity_less_the_laplacian(weight):
    topology = generate("small-world", 20, seed=0)
    laplacian = np.diag(topology.degree) - topology.matrix().toarray()
    np.testing.assert_allclose(weighted(topology, weight).toarray(), np.eye(20) - weight * laplacian, atol=1e-15)


def test_a_matrix_that_is_not_square_is_refused():
    with pytest.raises(ValueError, match="square matrix; got shape \\[2, 3\\]"):
        second_eigenvalue(metropolis(generate("ring", 3, seed=0))[:2])


@pytest.mark.parametrize("columns", [1, 3])
@pytest.mark.parametrize("edges", [0, 1, 40])
def test_edge_sums_add_row_by_row_in_their_order(columns, edges):
    rng = np.random.default_rng(0)
    tail, rows, weight = np.sort(rng.integers(0, 7, edges)), rng.normal(size=(edges, columns)), rng.random(edges)
    expected = np.zeros((7, columns))
    for place, row in zip(tail, weight[:, None] * rows, strict=True):
        expected[place] += row
    assert (edge_sums(tail, weight[:, None] * rows, 7) == expected).all()
    np.testing.assert_allclose(edge_sums(tail, rows, 7, weight), expected, rtol=1e-12, atol=1e-12)
