"""Laws of tables: files that load, and files that are refused, with all that is wrong with them."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from coolgp.scenarios.base.errors import DataError
from coolgp.scenarios.data.tables import read_table

from tests.scenarios.data.points import points, write

IT, THEM = ": correct it, or leave the row out", ": correct them, or leave the rows out"


def problems(path: Path, target: str = "y", **options: Any) -> tuple[str, ...]:
    with pytest.raises(DataError) as caught:
        read_table(path, target, **options)
    found = caught.value.problems
    assert all(problem.startswith(str(path)) for problem in found)
    return tuple(problem.removeprefix(str(path)).lstrip(": ") for problem in found)


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
