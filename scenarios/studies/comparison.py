"""Many runs side by side: which of them differ in what, and those that differ only in their seed as one line.

Axes: `R` rounds, `n` runs of a line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coolgp.scenarios.config.constraints import nearest
from coolgp.scenarios.config.loading import read_scenario
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.config.sources import source_named
from coolgp.scenarios.records.run_folder import is_finished, read_metrics
from coolgp.scenarios.records.tables import Columns
from coolgp.scenarios.studies.folder import cell_places

__all__ = [
    "SEED",
    "Comparison",
    "Line",
    "Run",
    "check_metric",
    "check_targets",
    "compared",
    "default_metric",
    "read_runs",
]

SEED, MINUTES = "run.seed", "run.checkpoint_minutes"
NO_DIFFERENCE = {SEED, MINUTES}
"""Keys that do not tell one line from another."""
METRICS, NO_METRIC = ("rmse_post", "accuracy_post"), ("round", "observations")
FOLDER = "folder"
"""What lines are told apart by where runs of the same settings and seed lie in several folders."""


@dataclass(frozen=True)
class Run:
    """One run. given: the folder that the user named, its own or a sweep's; settings: by dotted key; columns `[R]`."""

    path: Path
    given: str
    settings: Mapping[str, Any]
    columns: Columns
    finished: bool

    @property
    def source(self) -> str:
        """The name of its data source, or of where its vectors come from."""
        return str(self.settings.get("data.source", self.settings.get("vectors.source", "")))

    @property
    def reached(self) -> str:
        """How far it is, in words."""
        planned = self.settings.get("run.rounds", "?")
        whole = "" if planned == "all" else f" of {planned}"
        return f"round {self.columns['round'][-1]:.0f}{whole}"


@dataclass(frozen=True)
class Line:
    """Runs that are one line. labels: the values of what lines differ in."""

    labels: tuple[str, ...]
    runs: tuple[Run, ...]

    @property
    def unfinished(self) -> int:
        """How many of its runs are not finished."""
        return sum(not run.finished for run in self.runs)

    @property
    def name(self) -> str:
        """Its labels in one text, with a mark where runs are not finished."""
        return (", ".join(self.labels) or "all runs") + (" (unfinished)" if self.unfinished else "")


@dataclass(frozen=True)
class Comparison:
    """Lines, told apart by `keys`. averaged: the keys that the runs of a line differ in."""

    keys: tuple[str, ...]
    averaged: tuple[str, ...]
    lines: tuple[Line, ...]

    @property
    def runs(self) -> list[Run]:
        """All runs."""
        return [run for line in self.lines for run in line.runs]

    @property
    def metrics(self) -> list[str]:
        """The columns that all runs have."""
        first, *others = [run.columns for run in self.runs]
        return [name for name in first if name != "round" and all(name in columns for columns in others)]

    @property
    def unit(self) -> str:
        """The unit of the target, empty where it is not known."""
        units = {source_named(run.source).unit for run in self.runs}
        return units.pop() if len(units) == 1 else ""


def read_runs(folders: Iterable[Path]) -> tuple[list[Run], list[Path]]:
    """The runs of run folders and sweeps, each once; and the cells of sweeps that have not finished a round.

    Raises ValueError for a folder that holds neither, and for a run of the user's that has not finished a round.
    """
    runs, empty = dict[Path, Run](), list[Path]()
    for folder in folders:
        if not (folder / "study.json").is_file():
            runs.setdefault(folder.resolve(), _run(folder, folder))
            continue
        for place in cell_places(folder):
            if _has_rows(place):
                runs.setdefault(place.resolve(), _run(place, folder))
            else:
                empty.append(place)
    if not runs:
        raise ValueError(f"{', '.join(map(str, folders))}: no run has finished a round")
    return list(runs.values()), empty


def compared(runs: Sequence[Run], by: Sequence[str] = ()) -> Comparison:
    """Runs as lines: told apart by `by`, or else by all that they differ in but their seed.

    Raises ValueError for a key that no run has.
    """
    _check_keys(runs, by)
    varied = _varied(runs)
    keys = list(by) or [key for key in varied if key not in NO_DIFFERENCE]
    if not by:
        keys = _needed(runs, keys)
        if len({_labels(run, [*keys, SEED]) for run in runs}) < len(runs):
            keys.append(FOLDER)
    groups = dict[tuple[str, ...], list[Run]]()
    for run in runs:
        groups.setdefault(_labels(run, keys), []).append(run)
    lines = tuple(Line(labels, tuple(members)) for labels, members in groups.items())
    inside = [key for key in varied if key != MINUTES and any(len(set(_column(line.runs, key))) > 1 for line in lines)]
    return Comparison(tuple(keys), tuple(inside), lines)


def check_targets(runs: Sequence[Run]) -> None:
    """Refuse runs that do not predict the same. Raises ValueError."""
    targets = dict[str, Run]()
    for run in runs:
        targets.setdefault(f"{run.settings.get('data.target', 'the target')} of {run.source}", run)
    if len(targets) > 1:
        (one, first), (other, second), *_ = targets.items()
        raise ValueError(
            f"not comparable: {first.path} predicts {one}, {second.path} {other}: compare runs of one target"
        )


def default_metric(runs: Sequence[Run]) -> str:
    """The RMSE or accuracy after fusion; of kinds without either the first column that all runs have."""
    columns = [name for name in runs[0].columns if name not in NO_METRIC and all(name in run.columns for run in runs)]
    return next((name for name in (*METRICS, *columns) if name in columns), METRICS[0])


def check_metric(runs: Sequence[Run], metric: str) -> None:
    """Refuse a metric that a run has no column for. Raises ValueError with what there is."""
    for run in runs:
        if metric not in run.columns:
            columns = [name for name in run.columns if name != "round"]
            near = nearest(metric, columns) or f"; there are {', '.join(columns)}"
            raise ValueError(f'{run.path / "metrics.csv"}: has no column "{metric}"{near}')


def _run(path: Path, given: Path) -> Run:
    finished = is_finished(path)
    settings, columns = _settings(read_scenario(path / "config.toml")), read_metrics(path)
    return Run(path=path, given=str(given), settings=settings, columns=columns, finished=finished)


def _has_rows(place: Path) -> bool:
    """Whether a cell of a sweep has finished a round."""
    if not (place / "config.toml").is_file() or not (place / "metrics.csv").is_file():
        return False
    with (place / "metrics.csv").open("rb") as file:
        return len(file.readlines()) > 1


def _settings(scenario: Scenario) -> dict[str, Any]:
    """The settings by dotted key, and the kind; keys without a value are left out."""
    contents = scenario.model_dump(mode="json", exclude_none=True, include=set(scenario.sections()))
    settings = {f"{section}.{key}": value for section, keys in contents.items() for key, value in keys.items()}
    return {"kind": scenario.kind} | settings


def _varied(runs: Sequence[Run]) -> list[str]:
    """The keys that runs differ in."""
    keys = dict.fromkeys(key for run in runs for key in run.settings)
    return [key for key in keys if len(set(_column(runs, key))) > 1]


def _needed(runs: Sequence[Run], keys: Sequence[str]) -> list[str]:
    """Without the keys that only some runs have and that tell no two apart, as a rule's own settings."""
    needed = list(keys)
    for key in reversed(keys):
        others = [other for other in needed if other != key]
        partial = any(key not in run.settings for run in runs)
        if partial and len({_labels(run, others) for run in runs}) == len({_labels(run, needed) for run in runs}):
            needed = others
    return needed


def _column(runs: Iterable[Run], key: str) -> list[str]:
    return [_labels(run, [key])[0] for run in runs]


def _labels(run: Run, keys: Iterable[str]) -> tuple[str, ...]:
    """Values as texts, by which lines are told apart; a dash for a key that the run does not have."""
    settings = {**run.settings, FOLDER: run.given}
    return tuple(_label(settings[key]) if key in settings else "–" for key in keys)


def _label(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check_keys(runs: Sequence[Run], keys: Iterable[str]) -> None:
    settings = dict.fromkeys(key for run in runs for key in run.settings)
    for key in keys:
        if key not in settings:
            near = nearest(key, settings) or "; needed section.key, for example fusion.rule"
            raise ValueError(f"--by {key}: no run has this key{near}")
