"""Laws of the data: tables that load, tables that are refused, flights, drawn functions, and rows dealt to agents."""

from __future__ import annotations

import importlib.util
import pickle
from dataclasses import fields as record_fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from coolgp.scenarios.base.errors import ConfigError, DataError
from coolgp.scenarios.config.loading import resolve
from coolgp.scenarios.data import flights
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.data.fields import field, synthetic
from coolgp.scenarios.data.functions import draw_function
from coolgp.scenarios.data.loading import check_against, load
from coolgp.scenarios.data.partitions import PARTITIONS
from coolgp.scenarios.data.table import Table
from coolgp.scenarios.data.tables import read_table

ROWS = 60

IT, THEM = ": correct it, or leave the row out", ": correct them, or leave the rows out"


def write(folder: Path, content: str | bytes, name: str = "points.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def problems(path: Path, target: str = "y", **options: Any) -> tuple[str, ...]:
    with pytest.raises(DataError) as caught:
        read_table(path, target, **options)
    found = caught.value.problems
    assert all(problem.startswith(str(path)) for problem in found)
    return tuple(problem.removeprefix(str(path)).lstrip(": ") for problem in found)


def points(folder: Path, rows: int = ROWS, stations: int = 4) -> Path:
    lines = [f"{i},{i % 7},{i * i % 11},s{i % stations}" for i in range(rows)]
    return write(folder, "\n".join(["y,x0,x1,station", *lines]))


def dataset(folder: Path, *overrides: str, **data: Any) -> Dataset:
    keys = {"source": str(points(folder)), "target": "y", **data}
    return load(resolve({"data": keys, "agents": {"count": 5}}, "points", overrides))


@pytest.fixture(scope="module")
def airline() -> Table:
    return flights.airline("dest")


# Tables -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_delimiter_byte_order_mark_and_line_ends_do_not_matter(
    delimiter: str, mark: str, end: str, tmp_path: Path
) -> None:
    text = mark + end.join(delimiter.join(row.split()) for row in ("y b a", "1 2 3", "4 5 6"))
    table = read_table(write(tmp_path, text), "y")
    assert table.features == ("b", "a")
    assert table.x.tolist() == [[2, 3], [5, 6]]
    assert table.y.tolist() == [1, 4]


def test_features_default_to_the_other_numeric_columns(tmp_path: Path) -> None:
    path = write(tmp_path, "index,y,name,x0,station\n0,1,ann,5,7\n1,2,bob,6,8\n".replace("index", ""))
    table = read_table(path, "y", agent="station")
    assert table.features == ("x0",)
    assert table.labels == ("7", "8")
    assert table.skipped == ("(unnamed)", "name")


def test_features_come_in_the_order_asked_for(tmp_path: Path) -> None:
    assert read_table(points(tmp_path), "y", ["x1", "x0"]).x[3].tolist() == [9, 3]


def test_parquet_and_csv_of_the_same_rows_give_the_same_table(tmp_path: Path) -> None:
    columns = {"y": [1.5, 2.0, 3.0], "x0": [1, 2, 3], "name": ["a", "b", "c"], "station": [7, 8, 7]}
    pq.write_table(pa.table(columns), tmp_path / "points.parquet")
    rows = zip(*columns.values(), strict=True)
    csv = write(tmp_path, "\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)]))
    one, other = read_table(csv, "y", agent="station"), read_table(tmp_path / "points.parquet", "y", agent="station")
    assert one.x.tolist() == other.x.tolist()
    assert one.y.tolist() == other.y.tolist()
    assert (one.labels, one.features, one.skipped) == (other.labels, other.features, other.skipped)


@pytest.mark.parametrize(
    "content, name, text",
    [
        (b"", "a.csv", "the file is empty"),
        (b"\xef\xbb\xbf \n", "a.csv", "the file is empty"),
        (b"PAR1\x00", "a.csv", "is not CSV but a Parquet file: name it .parquet"),
        (b"PK\x03\x04\x00", "a.csv", "is not CSV but a zip archive or spreadsheet"),
        (b"\x1f\x8b\x08", "a.csv", "is not CSV but compressed with gzip"),
        (b"<!DOCTYPE html>\n<html></html>", "a.csv", "is not CSV but a web page"),
        (b"y,x\n1,\xff\n", "a.csv", "2: is not UTF-8 text"),
        (b"y,x\n1,\x00\n", "a.csv", "is not CSV: it holds binary data"),
        (b"y,x\n1,2\n", "a.parquet", "is not a Parquet file"),
        (b"PAR1 and then nothing", "a.parquet", "damaged Parquet file"),
        (b"1,2\n3,4\n", "a.csv", "the first line must name the columns; it holds numbers: 1, 2"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused(content: bytes, name: str, text: str, tmp_path: Path) -> None:
    (problem,) = problems(write(tmp_path, content, name))
    assert problem.startswith(text)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert problems(tmp_path / "none.csv") == ("no such file",)
    assert problems(tmp_path) == ("is a folder; needed a CSV or Parquet file",)


@pytest.mark.parametrize(
    "text, found",
    [
        (
            "y,x\n1,\n2,3\n,4\n",
            [
                'column "x": 1 value (line 2) is empty' + IT,
                'column "y": 1 value (line 4) is empty' + IT,
            ],
        ),
        (
            "y,x\n1,2\nn/a,3\n4,4\n",
            ['column "y": 1 value (line 3) is not numeric, for example "n/a"' + IT],
        ),
        (
            "y,x\n1,nan\n2,3\n1,inf\n",
            ['column "x": 2 values (lines 2, 4) are not finite, for example "nan"' + THEM],
        ),
        (
            'y;x\n"1,5";2\n2;3\n3;3\n',
            ['column "y": 1 value (line 2) is not numeric, for example "1,5"; decimals need a point'],
        ),
        ("y,x\n1,2\n", ["needed at least 2 rows of data, got 1"]),
        ("y,x,x\n1,2,3\n4,5,6\n", ["column names used more than once: x"]),
        ("y,name\n1,a\n2,b\n", ["no numeric column besides the target to learn from; columns: y, name"]),
        (
            "y,x\n1,2\n1\n3,4\n1,2,3\n",
            ["2 rows with another number of cells than the header's 2 (lines 3, 5; line 3 has 1)"],
        ),
    ],
)
def test_bad_cells_and_rows_are_counted_and_located(text: str, found: list[str], tmp_path: Path) -> None:
    assert list(problems(write(tmp_path, text))) == found


def test_one_typing_error_does_not_drop_a_column_unseen(tmp_path: Path) -> None:
    text = "y,x,z\n" + "\n".join(f"{i},{i},{i}" for i in range(9)) + "\n9,9o,9\n"
    assert problems(write(tmp_path, text)) == ('column "x": 1 value (line 11) is not numeric, for example "9o"' + IT,)


def test_missing_columns_are_named_with_the_nearest(tmp_path: Path) -> None:
    told = problems(points(tmp_path), "z", features=["x0", "x01"], agent="staton")
    assert told == (
        'no column "z"; columns: y, x0, x1, station',
        'no column "x01" (did you mean "x1"?); columns: y, x0, x1, station',
        'no column "staton" (did you mean "station"?); columns: y, x0, x1, station',
    )


def test_what_a_column_that_is_no_number_could_become_is_said(tmp_path: Path) -> None:
    path = write(tmp_path, "y,day,kind\n1,2024-03-01,café\n2,2024-03-02,kiosk\n")
    parts, day, kind = problems(path, features=["day.month", "day", "kind"])
    assert parts.startswith('no column "day.month" ("day" holds time stamps; as numbers they are the features "day.sec')
    assert '"day.yearday"' in day
    assert kind.endswith('texts, for example "café"; as numbers they are a column of 0 and 1 for each text')


def test_every_problem_of_a_table_is_told_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, "y,x,s\n1,a,u\n2,3\n,5,\n7,8,v\n")
    assert len(problems(path, features=["x", "w"], agent="s")) == 5


def test_rows_without_an_agent_are_located(tmp_path: Path) -> None:
    path = write(tmp_path, "y,x,s\n1,2,u\n2,3,\n3,4, \n")
    assert problems(path, agent="s") == ('column "s": 2 values (lines 3, 4) are without an agent',)


def test_missing_values_in_parquet_are_located_by_row(tmp_path: Path) -> None:
    pq.write_table(pa.table({"y": [1.0, 2.0, None], "x": [1, None, float("nan")]}), tmp_path / "a.parquet")
    assert problems(tmp_path / "a.parquet") == (
        'column "x": 2 values (rows 2, 3) are missing or not finite' + THEM,
        'column "y": 1 value (row 3) is missing or not finite' + IT,
    )


def test_blank_lines_do_not_shift_the_line_numbers(tmp_path: Path) -> None:
    assert "(line 6)" in problems(write(tmp_path, "y,x\n1,2\n\n3,4\n\n5,\n"))[0]


def test_the_error_survives_pickling() -> None:
    assert str(pickle.loads(pickle.dumps(DataError("one", "two")))) == "one\ntwo"


# Flights ------------------------------------------------------------------------------------------------------------


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


# Drawn functions ----------------------------------------------------------------------------------------------------


def assert_equal(one: Dataset, other: Dataset) -> None:
    for mine, others in zip(one.training.identity(), other.training.identity(), strict=True):
        assert np.array_equal(mine, others)
    for entry in record_fields(Dataset)[1:]:
        assert np.array_equal(getattr(one, entry.name), getattr(other, entry.name)), entry.name


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


# Split and partition ------------------------------------------------------------------------------------------------


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
