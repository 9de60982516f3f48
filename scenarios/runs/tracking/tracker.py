"""What an experiment tracker is told of a run: its settings, a row of metrics.csv after each round, its end.

A tracker is a copy for looking at: `metrics.csv` is what a run has measured. A new one is a file beside this with a
`TrackerKind`, and a line in the table of `config/run`; one of the user's own is named as `module:function`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from coolgp.network.base.lazy_table import imported
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.config.sections.run import TRACKERS

__all__ = ["StartTracker", "Tracker", "TrackerKind", "finite", "settings_of", "tracker_kind"]


class Tracker(Protocol):
    """A run as its tracker sees it; on the root rank alone."""

    def row(self, number: int, values: Mapping[str, float]) -> None:
        """Take in a round: its number, and columns of ``metrics.csv`` that have a value there."""

    def end(self) -> None:
        """Take in that the run has stopped: it is finished, was interrupted, or failed."""


class StartTracker(Protocol):
    """Begins a tracker."""

    def __call__(self, name: str, settings: Mapping[str, Any], folder: Path) -> Tracker:
        """Begin. name: the scenario's; settings: its keys as ``section.key``; folder: the run folder."""


@dataclass(frozen=True)
class TrackerKind:
    """A kind of tracker. module: of its library, empty where it needs none; extra: of coolgp, that installs it."""

    start: StartTracker
    module: str = ""
    extra: str = ""

    def check(self) -> None:
        """Look whether its library is installed. Raises ValueError saying how to install it."""
        if self.module and find_spec(self.module) is None:
            raise ValueError(
                f'run.tracker: needs {self.module}, which is not installed: pip install "coolgp[{self.extra}]"'
            )


def tracker_kind(name: str) -> TrackerKind:
    """The kind of this name, or of ``module:function``. Raises ValueError where there is no such thing to import."""
    if name in TRACKERS:
        kind: TrackerKind = TRACKERS[name]
        return kind
    try:
        own: Any = imported(name)
    except (ImportError, AttributeError) as problem:
        raise ValueError(f'run.tracker: needed a function that can be imported; got "{name}": {problem}') from problem
    if not callable(own):
        raise ValueError(f'run.tracker: needed a function; "{name}" is of the type {type(own).__name__}')
    return TrackerKind(own)


def settings_of(scenario: Scenario) -> dict[str, Any]:
    """Keys and values of a scenario, as ``section.key``."""
    sections = scenario.model_dump(mode="json", exclude_none=True)
    name = {"name": sections.pop("name")}
    return name | {f"{section}.{key}": value for section, keys in sections.items() for key, value in keys.items()}


def finite(values: Mapping[str, Any]) -> dict[str, float]:
    """The columns that are numbers in this round.

    >>> finite({"rmse_pre": 0.5, "error_pre": float("nan"), "counted": ""})
    {'rmse_pre': 0.5}
    """
    numbers = {name: float(value) for name, value in values.items() if isinstance(value, int | float)}
    return {name: value for name, value in numbers.items() if abs(value) < float("inf")}
