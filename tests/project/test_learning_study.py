"""Laws of the comparison of modes of learning: what its table says, and where it is written."""

import sys

import pytest

from tests.paths import ROOT

sys.path.append(str(ROOT))  # benchmarks is a folder beside the packages, and never installed

from benchmarks.accuracy.cells import Cell, read
from benchmarks.learning.run import learning_page
from benchmarks.learning.table import MARK, MODES, table, write_table


def cell(mode: str, seed: int, rmse: float, nlpd: float = 0.0) -> Cell:
    known = {"data": "field", "inducing": 50, "coverage95": 0.95, "seconds": 1.0, "quick": False}
    return Cell(method=mode, seed=seed, rmse=rmse, nlpd=nlpd, commit="abc", date="2026-01-01", cpu="a", **known)


def row(*cells: Cell) -> list[str]:
    """The line of the field: error and density of `fixed`, then both differences of each other mode."""
    line = next(line for line in table(cells).splitlines() if line.startswith("| field"))
    return [text.strip() for text in line.split("|")[2:-1]]


def test_differences_are_paired_by_seed_and_marked_where_all_of_the_interval_is_above_zero():
    fixed = [cell("fixed", seed, 1.0 + seed) for seed in range(3)]
    above = [cell("collective", seed, 1.01 * (1.0 + seed), 0.1 * (seed - 1)) for seed in range(3)]
    rmse, nlpd, more, nats, _, _ = row(*fixed, *above)
    assert (rmse, nlpd) == ("2", "0.000")
    assert more.startswith("**+1 [+1, +1]")
    assert nats.startswith("+0 [-0.248")
    assert row(*fixed, *above[1:])[2].startswith("**+1 ")


def test_a_mode_that_was_not_run_is_a_dash_and_one_that_changes_nothing_a_zero():
    fixed = [cell("fixed", seed, 1.0) for seed in range(2)]
    assert row(*fixed, *(cell("local", seed, 1.0 + 1e-13 * seed) for seed in range(2)))[2:] == ["–", "–", "0", "0"]


def test_the_table_replaces_the_one_before_and_nothing_else(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"# Title\n\n{MARK}\n## After\n", encoding="utf-8")
    for rmse in (1.0, 3.0):
        write_table([cell("fixed", 0, rmse)], page)
    text = page.read_text(encoding="utf-8")
    assert text.count("| field |") == 1
    assert "| field | 3 |" in text
    assert text.startswith("# Title\n\n")
    assert text.endswith("\n\n## After\n")
    page.write_text("# No place\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="needed a line"):
        write_table([cell("fixed", 0, 1.0)], page)


def test_all_modes_run_from_one_start_and_no_run_twice(tmp_path):
    cells, said = tmp_path / "cells.jsonl", []
    for _ in range(2):
        learning_page(["diabetes"], range(1), True, cells, tmp_path / "page.md", said.append)
    assert [one.method for one in read(cells)] == [*MODES]
    assert len(said) == len(MODES)
    with pytest.raises(SystemExit, match=r"needed field .*; got moon"):
        learning_page(["moon"], range(1), True, cells, tmp_path / "page.md", said.append)
