"""Laws of choosing inducing inputs."""

import numpy as np
import pytest
from scipy.cluster.vq import kmeans2

from coolgp.agents.features.inducing import CHOICES, conditional_variance

from tests.oracle import LONG, kernel, solve


def greedy(candidates: np.ndarray, inducing: int) -> list[int]:
    """The row of largest conditional variance given those picked, each from scratch."""
    covariance, picked = kernel(candidates, candidates), [0]
    while len(picked) < inducing:
        among = covariance[np.ix_(picked, picked)] + LONG(1e-18) * np.eye(len(picked))
        variance = 1 - (covariance[picked] * solve(among, covariance[picked])).sum(0)
        picked.append(int(np.argmax(variance)))
    return picked


@pytest.mark.parametrize("seed", range(5))
def test_conditional_variance_is_the_brute_force_greedy(seed):
    candidates = np.random.default_rng(seed).normal(0, 2, (60, 2))
    chosen = conditional_variance(candidates, 12, np.random.default_rng(0))
    np.testing.assert_array_equal(chosen, candidates[greedy(candidates, 12)])


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
@pytest.mark.parametrize("inducing", [1, 7, 30])
def test_there_are_as_many_distinct_inducing_inputs_as_asked(choice, inducing):
    candidates = np.random.default_rng(1).normal(size=(60, 3))
    chosen = choice(candidates, inducing, np.random.default_rng(0))
    assert chosen.shape == (inducing, 3)
    assert len(np.unique(chosen, axis=0)) == inducing


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
def test_the_same_stream_chooses_the_same(choice):
    candidates = np.random.default_rng(1).normal(size=(60, 3))
    one, two = (choice(candidates, 9, np.random.default_rng(4)) for _ in range(2))
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
def test_all_distinct_rows_can_be_taken(choice):
    candidates = np.repeat(np.random.default_rng(1).normal(0, 3, (8, 2)), 3, axis=0)
    chosen = choice(candidates, 8, np.random.default_rng(0))
    assert {tuple(row) for row in chosen.round(9)} == {tuple(row) for row in candidates.round(9)}


def test_rows_closer_than_rounding_are_taken_once_each():
    candidates = np.array([[0.0], [1e-12], [2e-12], [3e-12]])
    chosen = conditional_variance(candidates, 4, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(chosen, axis=0), candidates)


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
def test_too_few_distinct_rows_are_refused(choice):
    candidates = np.repeat(np.random.default_rng(1).normal(size=(8, 2)), 5, axis=0)
    with pytest.raises(ValueError, match="9 inducing inputs need as many distinct pilot rows; there are 8"):
        choice(candidates, 9, np.random.default_rng(0))


def test_centres_are_those_of_scipys_kmeans():
    candidates = np.random.default_rng(2).normal(size=(90, 3))
    expected = kmeans2(candidates, 20, minit="++", seed=np.random.default_rng(5))[0]
    np.testing.assert_array_equal(CHOICES["kmeans"](candidates, 20, np.random.default_rng(5)), expected)
