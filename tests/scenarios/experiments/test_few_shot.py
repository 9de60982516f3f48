"""Scenarios of tasks that nobody has seen: run folder, report, resuming, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from coolgp.fusion.prototypes.studies.methods import FEW_SHOT_METHODS
from coolgp.scenarios.base.signals import Interrupted
from coolgp.scenarios.config.catalogue import load_scenario
from coolgp.scenarios.experiments.few_shot.kind import FEW_SHOT
from coolgp.scenarios.experiments.kind import Options, Stage, Watcher
from coolgp.scenarios.experiments.registry import start
from coolgp.scenarios.metrics.few_shot_columns import FEW_SHOT_WORDS
from coolgp.scenarios.metrics.words import described

from tests.command_line import coolgp_says
from tests.run_folders import timeless

TINY = (
    '--set=few_shot.methods=["background","few_shot","experts_sum"]',
    '--set=few_shot.situations=["unseen","seen"]',
    "--set=few_shot.shots=[2]",
    "--set=run.repeats=2",
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished run."""
    monkeypatch.chdir(tmp_path)
    coolgp_says("run", "multitask-digits", *TINY, "--out", "run")
    return tmp_path / "run"


def test_a_run_leaves_a_table_a_figure_and_a_report_and_goes_on_where_it_was_stopped(run: Path) -> None:
    lines, draws = timeless(run / "metrics.csv"), timeless(run / "draws.csv")
    assert len(lines) == 2
    assert len(draws) == 2 * 2 * 3
    for line in lines:
        assert 0.8 < float(line["accuracy_background"]) <= 1.0
    assert float(lines[1]["known_classes"]) == 1.0
    report = (run / "report.html").read_text(encoding="utf-8")
    assert "prototypes, experts as background" in report
    assert "each class is known to one expert" in report
    assert (run / "accuracy.png").stat().st_size > 10_000

    overrides = [argument.removeprefix("--set=") for argument in TINY]
    scenario, stages = load_scenario("multitask-digits", overrides), list[Stage]()

    def stop(stage: Stage) -> None:
        stages.append(stage)
        if len(stages) == 3:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="coolgp resume again"):
        start(scenario, Path("again"), Options(figures=False)).go(Watcher(show=stop))
    coolgp_says("resume", "again")
    assert timeless(Path("again/metrics.csv")) == lines
    assert timeless(Path("again/draws.csv")) == draws


def test_every_method_has_words_and_a_column() -> None:
    assert set(FEW_SHOT_WORDS) == set(FEW_SHOT_METHODS)
    columns = FEW_SHOT.columns_of(load_scenario({"kind": "few-shot", "name": "t"}))
    assert set(columns) <= set(FEW_SHOT.columns)
    assert all(described(name) for name in columns)


@pytest.mark.parametrize(
    "override, message",
    [
        ("few_shot.methods=[loud]", "background"),
        ("few_shot.shots=[1,1]", "needed each value once"),
        ("few_shot.experts=5", "12 classes"),
        ("few_shot.pool=1500", "few_shot.pool, few_shot.private"),
        ("few_shot.source=airline", "digits"),
        ("few_shot.situations=[rainy]", "unseen"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(
    override: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in coolgp_says("run", "multitask-digits", "--set", override, code=2)
