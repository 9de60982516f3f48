"""Laws of experiment trackers: they hear what metrics.csv holds, and nothing of theirs ends a run."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from coolgp.scenarios.config.catalogue import load_scenario
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.config.sections.run import TRACKERS
from coolgp.scenarios.experiments.run import resume, run
from coolgp.scenarios.records.run_folder import read_metrics

SMALL = {
    "data": {"source": "field"},
    "agents": {"count": 4, "inducing": 8},
    "run": {"rounds": 3, "probes": 2},
}


def small(tracker: str, **keys: Any) -> Scenario:
    return load_scenario({**SMALL, "run": {**SMALL["run"], "tracker": tracker, **keys}})


class Kept:
    """A tracker of a user's own."""

    def __init__(self, fails: bool = False) -> None:
        self.rows: list[tuple[int, dict[str, float]]] = []
        self.settings: Mapping[str, Any] = {}
        self.ended, self.fails = 0, fails

    def __call__(self, name: str, settings: Mapping[str, Any], folder: Path) -> Kept:
        self.settings = settings
        return self

    def row(self, number: int, values: Mapping[str, float]) -> None:
        if self.fails and number == 2:
            raise ConnectionError("nobody answers")
        self.rows.append((number, dict(values)))

    def end(self) -> None:
        self.ended += 1


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType("my_tracker")
    monkeypatch.setitem(sys.modules, "my_tracker", module)
    return module


def check_rows(kept: Kept, folder: Path) -> None:
    columns = read_metrics(folder)
    assert [number for number, _ in kept.rows] == columns["round"].tolist()
    for i, (_, values) in enumerate(kept.rows):
        assert {n for n, c in columns.items() if np.isfinite(c[i])} == values.keys()
        np.testing.assert_allclose([values[n] for n in values], [columns[n][i] for n in values])


def test_a_tracker_hears_the_settings_and_every_row_and_the_end(own: ModuleType, tmp_path: Path) -> None:
    own.kept = Kept()
    run(small("my_tracker:kept"), tmp_path / "run", figures=False)
    check_rows(own.kept, tmp_path / "run")
    assert own.kept.settings["agents.count"] == 4
    assert own.kept.ended == 1


def test_a_run_that_goes_on_tells_a_tracker_of_all_rounds(own: ModuleType, tmp_path: Path) -> None:
    own.kept = Kept()

    def stop(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run(small("my_tracker:kept", checkpoint_minutes=0.0), tmp_path / "run", watch=stop, figures=False)
    assert own.kept.ended == 1
    own.kept = Kept()
    resume(tmp_path / "run", figures=False)
    check_rows(own.kept, tmp_path / "run")


def test_a_tracker_that_fails_is_said_once_and_the_run_goes_on(own: ModuleType, tmp_path: Path) -> None:
    own.kept = Kept(fails=True)
    with pytest.warns(RuntimeWarning, match="nobody answers") as said:
        run(small("my_tracker:kept"), tmp_path / "run", figures=False)
    assert len(said) == 1
    assert read_metrics(tmp_path / "run")["round"].tolist() == [1, 2, 3]


@pytest.mark.parametrize("name", list(TRACKERS))
def test_a_library_that_is_missing_is_said_before_anything_is_written(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("coolgp.scenarios.runs.tracking.tracker.find_spec", lambda module: None)
    with pytest.raises(ValueError, match=r"run\.tracker: needs .* pip install"):
        run(small(name), tmp_path / "run", figures=False)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["my_tracker:nothing", "no_such_module:start", "my_tracker:number"])
def test_what_is_no_function_is_said_before_anything_is_written(name: str, own: ModuleType, tmp_path: Path) -> None:
    own.number = 3
    with pytest.raises(ValueError, match=r"run\.tracker: needed a function"):
        run(small(name), tmp_path / "run", figures=False)
    assert not (tmp_path / "run").exists()


def test_each_library_is_called_with_what_it_takes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The calls of each entry of the table, against a stand-in for its library that writes them down."""
    for name in TRACKERS:
        kind, calls = TRACKERS[name], list[tuple[Any, ...]]()
        monkeypatch.setitem(sys.modules, kind.module, _Library(calls))
        tracker = kind.start("field", {"agents.count": 4}, tmp_path / "run")
        tracker.row(7, {"rmse_pre": 0.5})
        tracker.end()
        assert any(0.5 in call or {"rmse_pre": 0.5} in call for call in calls)
        assert any(7 in call for call in calls)


class _Library(ModuleType):
    """Stands in for any library: every call is written down and gives the same thing again."""

    def __init__(self, calls: list[tuple[Any, ...]]) -> None:
        super().__init__("library")
        self.calls = calls
        self.info = SimpleNamespace(run_id="one")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *given: Any, **named: Any) -> _Library:
        self.calls.append((*given, *named.values()))
        return self
