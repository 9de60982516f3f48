"""Scenarios of newcomers' networks: run folder, report, resuming, what is drawn, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from coolgp.fusion.personalise.studies.drawn import SITUATIONS, NewcomersTask
from coolgp.fusion.personalise.studies.methods import HEAD_METHODS
from coolgp.scenarios.base.signals import Interrupted
from coolgp.scenarios.config.catalogue import load_scenario
from coolgp.scenarios.experiments.heads.kind import HEADS
from coolgp.scenarios.experiments.kind import Options, Stage, Watcher
from coolgp.scenarios.experiments.registry import start
from coolgp.scenarios.metrics.head_columns import HEAD_WORDS
from coolgp.scenarios.metrics.words import described

from tests.command_line import coolgp_says
from tests.run_folders import timeless

TINY = (
    '--set=heads.situations=["alike","renamed"]',
    "--set=heads.examples=[15]",
    "--set=heads.owners=2",
    "--set=heads.rows=80",
    "--set=run.repeats=1",
)


def test_a_run_leaves_a_table_a_figure_and_a_report_and_goes_on_where_it_was_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    coolgp_says("run", "personalise-networks", *TINY, "--out", "run")
    lines, draws = timeless(Path("run/metrics.csv")), timeless(Path("run/heads.csv"))
    assert len(lines) == 2
    assert len(draws) == 2 * len(HEAD_METHODS)
    alike, renamed = lines
    assert float(alike["right_refit"]) > float(alike["right_scratch"])
    assert float(renamed["right_fused"]) < 0.2 < float(renamed["right_refit"])
    report = Path("run/report.html").read_text(encoding="utf-8")
    assert "the newcomer calls every class by another" in report
    assert "fused network, head refitted about its own" in report
    assert Path("run/heads.png").stat().st_size > 10_000

    overrides = [argument.removeprefix("--set=") for argument in TINY]

    def stop(stage: Stage) -> None:
        if stage.done == 1:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="coolgp resume again"):
        start(load_scenario("personalise-networks", overrides), Path("again"), Options(figures=False)).go(
            Watcher(show=stop)
        )
    coolgp_says("resume", "again")
    assert timeless(Path("again/metrics.csv")) == lines
    assert timeless(Path("again/heads.csv")) == draws


def test_every_method_has_words_and_columns() -> None:
    assert set(HEAD_WORDS) == set(HEAD_METHODS)
    assert all(described(name) for name in HEADS.columns)


def test_situations_change_names_or_images_and_nothing_else() -> None:
    x = np.arange(18.0).reshape(2, 9)
    task = NewcomersTask(x, np.array([0, 2]), x, np.array([0, 2]), 3, 0)
    assert SITUATIONS["renamed"].task(task).test_y.tolist() == [1, 0]
    once = SITUATIONS["transposed"].task(task)
    assert once.x[0].tolist() == [0, 3, 6, 1, 4, 7, 2, 5, 8]
    np.testing.assert_array_equal(SITUATIONS["transposed"].task(once).x, x)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("heads.situations=[rainy]", "alike"),
        ('heads.situations=["alike","alike"]', "needed each once"),
        ("heads.examples=[20,5]", "the smallest first"),
        ("heads.rows=400", "0 are left to test at"),
        ("heads.source=airline", "digits"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(
    override: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in coolgp_says("run", "personalise-networks", "--set", override, code=2)
