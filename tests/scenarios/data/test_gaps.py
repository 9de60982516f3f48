"""Rows without a value are refused, or left out aloud where a scenario asks for that."""

from pathlib import Path

import numpy as np
import pytest

from coolgp.scenarios import load_scenario
from coolgp.scenarios.base.errors import ConfigError, DataError
from coolgp.scenarios.data.tables import read_table

ROWS = "a,b,name,y\n1,2,x,3\n2,,x,4\n3,NA,,5\n4,5,y,\n6,7,,8\n9,1,z,2\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "rows.csv").write_text(ROWS)
    return tmp_path / "rows.csv"


def test_rows_in_which_a_used_column_has_no_value_are_left_out_and_named(path: Path) -> None:
    table = read_table(path, "y", ["a", "b"], drop_gaps=True)
    assert table.y.tolist() == [3.0, 8.0, 2.0]
    assert table.x.tolist() == [[1.0, 2.0], [6.0, 7.0], [9.0, 1.0]]
    (note,) = table.notes
    assert note == 'rows.csv: 3 rows of 6 left out, for there is no value in "b" (2), "y" (1): lines 3, 4, 5'
    assert read_table(path, "y", ["a"], drop_gaps=True).y.tolist() == [3.0, 4.0, 5.0, 8.0, 2.0]
    assert read_table(path, "y", ["a", "b"], "name", drop_gaps=True).labels == ("x", "z")


def test_without_being_asked_they_are_refused_and_mistakes_always_are(path: Path) -> None:
    with pytest.raises(DataError, match=r'column "b": 1 value \(line 3\) is empty'):
        read_table(path, "y", ["a", "b"])
    path.write_text(ROWS + "1,2o,x,4\n")
    with pytest.raises(DataError, match=r'column "b": 1 value \(line 8\) is not numeric, for example "2o"'):
        read_table(path, "y", ["a", "b"], drop_gaps=True)


def test_missing_numbers_of_a_data_frame_are_gaps_too(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pandas.DataFrame({"a": [1.0, np.nan, 3.0, 4.0], "y": [1.0, 2.0, None, 5.0]})
    frame.to_parquet(tmp_path / "rows.parquet")
    table = read_table(tmp_path / "rows.parquet", "y", drop_gaps=True)
    assert table.y.tolist() == [1.0, 5.0]
    assert "2 rows of 4 left out" in table.notes[-1]


def test_the_key_is_for_files_alone() -> None:
    with pytest.raises(ConfigError, match="only for CSV and Parquet files"):
        load_scenario("airline", ["data.missing=drop"])
