"""A run and its tracker: earlier rounds are told again where a run goes on, and what fails there ends no run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.records.run_folder import read_metrics
from coolgp.scenarios.runs.supervisor import Say
from coolgp.scenarios.runs.tracking.tracker import Tracker, finite, settings_of, tracker_kind

__all__ = ["Tell", "check_tracker", "tracked"]

Tell = Callable[[Mapping[str, Any]], None]
"""Takes a row of ``metrics.csv``."""


def check_tracker(scenario: Scenario) -> None:
    """Look whether the tracker that the scenario names, if any, is there, and its library. Raises ValueError."""
    if scenario.run.tracker:
        tracker_kind(scenario.run.tracker).check()


@contextmanager
def tracked(scenario: Scenario, folder: Path, say: Say, *, resumed: bool) -> Iterator[Tell]:
    """Begin the tracker that the scenario names, if any; what tells it of a round. On the root.

    say: called once where the tracker fails; it is then left alone. resumed: whether the folder has earlier rounds.
    """
    told = _Told(scenario.run.tracker, folder, say)
    if scenario.run.tracker:
        told.attempt(lambda: told.begin(scenario))
        if resumed:
            told.attempt(told.earlier)
    try:
        yield told.row
    finally:
        told.end()


class _Told:
    """A tracker, until it fails."""

    def __init__(self, name: str, folder: Path, say: Say) -> None:
        self.name, self.folder, self.say = name, folder, say
        self.tracker: Tracker | None = None

    def begin(self, scenario: Scenario) -> None:
        self.tracker = tracker_kind(self.name).start(scenario.name, settings_of(scenario), self.folder)

    def earlier(self) -> None:
        columns = read_metrics(self.folder)
        for row in zip(*columns.values(), strict=True):
            self.row(dict(zip(columns, map(float, row), strict=True)))

    def row(self, values: Mapping[str, Any]) -> None:
        if tracker := self.tracker:
            self.attempt(lambda: tracker.row(int(values["round"]), finite(values)))

    def end(self) -> None:
        if tracker := self.tracker:
            self.attempt(tracker.end)

    def attempt(self, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as problem:  # of another's library, over a network: nothing that a run should end for
            self.tracker = None
            why = f"{type(problem).__name__}: {problem}"
            self.say(f"run.tracker: {self.name} is not told of further rounds, which are in metrics.csv: {why}")
