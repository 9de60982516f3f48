"""Tables as spreadsheets, data frames and strangers write them: read as they are meant, or said what was not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import coolgp
from coolgp.scenarios.base.errors import DataError
from coolgp.scenarios.config.loading import resolve
from coolgp.scenarios.data.table import Table
from coolgp.scenarios.data.tables import read_table
from coolgp.scenarios.runs.run import run

ROWS = 6
START = datetime(2024, 2, 28, 18, 30, tzinfo=UTC)


def table(folder: Path, cells: dict[str, list[str]], between: str = ";", **options: object) -> Table:
    path = folder / "t.csv"
    rows = [list(cells), *zip(*cells.values(), strict=True)]
    path.write_text("\n".join(between.join(row) for row in rows))
    return read_table(path, "y", **options)  # type: ignore[arg-type]


def parquet(folder: Path, columns: dict[str, object]) -> Table:
    pq.write_table(pa.table({"y": np.arange(3.0), "x": np.arange(3.0), **columns}), folder / "t.parquet")
    return read_table(folder / "t.parquet", "y")


def about(found: Table, name: str) -> str:
    (note,) = [note for note in found.notes if f" {name}:" in note]
    return note


PLAIN = {"y": [f"{i}" for i in range(ROWS)], "x": [f"{i * i}" for i in range(ROWS)]}


@pytest.mark.parametrize(
    ("cells", "values", "words"),
    [
        (["1,5", "-2,25", "3", "0,125", "4,0", "1,1e2"], [1.5, -2.25, 3, 0.125, 4, 110], "decimal points"),
        (["1.234,5", "12.000,25", "7", "1.000", "0,5", "2,5"], [1234.5, 12000.25, 7, 1000, 0.5, 2.5], "decimal points"),
        (["1,234.5", "12,000.25", "7.5", "1,000", "2,000", "1"], [1234.5, 12000.25, 7.5, 1000, 2000, 1], "thousands"),
        (["1,234,567", "2,000", "3,000", "4,000", "5", "6,100"], [1234567, 2000, 3000, 4000, 5, 6100], "thousands"),
        (["true", "False", "TRUE", "false", "true", "true"], [1, 0, 1, 0, 1, 1], "true was read as 1"),
    ],
)
def test_what_leaves_no_doubt_is_read_and_said(tmp_path, cells, values, words):
    found = table(tmp_path, {**PLAIN, "z": cells})
    assert found.x[:, found.features.index("z")].tolist() == values
    assert words in about(found, "z")


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["1,234", "2,500", "3,125", "4,000", "5,000", "6,000"], "may have a decimal comma"),
        (["2024_01", "2024_02", "2024_03", "2024_04", "2024_05", "2024_06"], "texts"),
        (["0x10", "0x11", "0x12", "0x13", "0x14", "0x15"], "texts"),
        (["\u0661", "\u0662", "\u0663", "\u0664", "\u0665", "\u0666"], "texts"),
        (["NA", "NA", "n/a", "null", "5", "6"], "4 of 6 cells are missing"),
        (["", "", "", " ", "", ""], "no value"),
        (["yes", "no", "no", "yes", "no", "yes"], "texts, for example"),
        ([f"2024-02-0{i + 1} 10:00" for i in range(ROWS)], "time stamps"),
    ],
)
def test_what_is_left_out_is_said_with_the_reason(tmp_path, cells, words):
    found = table(tmp_path, {**PLAIN, "z": cells})
    assert found.features == ("x",)
    assert found.skipped == ("z",)
    assert f"left out: {about(found, 'z').partition('left out: ')[2]}" in about(found, "z")
    assert words in about(found, "z")


def test_nothing_is_said_of_plain_tables(tmp_path):
    assert table(tmp_path, PLAIN).notes == ()


def test_a_target_that_may_be_thousands_or_decimals_is_refused(tmp_path):
    with pytest.raises(DataError, match=r'column "y" is to be numbers: "1,234" may have a decimal comma'):
        table(tmp_path, {"x": PLAIN["x"], "y": ["1,234"] * ROWS})


def test_points_between_thousands_beside_decimal_commas_are_refused(tmp_path):
    with pytest.raises(DataError, match=r'column "z": "1\.234" may be a thousand'):
        table(tmp_path, {**PLAIN, "w": ["0,5"] * ROWS, "z": ["1.234"] * ROWS})
    assert table(tmp_path, {**PLAIN, "w": ["0,5"] * ROWS, "z": ["1.23"] * ROWS}).x[0].tolist() == [0, 0.5, 1.23]


@pytest.mark.parametrize("name", ["Unnamed: 0", "Unnamed: 0.1", "", "__index_level_0__"])
def test_an_index_is_left_out_unless_it_is_asked_for(tmp_path, name):
    cells = {**PLAIN, name: [f"{i}" for i in range(ROWS)]}
    found = table(tmp_path, cells, ",")
    assert found.features == ("x",)
    assert "index" in found.notes[0]
    if name:
        assert table(tmp_path, cells, ",", features=[name]).features == (name,)


def test_an_index_in_parquet_is_left_out(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"y": np.arange(4.0), "x": np.arange(4.0) ** 2}, index=[7, 3, 9, 1])
    frame.to_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet", "y").features == ("x",)


def test_time_stamps_are_numbers_where_they_are_asked_for(tmp_path):
    times = [START + timedelta(hours=7 * i) for i in range(ROWS)]
    cells = {**PLAIN, "at": [t.isoformat() for t in times]}
    found = table(tmp_path, cells, features=["x", "at.hour", "at.weekday", "at.seconds", "at.yearday"])
    hours = [t.hour + 0.5 for t in times]
    days = [
        (t.replace(hour=0) - t.replace(month=1, day=1, hour=0)).days + hour / 24
        for t, hour in zip(times, hours, strict=True)
    ]
    expected = [[i * i, hours[i], t.weekday(), t.timestamp(), days[i]] for i, t in enumerate(times)]
    assert found.x.tolist() == expected


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (pa.array([None] * 3, pa.int64()), "no value"),
        (pa.array([None] * 3, pa.float32()), "no value"),
        (pa.array([None] * 3, pa.null()), "no value"),
        (pa.array([[1], [2], []]), "texts"),
        (pa.array([{"a": 1}] * 3), "texts"),
        (pa.array([b"a", b"b", None]), "texts"),
        (pa.array([START] * 3, pa.timestamp("ns")), "time stamps"),
        (pa.array([START] * 3, pa.timestamp("us", "UTC")), "time stamps"),
        (pa.array([START.date()] * 3), "time stamps"),
        (pa.array([2**63 - 1] * 3), None),
        (pa.array(["a", "b", "a"]).dictionary_encode(), "texts"),
        (pa.array([1, 2, 2]).dictionary_encode(), None),
        (pa.array([1.5, 2, 3], pa.float16()), None),
        (pa.array([True, False, True]), None),
        (pa.array(["1.5", "2", "3"]).cast(pa.decimal128(9, 2)), None),
    ],
    ids=lambda value: str(getattr(value, "type", value)),
)
def test_every_kind_of_parquet_column_is_read_or_said(tmp_path, column, words):
    found = parquet(tmp_path, {"z": column})
    assert found.features == (("x", "z") if words is None else ("x",))
    assert words is None or words in about(found, "z")


def test_parquet_without_rows_or_with_a_name_twice_is_refused(tmp_path):
    pq.write_table(pa.table({"y": pa.array([], pa.float64()), "x": pa.array([], pa.int64())}), tmp_path / "t.parquet")
    with pytest.raises(DataError, match="needed at least 2 rows"):
        read_table(tmp_path / "t.parquet", "y")
    twice = pa.Table.from_arrays([pa.array([1.0, 2.0])] * 3, names=["y", "x", "x"])
    pq.write_table(twice, tmp_path / "t.parquet")
    with pytest.raises(DataError, match="more than once: x"):
        read_table(tmp_path / "t.parquet", "y")


@pytest.mark.parametrize("text", ['""\n', '"",""\n1,2\n', "\n,,\ny,x\n", "\x0c\n;\n"])
def test_a_first_line_without_names_is_refused(tmp_path, text):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(DataError):
        read_table(tmp_path / "t.csv", "y")


def test_a_run_says_what_was_left_out_on_the_console_in_its_report_and_in_env_json(tmp_path):
    (tmp_path / "t.csv").write_text("y;x;lot;z\n" + "\n".join(f"{i % 5},5;{i};b_{i};{i},25" for i in range(20)))
    data = {"source": str(tmp_path / "t.csv"), "target": "y"}
    mapping = {"data": data, "agents": {"count": 2, "inducing": 4}, "run": {"rounds": 1}}
    with pytest.warns(RuntimeWarning, match=r"t\.csv: column") as said:
        run(resolve(mapping, "said"), tmp_path / "run")
    notes = json.loads((tmp_path / "run" / "env.json").read_text())["data_notes"]
    assert len(notes) == 2
    assert {str(warning.message) for warning in said} >= set(notes)
    report = (tmp_path / "run" / "report.html").read_text()
    assert "commas were read as decimal points" in report
    assert "left out: texts" in report


SEEDS = {
    ".csv": b'y,x,when,flag,who\n1.5,2,2024-01-02,true,a\n2.5,"1,5",2024-01-03,false,b\n3,4,,true,\n',
    ".parquet": b"",
}
PIECES = (
    b'"',
    b",",
    b";",
    b"\t",
    b"\n",
    b"\r",
    b"nan",
    b"1e999",
    b"_",
    b"\xff",
    b"\xc3\xa9",
    b"-",
    b"9" * 50,
    b"2024-13-45",
    b"0001-01-01",
)


@pytest.mark.parametrize("suffix", SEEDS)
@pytest.mark.parametrize("tries", [150, pytest.param(2_500, marks=pytest.mark.slow)])
def test_no_damaged_table_gives_a_traceback(tmp_path, suffix, tries):
    rng, path = np.random.default_rng(tries), tmp_path / f"t{suffix}"
    seed = SEEDS[suffix]
    if not seed:
        pq.write_table(pa.table({"y": [1.0, 2, 3], "x": [1, None, 3], "who": ["a", "b", "a"], "at": [START] * 3}), path)
        seed = path.read_bytes()
    for _ in range(tries):
        content = seed
        for at in rng.integers(len(seed), size=rng.integers(1, 4)).tolist():
            piece = PIECES[rng.integers(len(PIECES))] if suffix == ".csv" else rng.bytes(1)
            content = content[:at] + piece + content[at + (int(rng.integers(4)) if suffix == ".csv" else 1) :]
        path.write_bytes(content)
        try:
            read_table(
                path, "y", ["x", "when.hour"] if rng.random() < 0.2 else None, "who" if rng.random() < 0.5 else None
            )
        except DataError as problem:
            assert all(len(line) < 1000 for line in problem.problems)  # noqa: PT017


def test_models_trained_apart_say_it_too(tmp_path):
    (tmp_path / "t.csv").write_text("y,x,lot\n" + "\n".join(f"{i % 5},{i},b_{i}" for i in range(20)))
    data = {"source": str(tmp_path / "t.csv"), "target": "y"}
    scenario = resolve({"kind": "experts", "data": data, "experts": {"count": 2}}, "apart")
    with pytest.warns(RuntimeWarning, match="left out: texts"):
        coolgp.run(scenario, tmp_path / "run", figures=False)
    assert len(json.loads((tmp_path / "run" / "env.json").read_text())["data_notes"]) == 1
