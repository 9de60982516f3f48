"""Scenarios with newcomers: run folder, report, resume, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from coolgp.agents.experts.sparse_gp import SparseGPRegressor
from coolgp.fusion.personalise.beside import METHODS
from coolgp.scenarios.base.signals import Interrupted
from coolgp.scenarios.config.catalogue import load_scenario
from coolgp.scenarios.data import flights
from coolgp.scenarios.data.table import Table
from coolgp.scenarios.experiments.kind import Options, Stage, Watcher
from coolgp.scenarios.experiments.newcomers.airports import Airports
from coolgp.scenarios.experiments.registry import start
from coolgp.scenarios.metrics.newcomer_columns import START_WORDS

from tests.command_line import coolgp_says
from tests.run_folders import table

TINY = (
    "--set=tasks.owners=6",
    "--set=tasks.newcomers=2",
    "--set=tasks.inducing=6",
    '--set=tasks.relations=["same","outlier"]',
    "--set=tasks.examples=[3,10]",
    "--set=run.repeats=2",
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run."""
    folder = tmp_path_factory.mktemp("newcomers") / "run"
    coolgp_says("run", "personalise-tasks", *TINY, "--out", folder)
    return folder


def test_a_run_has_a_row_for_each_relation_and_number_of_rows(run: Path) -> None:
    rows, lines = table(run / "metrics.csv"), table(run / "newcomers.csv")
    assert [(row["relation"], row["examples"]) for row in rows] == [("1", "3"), ("1", "10"), ("2", "3"), ("2", "10")]
    assert len(lines) == 2 * 2 * 2 * 2 * len(METHODS)
    own = [e for e in lines if (e["relation"], e["examples"], e["method"]) == ("outlier", "3", "scratch")]
    assert float(rows[2]["error_scratch"]) == pytest.approx(np.mean([float(line["error"]) for line in own]))
    report = (run / "report.html").read_text()
    for words in ("6 owners, 2 draws", "Tasks: outlier", "less scratch", "coolgp run config.toml"):
        assert words in report
    assert coolgp_says("plot", run).split() == [f"{run}/newcomers.png", f"{run}/report.html"]


def test_every_method_has_words() -> None:
    assert list(START_WORDS) == list(METHODS)


def test_a_run_that_was_stopped_goes_on_to_the_same_numbers(run: Path, tmp_path: Path) -> None:
    def stop(stage: Stage) -> None:
        if stage.done == 3:
            raise KeyboardInterrupt

    folder = tmp_path / "stopped"
    overrides = [argument.removeprefix("--set=") for argument in TINY]
    with pytest.raises(Interrupted, match="start again with"):
        start(load_scenario("personalise-tasks", overrides), folder, Options()).go(Watcher(show=stop))
    kept = len(table(folder / "newcomers.csv"))
    coolgp_says("resume", folder, "--no-figures")
    first, again = table(run / "newcomers.csv"), table(folder / "newcomers.csv")
    assert kept == 3 * len(first) // 4
    for line in (*first, *again):
        line.pop("seconds")
    assert again == first


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("tasks.examples=[20,5]", "needed each number once, the smallest first; got [20, 5]"),
        ("tasks.flights=9", 'tasks.source to "airports"'),
        ("tasks.owners=2", "tasks.owners"),
        ('tasks.relations=["alike"]', "tasks.relations"),
        ('tasks.source="airport"', 'needed "relations" | "airports"'),
    ],
)
def test_settings_that_do_not_fit_are_refused(setting: str, words: str, tmp_path: Path) -> None:
    assert words in coolgp_says("run", "personalise-tasks", "--set", setting, "--out", tmp_path / "run", code=2)


def _flights(agent: str) -> Table:
    """Ten airports of 230 flights and one of 20."""
    rng = np.random.default_rng(0)
    labels = [f"A{number % 10}" for number in range(2300)] + ["rare"] * 20
    x = rng.normal(size=(len(labels), 2))
    return Table(x=x, y=x[:, 0] + rng.normal(size=len(x)), features=("a", "b"), target="y", labels=tuple(labels))


def test_airports_with_models_and_newcomers_share_no_airport(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flights, "airline", _flights)
    monkeypatch.setattr(SparseGPRegressor, "fit", _quickly(SparseGPRegressor.fit))
    source = Airports(owners=7, flights=30, inducing=5)
    drawn, other = source.drawn("airports", 0, 10), source.drawn("airports", 1, 10)
    assert len(drawn.start.evidence.shift) == 7
    assert len({newcomer.name for newcomer in drawn.newcomers} - {"rare"}) == 3
    assert len(source._models) > 7  # other airports, and those of both draws trained once
    assert {e.name for e in drawn.newcomers} != {e.name for e in other.newcomers}
    with pytest.raises(ValueError, match=r"10 airports have 210 flights or more; needed fewer owners than that"):
        Airports(owners=10).drawn("airports", 0, 10)


def _quickly(fit: object) -> object:
    def without_search(self: SparseGPRegressor, x: np.ndarray, y: np.ndarray) -> SparseGPRegressor:
        self.max_iter = 0
        return fit(self, x, y)  # type: ignore[operator]

    return without_search
