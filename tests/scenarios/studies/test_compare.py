"""Comparing runs: which are one line, what the bands are, and what is refused; run folders are written by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from coolgp.scenarios.base.files import write_table
from coolgp.scenarios.cli.app import app
from coolgp.scenarios.config.loading import resolve
from coolgp.scenarios.studies.bands import curve
from coolgp.scenarios.studies.compare import compare
from coolgp.scenarios.studies.comparison import Comparison, check_metric, check_targets, compared, read_runs
from coolgp.scenarios.studies.comparison_figure import compare_figure, figure_caption
from coolgp.scenarios.studies.comparison_table import final_rows, shown_columns
from coolgp.scenarios.studies.in_process import run_study
from coolgp.scenarios.studies.study import plan_study

from tests.run_folders import table

Y = np.array([[5.0, 4.0, 3.0], [6.0, 4.0, 1.0], [7.0, 7.0, 2.0]])
"""A metric of three runs over three rounds."""
BYTES = np.array([[100.0, 100.0, 100.0], [100.0, 200.0, 300.0], [400.0, 0.0, 0.0]])


def write_run(
    folder: Path,
    overrides: Sequence[str] = (),
    y: Sequence[float] = (5.0, 4.0, 3.0),
    finished: bool = True,
    **columns: Sequence[float],
) -> Path:
    """A run folder as far as a comparison looks at it."""
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(resolve({"data": {"source": "field"}}, "made", overrides).to_toml())
    (folder / "env.json").write_text(json.dumps({"finished": "2026-01-01" if finished else None}))
    ones = np.ones(len(y))
    table: Mapping[str, Any] = {
        "round": np.arange(1, len(y) + 1), "observations": 10 * np.arange(1, len(y) + 1), "rmse_post": y,
        "coverage95_post": 0.9 * ones, "bytes": ones, "seconds": ones,
    } | columns  # fmt: skip
    write_table(
        folder / "metrics.csv", [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
    )
    return folder


def seeds(folder: Path) -> list[Path]:
    """Three runs that differ in their seed."""
    return [
        write_run(folder / f"s{seed}", [f"run.seed={seed}"], y.tolist(), bytes=sent.tolist())
        for seed, (y, sent) in enumerate(zip(Y, BYTES, strict=True))
    ]


def of(*folders: Path, by: Sequence[str] = ()) -> Comparison:
    return compared(read_runs(folders)[0], by)


def test_runs_that_differ_in_their_seed_alone_are_one_line(tmp_path: Path) -> None:
    folders = [
        write_run(
            tmp_path / f"{rule}{count}{seed}", [f"fusion.rule={rule}", f"agents.count={count}", f"run.seed={seed}"]
        )
        for rule in ("tree", "flood")
        for count in (5, 6)
        for seed in (0, 1)
    ]
    found = of(*folders)
    assert found.keys == ("agents.count", "fusion.rule")
    assert [line.name for line in found.lines] == ["5, tree", "6, tree", "5, flood", "6, flood"]
    assert [len(line.runs) for line in found.lines] == [2, 2, 2, 2]
    assert found.averaged == ("run.seed",)


def test_a_key_of_one_rule_alone_tells_lines_apart_only_where_nothing_else_does(tmp_path: Path) -> None:
    tree = write_run(tmp_path / "tree", ["fusion.rule=tree"])
    once = write_run(tmp_path / "once", ["fusion.rule=server", "fusion.repeat=false"])
    again = write_run(tmp_path / "again", ["fusion.rule=server", "fusion.repeat=true"])
    assert of(tree, once).keys == ("fusion.rule",)
    assert [line.name for line in of(tree, once, again).lines] == ["tree, –", "server, false", "server, true"]


def test_by_a_key_all_else_is_averaged_and_the_caption_says_so(tmp_path: Path) -> None:
    folders = [
        write_run(tmp_path / f"{rule}{count}", [f"fusion.rule={rule}", f"agents.count={count}"])
        for rule in ("tree", "flood")
        for count in (5, 6, 7)
    ]
    found = of(*folders, by=["fusion.rule"])
    assert [line.name for line in found.lines] == ["tree", "flood"]
    assert "mean of n = 3 runs (over agents.count); bands: ± one standard dev" in figure_caption(found, "rounds", "std")


def test_runs_of_the_same_settings_and_seed_are_told_apart_by_folder_and_one_folder_counts_once(tmp_path: Path) -> None:
    first, second = (write_run(tmp_path / name) for name in ("one", "two"))
    assert [line.name for line in of(first, second, tmp_path / "two" / ".." / "one").lines] == [str(first), str(second)]


@pytest.mark.parametrize(
    "band, half",
    [
        ("std", lambda y: np.sqrt(((y - y.mean(0)) ** 2).sum(0) / 2)),
        # 4.302653 is the 97.5 % quantile of Student's t with two degrees of freedom
        ("ci", lambda y: 4.302653 * np.sqrt(((y - y.mean(0)) ** 2).sum(0) / 2) / np.sqrt(3)),
    ],
)
def test_the_band_is_what_its_name_says(tmp_path: Path, band: str, half: Any) -> None:
    (line,) = of(*seeds(tmp_path)).lines
    shape = curve(line, "rmse_post", "rounds", band)
    np.testing.assert_allclose(shape.y, Y.mean(axis=0))
    np.testing.assert_allclose(shape.high - shape.y, half(Y), rtol=1e-6)
    np.testing.assert_allclose(shape.y - shape.low, half(Y), rtol=1e-6)


def test_the_band_from_the_smallest_to_the_largest(tmp_path: Path) -> None:
    (line,) = of(*seeds(tmp_path)).lines
    shape = curve(line, "rmse_post", "rounds", "minmax")
    np.testing.assert_array_equal([shape.low, shape.high], [Y.min(axis=0), Y.max(axis=0)])


def test_runs_meet_round_by_round_where_their_bytes_differ(tmp_path: Path) -> None:
    (line,) = of(*seeds(tmp_path)).lines
    shape = curve(line, "rmse_post", "bytes", "std")
    np.testing.assert_allclose(shape.x, BYTES.cumsum(axis=1).mean(axis=0))
    np.testing.assert_allclose(shape.y, Y.mean(axis=0))


def test_the_table_says_how_lines_ended(tmp_path: Path) -> None:
    single = write_run(tmp_path / "single", ["agents.count=7"])
    found = of(*seeds(tmp_path), single)
    first, second = final_rows(found)
    assert (first["agents.count"], first["n"], second["n"]) == ("100", 3, 1)
    assert first["mean_rmse_post"] == pytest.approx(2.0)
    assert first["std_rmse_post"] == pytest.approx(1.0)
    assert first["mean_bytes"] == pytest.approx(BYTES.sum() / 3)
    assert (second["mean_rmse_post"], second["std_rmse_post"]) == (3.0, None)
    assert shown_columns(found) == ["rmse_post", "coverage95_post", "bytes", "seconds"]


def test_a_column_that_some_runs_lack_is_left_out_of_the_table_and_no_metric(tmp_path: Path) -> None:
    older, newer = write_run(tmp_path / "older"), write_run(tmp_path / "newer", crps_post=[1.0, 1.0, 1.0])
    runs, _ = read_runs([older, newer])
    assert "mean_crps_post" not in final_rows(compared(runs))[0]
    assert "mean_crps_post" in final_rows(of(newer))[0]
    with pytest.raises(ValueError, match=r'older/metrics\.csv: has no column "crps_post"'):
        check_metric(runs, "crps_post")
    with pytest.raises(ValueError, match='did you mean "rmse_post"'):
        check_metric(runs, "rmse_pst")


def test_an_unfinished_run_is_used_as_far_as_it_is_and_marked(tmp_path: Path) -> None:
    complete = write_run(tmp_path / "whole", ["run.seed=0"])
    unfinished = write_run(tmp_path / "part", ["run.seed=1"], [7.0, 8.0], finished=False)
    found = of(complete, unfinished)
    shape = curve(found.lines[0], "rmse_post", "rounds", "std")
    np.testing.assert_allclose([shape.x, shape.y], [[1, 2], [6, 6]])
    assert found.lines[0].name == "all runs (unfinished)"
    assert final_rows(found)[0]["unfinished"] == 1
    assert "up to the last round that all runs of the line have finished" in figure_caption(found, "rounds", "std")


def test_runs_of_different_targets_are_refused(tmp_path: Path) -> None:
    field = write_run(tmp_path / "field")
    other = write_run(tmp_path / "sensors", ["data.source=sensors"])
    with pytest.raises(ValueError, match=r"not comparable: .*field predicts value of field, .*sensors value of"):
        check_targets(read_runs([field, other])[0])


def test_a_figure_has_a_line_for_each_and_the_level_that_a_coverage_should_have(tmp_path: Path) -> None:
    folders = [write_run(tmp_path / f"{count}", [f"agents.count={count}"]) for count in range(2, 15)]
    axes = compare_figure(of(*folders), "coverage95_post").axes[0]
    assert len(axes.lines) == len(folders) + 1
    assert axes.lines[-1].get_ydata()[0] == 0.95
    looks = {(line.get_color(), line.get_linestyle()) for line in axes.lines}
    assert len(looks) == len(folders) + 1


def test_a_sweep_is_compared_cell_by_cell_and_cells_that_were_not_begun_are_left_out(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"data": {"source": "field"}, "run": {"rounds": 1, "probes": 1}}
    settings["agents"] = {"count": 4, "inducing": 4, "batch_size": 1, "lengthscale": 0.5, "hyperparameters": "fixed"}
    study = plan_study("small", settings, {"network.topology": ("ring", "star"), "run.seed": (0, 1)})
    run_study(study, tmp_path / "study")
    (tmp_path / "study" / "cells" / study.cells[3].folder / "metrics.csv").unlink()
    runs, empty = read_runs([tmp_path / "study"])
    assert [len(line.runs) for line in compared(runs).lines] == [2, 1]
    assert [place.name for place in empty] == [study.cells[3].folder]


def test_the_command_writes_a_figure_and_a_table_and_prints_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    compare([*seeds(tmp_path / "runs")], against="bytes", band="ci")
    assert (tmp_path / "compare-rmse_post-bytes.png").stat().st_size > 10_000
    (row,) = table(tmp_path / "compare-rmse_post-bytes.csv")
    assert float(row["mean_rmse_post"]) == 2.0
    assert "2 ± 1" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["nowhere"], "nowhere is not a run folder: there is no such folder"),
        (["."], "is not a run folder: it has no config.toml"),
        (["run", "--metric", "rmse"], 'did you mean "rmse_post"?'),
        (["run", "--against", "byte"], 'did you mean "bytes"?'),
        (["run", "--band", "sd"], "--band: needed std | minmax | ci"),
        (["run", "--by", "fusion.rul"], 'did you mean "fusion.rule"?'),
        (["run", "--out", "figure.pdf"], "--out needs a file that ends in .png"),
        (["empty"], "has no rows: the run did not finish a round"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_message_and_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "run")
    header = (write_run(tmp_path / "empty") / "metrics.csv").read_text().splitlines()[0]
    (tmp_path / "empty" / "metrics.csv").write_text(f"{header}\n")
    done = CliRunner().invoke(app, ["compare", *arguments])
    assert done.exit_code == 2
    assert words in done.output
    assert not list(tmp_path.glob("compare*"))
