"""A first scenario of a table runs, and probable slips are said."""

from pathlib import Path

import numpy as np
import pytest

from coolgp.scenarios.data.slips import probable_slips
from coolgp.scenarios.data.table import Table

from tests.command_line import coolgp_says


def write(path: Path, rows: int = 200, header: str = "station,year,east,level") -> Path:
    rng = np.random.default_rng(0)
    lines = [f"s{row % 8},{2000 + row % 3},{x:.3f},{np.sin(5 * x):.3f}" for row, x in enumerate(rng.uniform(size=rows))]
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def test_what_init_writes_runs_from_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "study").mkdir()
    table = write(tmp_path / "data" / "rows.csv")
    said = coolgp_says("init", table, "--agent", "station", "--out", "study/mine.toml")
    assert 'target = "level" # guessed' in said
    assert 'features = ["year", "east"]' in said
    ran = coolgp_says("run", "study/mine.toml", "--no-figures", "--out", "here")
    assert "tree over 8 agents" in ran
    assert "study/mine.toml exists" in coolgp_says("init", table, "--out", "study/mine.toml", code=2)


def test_columns_that_may_name_agents_are_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = coolgp_says("init", write(tmp_path / "rows.csv"))
    assert said.index('# agent = "station" # its 8 values') < said.index('# agent = "year" # its 3 values')


def test_columns_that_are_left_out_and_cells_that_a_run_would_refuse_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rows.csv").write_text("day,a,y\n2024-01-01,1,2\n2024-01-02,,3\n2024-01-03,2,4\n", encoding="utf-8")
    said = coolgp_says("init", "rows.csv")
    assert '# left out: day: time stamps; as numbers they are the features "day.seconds"' in said
    assert '# to mend: column "a": 1 value (line 3) is empty: correct it, or leave the row out' in said


def test_a_target_with_two_values_is_learned_as_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [f"{i},{i % 7},{'wet' if i % 7 > 3 else 'dry'}" for i in range(60)]
    (tmp_path / "rows.csv").write_text("\n".join(["a,b,ground", *rows]) + "\n", encoding="utf-8")
    assert 'task = "classification" # two values' in coolgp_says("init", "rows.csv", "--target", "ground")
    assert "task" not in coolgp_says("init", "rows.csv", "--out", "other.toml")
    assert coolgp_says("show", "rows.toml").startswith('kind = "two-classes"')


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("rows.csv", "--target", "levl"), 'no column "levl"; did you mean "level"'),
        (("none.csv",), "none.csv: no such file"),
        (("words.csv",), "needed two columns of numbers, a target and a feature; got 1"),
    ],
)
def test_what_cannot_be_started_from_is_refused(
    arguments: tuple[str, ...], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "rows.csv")
    (tmp_path / "words.csv").write_text("a,b\nx,1\ny,2\n", encoding="utf-8")
    assert words in coolgp_says("init", *arguments, code=2)


def test_probable_slips_are_said_and_good_tables_are_not() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=100)
    x = np.stack([rng.normal(size=100), 3 * y + 1, np.full(100, 7.0)], axis=1)
    table, rows = Table(x, y, ("a", "copy", "same"), "y", labels=("?",) * 100), np.arange(100)
    slips = probable_slips(table, rows, rows // 2, 50)
    assert [words in said for words, said in zip(("copy is the target y", "same is 7", "50 of 50"), slips, strict=True)]
    assert probable_slips(Table(x[:, :1], y, ("a",), "y"), rows, rows // 10, 10) == ()
