"""The study of hidden Markov models fitted apart: its draws, its scores, and what matched states are."""

import numpy as np
import pytest

from coolgp.fusion.matching.sets.spahm import SPAHM
from coolgp.fusion.matching.studies.hidden import StatesStudy
from coolgp.fusion.matching.studies.states import (
    FittedStates,
    agreement,
    drawn_recordings,
    fitted_states,
    pooled_covariances,
    rand,
)

SHAPE = {"groups": 2, "sequences": 2, "length": 150, "dimensions": 4, "shared": 2, "own": 1}


def test_names_of_states_do_not_matter_to_a_score() -> None:
    rng = np.random.default_rng(0)
    truth, labels = rng.integers(5, size=300), rng.integers(6, size=300)
    renamed = rng.permutation(100)[labels]
    assert agreement(truth, rng.permutation(9)[truth]) == rand(truth, truth) == 1.0
    assert agreement(truth, renamed) == agreement(truth, labels)
    assert rand(truth, renamed) == pytest.approx(rand(truth, labels), rel=1e-12)


def test_groups_have_states_in_common_and_states_of_their_own() -> None:
    first, second = drawn_recordings(0, noise=0.1, **SHAPE)
    assert set(first.states) == {0, 1, 2}
    assert set(second.states) == {0, 1, 3}
    assert [len(sequence) for sequence in first.sequences] == [150, 150]


def test_the_covariance_of_matched_states_is_that_of_their_rows_together() -> None:
    rng = np.random.default_rng(1)
    parts = [rng.normal(size=(size, 3)) + offset for size, offset in ((40, 0.0), (70, 2.0))]
    models = [
        FittedStates(rows.mean(axis=0)[None], np.cov(rows.T, bias=True)[None], np.zeros(len(rows), dtype=int))
        for rows in parts
    ]
    rows, labels = np.concatenate(parts), [np.array([0]), np.array([0])]
    pooled = pooled_covariances(models, labels, rows.mean(axis=0)[None])
    np.testing.assert_allclose(pooled[0], np.cov(rows.T, bias=True), rtol=1e-12)


def test_states_that_lie_apart_are_found_and_matched() -> None:
    pytest.importorskip("hmmlearn", reason='needs pip install "coolgp[hmm]"')
    draw = StatesStudy(**SHAPE, starts=4).drawn(0.1, 0, SPAHM())
    assert draw.used == 4
    assert set(draw.outcomes) == set(StatesStudy.methods)
    measures = draw.outcomes["spahm"].measures
    assert measures["states"] == 4
    assert min(measures["rand"], measures["agreement"]) > 0.99
    assert draw.outcomes["local"].measures["states"] == 6
    assert draw.matched["covariances"].shape == (4, 4, 4)


def test_a_fit_is_that_of_its_seed_alone() -> None:
    pytest.importorskip("hmmlearn", reason='needs pip install "coolgp[hmm]"')
    sequences = drawn_recordings(0, noise=0.1, **SHAPE)[0].sequences
    first, second = (fitted_states(sequences, 3, 2, 2**31 - 1, "diag") for _ in range(2))
    np.testing.assert_array_equal(first.means, second.means)
    np.testing.assert_array_equal(first.path, second.path)
