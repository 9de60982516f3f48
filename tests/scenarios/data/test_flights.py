"""Laws of the flights: what their columns are, and who their agents."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from coolgp.scenarios.base.errors import DataError
from coolgp.scenarios.config.loading import resolve
from coolgp.scenarios.data import flights
from coolgp.scenarios.data.loading import load
from coolgp.scenarios.data.table import Table


@pytest.fixture(scope="module")
def airline() -> Table:
    return flights.airline("dest")


def test_the_flights_are_the_complete_ones_with_eight_features(airline: Table) -> None:
    assert airline.x.shape == (273_853, 8)
    assert airline.features == flights.FEATURES
    assert np.isfinite(airline.x).all()
    assert np.isfinite(airline.y).all()


def test_clock_times_are_minutes_of_a_day(airline: Table) -> None:
    for name in ("dep_time", "arr_time"):
        minutes = airline.x[:, flights.FEATURES.index(name)]
        assert (minutes.min(), minutes.max()) == (1, 1440)


def test_days_of_the_week_are_those_of_2013(airline: Table) -> None:
    month, day, weekday = airline.x[:, 0], airline.x[:, 1], airline.x[:, 2]
    assert set(weekday[(month == 1) & (day == 1)]) == {2}  # a Tuesday
    assert set(weekday[(month == 12) & (day == 31)]) == {2}
    assert set(weekday[(month == 3) & (day == 3)]) == {7}
    assert set(weekday) == set(range(1, 8))


def test_destinations_can_be_the_agents(airline: Table) -> None:
    assert airline.labels is not None
    assert len(airline.labels) == len(airline.y)
    assert len(set(airline.labels)) == 104


def test_a_column_that_names_no_agents_is_refused() -> None:
    with pytest.raises(DataError, match="carrier, origin, dest, tailnum"):
        flights.airline("month")


def test_without_the_flights_package_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r'pip install "coolgp\[data\]"'):
        flights.airline()


def test_the_airline_scenario_holds_out_what_it_is_asked_to() -> None:
    mapping = {"data": {"source": "airline", "test_count": 10_000, "features": ["distance", "air_time"]}}
    data = load(resolve(mapping, "airline", ["agents.count=1000"]))
    assert (data.training.x.shape, data.x_test.shape) == ((263_853, 2), (10_000, 2))
    assert data.features == ("distance", "air_time")
    assert np.bincount(data.training.owner).tolist() == [264] * 853 + [263] * 147
    with pytest.raises(DataError, match="airline: no feature wind; features: month"):
        load(resolve({"data": {"source": "airline", "features": ["wind"]}}, "airline"))
