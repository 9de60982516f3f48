"""Laws of rows that are set aside for tests, and of those that are dealt to agents."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from coolgp.scenarios.base.errors import ConfigError, DataError
from coolgp.scenarios.config.loading import resolve
from coolgp.scenarios.data.loading import check_against, load
from coolgp.scenarios.data.partitions import PARTITIONS

from tests.scenarios.data.points import ROWS, assert_equal, dataset, write


@pytest.mark.parametrize("partition", PARTITIONS)
def test_every_row_is_used_once_and_every_agent_has_some(partition: str, tmp_path: Path) -> None:
    data = dataset(tmp_path, partition=partition)
    assert sorted([*data.training.y, *data.y_test]) == list(range(ROWS))
    assert len(data.training.owner) == len(data.training.y) == len(data.training.x)
    assert set(data.training.owner) == set(range(5))
    assert data.agents == ("0", "1", "2", "3", "4")


@pytest.mark.parametrize("partition", PARTITIONS)
def test_a_seed_determines_who_observes_what(partition: str, tmp_path: Path) -> None:
    assert_equal(dataset(tmp_path, partition=partition), dataset(tmp_path, partition=partition))


@pytest.mark.parametrize("partition", PARTITIONS)
def test_each_agent_has_a_row_even_where_all_rows_are_alike(partition: str) -> None:
    owner = PARTITIONS[partition](np.ones((12, 2)), 12, 0)
    assert sorted(owner) == list(range(12))


def test_random_agents_get_equal_numbers_of_rows(tmp_path: Path) -> None:
    counts = np.bincount(dataset(tmp_path).training.owner)
    assert counts.max() - counts.min() <= 1


def test_kmeans_agents_are_near_their_own_rows() -> None:
    x = np.concatenate([np.random.default_rng(0).normal(centre, 0.1, (30, 2)) for centre in (0, 5, 10)])
    owner = PARTITIONS["kmeans"](x, 3, 0)
    assert [len(set(owner[i : i + 30])) for i in (0, 30, 60)] == [1, 1, 1]


def test_the_test_rows_do_not_depend_on_the_partition(tmp_path: Path) -> None:
    test_rows = [dataset(tmp_path, partition=partition).y_test.tolist() for partition in PARTITIONS]
    assert test_rows[0] == test_rows[1] == test_rows[2]


def test_the_test_count_takes_precedence_over_the_fraction(tmp_path: Path) -> None:
    assert len(dataset(tmp_path).y_test) == 6
    assert len(dataset(tmp_path, test_count=13).y_test) == 13
    with pytest.raises(DataError, match="must leave rows to train on; got 60 of 60 rows"):
        dataset(tmp_path, test_count=60)


def test_agents_are_the_sorted_values_of_their_column(tmp_path: Path) -> None:
    data = dataset(tmp_path, agent="station")
    assert data.agents == ("s0", "s1", "s2", "s3")
    assert np.array_equal(data.training.owner, data.training.y % 4)


def test_agents_that_are_numbered_come_in_the_order_of_the_numbers(tmp_path: Path) -> None:
    path = write(tmp_path, "y,x,s\n" + "\n".join(f"{i},{i},{10 - i % 2 * 8}" for i in range(20)), "numbered.csv")
    data = load(resolve({"data": {"source": str(path), "target": "y", "agent": "s"}}, "m"))
    assert data.agents == ("2", "10")
    assert np.array_equal(data.training.owner, (data.training.y + 1) % 2)


def test_agents_without_a_training_row_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"column station: \d of 4 agents have no training row .* held out: s\d"):
        dataset(tmp_path, agent="station", test_count=58)


def test_more_agents_than_training_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"each of 55 agents \(agents\.count\), got 54"):
        dataset(tmp_path, "agents.count=55")


def test_lengthscales_must_match_the_features(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"lengthscale: .* each of the 2 features \(x0, x1\); got 3"):
        dataset(tmp_path, "agents.lengthscale=[1, 2, 3]")
    check_against(resolve({"data": {"source": "airline"}}, "m", ["agents.lengthscale=[1, 2]"]), ("a", "b"))
