"""Laws of the comparison of accuracy: cells can be continued, the page says what is met, and what was run."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from tests.paths import ROOT

sys.path.append(str(ROOT))  # benchmarks is a folder beside the packages, and never installed

from benchmarks.accuracy.cells import Cell, Grid, Key, Scores, fill, read
from benchmarks.accuracy.methods import ALL_ROWS, COOLGP, METHODS, SAME_BUDGET
from benchmarks.accuracy.page import page
from benchmarks.accuracy.run import accuracy_page
from benchmarks.accuracy.sets import BOREHOLE, SETS, borehole


def cell(method: str, rmse: float = 1.0, nlpd: float = 0.5, coverage95: float = 0.95, **more: object) -> Cell:
    known = {"data": "field", "inducing": 100, "seed": 0, "seconds": 2.0, "quick": False}
    known |= {"commit": "abc", "date": "2026-01-01", "cpu": "a processor"} | more
    return Cell(method=method, rmse=rmse, nlpd=nlpd, coverage95=coverage95, **known)


def verdicts(*cells: Cell) -> list[str]:
    """The cells of the row that says what is met on the field."""
    lines = page(cells).splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("| coolgp against"))
    return [text.strip() for text in lines[first + 2].split("|")[2:-1]]


def test_the_command_compares_all_methods_on_a_small_draw_and_does_no_cell_twice(tmp_path):
    path, text, said = tmp_path / "cells.jsonl", tmp_path / "accuracy.md", []
    for _ in range(2):
        accuracy_page(["field"], None, 1, True, path, text, said.append)
    assert len(said) == len(METHODS)
    assert [cell.method for cell in read(path)] == [*METHODS]
    for one in read(path):
        assert np.isfinite([one.rmse, one.nlpd, one.coverage95]).all()
        assert not one.failure
        assert f"| field | {one.method} |" in text.read_text()
    assert "Made with --quick" in text.read_text()


def test_an_unknown_set_is_refused_before_work(tmp_path):
    with pytest.raises(SystemExit, match=r"needed friedman1 .*; got moon"):
        accuracy_page(["moon"], None, 1, False, tmp_path / "c", tmp_path / "p", print)
    assert not list(tmp_path.iterdir())


def test_a_stopped_run_goes_on_where_it_was_and_tries_again_what_failed(tmp_path):
    path, computed = tmp_path / "cells.jsonl", []

    def scores(key: Key) -> Scores:
        data, method, _, seed, _ = key
        computed.append((data, method, seed))
        if len(computed) == 3:
            raise KeyboardInterrupt
        failure = "no luck" if len(computed) == 2 else ""
        return {"rmse": 1.0, "nlpd": 0.0, "coverage95": 0.95, "seconds": 1.0, "failure": failure}

    wanted = Grid(["field"], [COOLGP, ALL_ROWS], [100], 2)
    with pytest.raises(KeyboardInterrupt):
        fill(wanted, path, lambda words: None, scores)
    path.write_text(path.read_text() + '{"data": "fie')  # killed in a line
    path.write_text(path.read_text() + "\n")
    fill(wanted, path, lambda words: None, scores)
    assert computed[3:] == [computed[1], computed[2], ("field", ALL_ROWS, 1)]
    assert len(read(path)) == 4
    assert not any(cell.failure for cell in read(path))


def test_what_is_asked_is_said_met_or_not_from_seeds_that_both_have():
    ours = cell(COOLGP, rmse=1.05, nlpd=0.54, coverage95=0.97)
    same, every = cell(SAME_BUDGET, rmse=1.0), cell(ALL_ROWS, rmse=0.9)
    assert verdicts(ours, same, every) == [
        "1.050×, met",
        "1.167×, **not met**",
        "0.040 nats, met",
        "0.040 nats",
        "0.970, met",
        "0.950",
    ]
    assert verdicts(replace(ours, coverage95=0.99), same)[4] == "0.990, **not met**"
    other_seed = replace(same, seed=1, rmse=0.1)
    assert verdicts(ours, same, other_seed)[:2] == ["1.050×, met", "not run"]
    assert verdicts(replace(ours, nlpd=0.56), same)[2] == "0.060 nats, **not met**"


def test_the_page_says_what_failed_and_leaves_it_out_of_the_means():
    failed = cell(SAME_BUDGET, rmse=float("nan"), seed=1, failure="DataError: no flights")
    text = page([cell(COOLGP), cell(SAME_BUDGET), failed])
    assert "seed 1: DataError: no flights" in text
    assert "nan" not in text
    assert "2 cells" in text


def test_a_seed_gives_the_same_rows_and_test_rows_are_no_training_rows():
    for name in ("friedman1", "borehole", "diabetes", "field"):
        once, again, other = (SETS[name].draw(seed) for seed in (0, 0, 1))
        np.testing.assert_array_equal(once.x, again.x)
        assert not np.array_equal(once.y, other.y)
        if name != "field":
            assert not {*map(bytes, once.x)} & {*map(bytes, once.x_test)}


def test_the_borehole_has_its_published_range():
    """Flow at the middle of all inputs, by the formula written out."""
    middle = BOREHOLE.mean(axis=1)
    ratio = np.log(25_050 / 0.1)
    leak = 2 * 1_400 * 89_335 / (ratio * 0.1**2 * 10_950)
    np.testing.assert_allclose(
        borehole(middle[None]), 2 * np.pi * 89_335 * (1_050 - 760) / (ratio * (1 + leak + 89_335 / 89.55)), rtol=1e-12
    )
