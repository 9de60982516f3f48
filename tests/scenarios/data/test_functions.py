"""Laws of drawn functions, and of the observations that are made of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from coolgp.scenarios.base.errors import DataError
from coolgp.scenarios.config.loading import resolve
from coolgp.scenarios.data.fields import field, synthetic
from coolgp.scenarios.data.functions import draw_function
from coolgp.scenarios.data.loading import load

from tests.scenarios.data.points import assert_equal


@pytest.mark.parametrize("source", [synthetic, field])
def test_a_seed_determines_the_data(source: Any) -> None:
    assert_equal(source(3, 4, 200), source(3, 4, 200))
    assert not np.array_equal(source(3, 4, 200).training.y, source(4, 4, 200).training.y)


@pytest.mark.parametrize("source", [synthetic, field])
def test_more_observations_are_of_the_same_function(source: Any) -> None:
    one, other = source(3, 4, 200), source(3, 4, 400)
    assert np.array_equal(one.truth, other.truth)
    assert np.array_equal(one.training.y, other.training.y[:200])


@pytest.mark.parametrize("source", [synthetic, field])
def test_noise_has_the_standard_deviation_asked_for(source: Any) -> None:
    data = source(0, 2, 100, 0.3)
    noise = data.y_test - data.truth
    assert np.std(noise) == pytest.approx(0.3, abs=5 * 0.3 / np.sqrt(2 * len(noise)))  # five standard errors


@pytest.mark.parametrize("source", [synthetic, field])
def test_fewer_observations_than_agents_are_refused(source: Any) -> None:
    with pytest.raises(DataError, match="at least one observation for each of 5 agents"):
        source(0, 5, 4)


def test_a_drawn_function_is_the_sum_of_its_cosines() -> None:
    u, z = draw_function(0, "law", 3), np.random.default_rng(0).normal(0, 20, (150, 3))
    assert np.allclose(u(z), np.cos(z @ u.frequency + u.phase) @ u.weight, rtol=0, atol=3e-6)  # single precision


def test_a_drawn_function_has_unit_variance_over_draws() -> None:
    z = np.zeros((1, 2))
    values = [draw_function(seed, "law", 2, 200)(z).item() for seed in range(400)]
    assert np.var(values) == pytest.approx(1, abs=5 * np.sqrt(2 / 400))  # five standard errors


@pytest.mark.parametrize("projection", ["diagonal", "full"])
def test_synthetic_agents_differ_in_their_function_and_own_their_test_rows(projection: Any) -> None:
    data = synthetic(0, 2, 1000, 0.0, tests=400, projection=projection)
    assert data.test_owner is not None
    assert data.truth is not None
    assert np.bincount(data.test_owner).tolist() == [200, 200]
    assert np.bincount(data.training.owner).tolist() == [500, 500]
    assert np.array_equal(data.y_test, data.truth)
    assert 0.2 < data.truth.std() < 1.5


def test_synthetic_needs_a_test_row_for_each_agent() -> None:
    with pytest.raises(DataError, match="one test row for each of 5 agents"):
        synthetic(0, 5, 10, tests=4)


def test_field_agents_sense_near_their_positions_within_the_square() -> None:
    data = field(0, 50, 5000)
    assert data.positions is not None
    assert data.positions.shape == (50, 2)
    assert data.training.x.min() >= 0
    assert data.training.x.max() <= 1
    distance = np.linalg.norm(data.training.x - data.positions[data.training.owner], axis=1)
    assert np.median(distance) < 0.15
    assert data.x_test.shape == (3600, 2)


def test_generated_rows_default_to_a_batch_for_each_agent_and_round() -> None:
    mapping = {"data": {"source": "field"}, "agents": {"count": 3, "batch_size": 7}, "run": {"rounds": 5}}
    assert np.bincount(load(resolve(mapping, "field")).training.owner).tolist() == [35, 35, 35]
    assert len(load(resolve(mapping, "field", ["data.observations=50"])).training.owner) == 50
