"""A kind whose work is a generator of rows: run folder, environment, table, figures and report are kept around it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from coolgp.network.launcher import launched_rank, launched_size
from coolgp.network.transport import Transport
from coolgp.scenarios.base.environment import current_environment, share_cores
from coolgp.scenarios.base.files import naming, write_whole
from coolgp.scenarios.base.lock import held
from coolgp.scenarios.base.mpiexec import check_world
from coolgp.scenarios.base.signals import Interrupted, Noted, Terminated, noted, obeyed, stopped
from coolgp.scenarios.config.loading import read_scenario
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.experiments.kind import Options, Watcher, check_processes
from coolgp.scenarios.experiments.report import ExperimentFolder, Findings, draw_experiment
from coolgp.scenarios.plots.drawing import Drawing
from coolgp.scenarios.runs.folder import claimed_folder

__all__ = ["Experiment", "Row", "Session", "stop_together"]

Row = Mapping[str, float]
"""A line of ``metrics.csv``; columns that are left out are empty."""


@dataclass(frozen=True)
class Session:
    """What a runner works with: its folder, who follows it, whether it was stopped before and goes on.

    prepared: what `check` returned. signals: those that came, on several ranks, where work that hears of one alone
    would leave the others waiting (`stop_together`); on one rank a signal ends the work at once.
    """

    folder: Path
    watcher: Watcher
    figures: bool = True
    resumed: bool = False
    prepared: Any = None
    signals: Noted = field(default_factory=Noted)


def _anything_fits(scenario: Any) -> None:
    """Refuse nothing."""


@dataclass(frozen=True)
class Experiment:
    """A kind of scenario, by its work. The fields of :class:`coolgp.scenarios.experiments.kind.Kind`, and:

    rows: does the work, and yields the lines of ``metrics.csv`` as they come; collective under MPI. figures: by the
    names of their files. findings: what the report says. leaves: files that `rows` writes beside ``metrics.csv``, names
    or patterns. check: raises ValueError for settings that do not fit, before any work; what it returns, say data that
    it had to read, is handed to `rows`, and
    its ``opening`` is said before the run. header: the columns of a scenario, where it does not have all.
    """

    name: str
    words: str
    scenario: type[Scenario]
    columns: tuple[str, ...]
    rows: Callable[[Any, Session], Iterator[Row]]
    figures: Mapping[str, Drawing[ExperimentFolder]]
    findings: Callable[[ExperimentFolder], Findings]
    leaves: tuple[str, ...] = ()
    check: Callable[[Any], Any] = _anything_fits
    header: Callable[[Any], tuple[str, ...]] | None = None
    one_process: str = ""

    def start(self, scenario: Scenario, folder: Path, options: Options) -> ExperimentJob:
        """Look at all input. Raises ValueError for a folder that holds something else, and for what does not fit."""
        with ExitStack() as locks:
            locks.enter_context(claimed_folder(folder, overwrite=options.overwrite))
            return replace(self._job(scenario, folder, options), locks=locks.pop_all())

    def resume(self, folder: Path, options: Options) -> ExperimentJob:
        """Start a run again that was stopped; the runner may go on from what it finds in the folder."""
        scenario = read_scenario(folder / "config.toml")
        with ExitStack() as locks:
            locks.enter_context(held(folder))
            return replace(self._job(scenario, folder, options, resumed=True), locks=locks.pop_all())

    def draw(self, folder: Path) -> list[Path]:
        """Draw all figures and write the report, from the run folder alone; their paths."""
        return draw_experiment(folder, self.figures, self.findings, one_process=bool(self.one_process))

    def clear(self, folder: Path) -> None:
        """Remove a run of this kind, and nothing else, from its folder."""
        pictures = [f"{name}.png" for name in self.figures]
        for name in ("config.toml", "env.json", "metrics.csv", "report.html", *pictures, *self.leaves):
            for path in folder.glob(name):
                path.unlink(missing_ok=True)
        for place in {Path(name).parent for name in self.leaves} - {Path()}:
            with suppress(OSError):  # never made, or it holds files of the user's
                (folder / place).rmdir()

    def columns_of(self, scenario: Scenario) -> tuple[str, ...]:
        """The columns of a scenario's ``metrics.csv``."""
        return self.columns if self.header is None else self.header(scenario)

    def _job(self, scenario: Scenario, folder: Path, options: Options, *, resumed: bool = False) -> ExperimentJob:
        check_processes(self, scenario.name, many=launched_size() > 1)
        prepared = self.check(scenario)
        share_cores()
        if launched_size() > 1:
            check_world()
        return ExperimentJob(
            kind=self,
            scenario=scenario,
            folder=folder,
            figures=options.figures,
            resumed=resumed,
            prepared=prepared,
            opening=getattr(prepared, "opening", ""),
        )


@dataclass(frozen=True)
class ExperimentJob:
    """An experiment about to start. closed: the lines on how it ended. locks: its claim on the folder."""

    kind: Experiment
    scenario: Scenario
    folder: Path
    figures: bool
    resumed: bool
    prepared: Any = None
    opening: str = ""
    closed: list[str] = field(default_factory=list)
    locks: ExitStack = field(default_factory=ExitStack)

    def go(self, watcher: Watcher) -> None:
        """Work, and keep the run folder. A signal that stops it says how to start again. Collective."""
        with self.locks:
            self._go(watcher)

    def _go(self, watcher: Watcher) -> None:
        root, started = launched_rank() == 0, perf_counter()
        notes = list(getattr(getattr(self.prepared, "dataset", None), "notes", ()))
        environment = asdict(current_environment(launched_size())) | {"data_notes": notes}
        if root:
            self._begin(environment)
            for note in notes:
                watcher.warn(note)
        try:
            with noted() if launched_size() > 1 else obeyed() as signals:
                for row in self.kind.rows(self.scenario, self._session(watcher, signals)):
                    if root:
                        self._write(row)
        except (KeyboardInterrupt, Terminated) as stop:
            words = f"stopped; start again with: coolgp resume {self.folder}"
            raise (Interrupted if isinstance(stop, KeyboardInterrupt) else Terminated)(words) from stop
        if root:
            spent = {"seconds_total": perf_counter() - started}
            self._environment(environment | {"finished": _now()} | spent)
            self.closed.extend(self._lines())

    def _session(self, watcher: Watcher, signals: Noted) -> Session:
        return Session(
            folder=self.folder,
            watcher=watcher,
            figures=self.figures,
            resumed=self.resumed,
            prepared=self.prepared,
            signals=signals,
        )

    def closing(self) -> list[str]:
        """Where its figures and report are."""
        return self.closed

    def _lines(self) -> list[str]:
        if not self.figures:
            return [f"run folder: {self.folder}"]
        *pictures, report = self.kind.draw(self.folder)
        return [*(f"figure: {path}" for path in pictures), f"report: {report}"]

    def _begin(self, environment: Mapping[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.resumed:
            self.kind.clear(self.folder)
        write_whole(self.folder / "metrics.csv", (",".join(self.kind.columns_of(self.scenario)) + "\n").encode())
        write_whole(self.folder / "config.toml", self.scenario.to_toml().encode())
        self._environment({**environment, "finished": None})

    def _write(self, row: Row) -> None:
        path = self.folder / "metrics.csv"
        with naming(path), path.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, self.kind.columns_of(self.scenario), lineterminator="\n").writerow(row)

    def _environment(self, contents: Mapping[str, Any]) -> None:
        write_whole(self.folder / "env.json", json.dumps(contents, indent=2).encode())


def stop_together(signals: Noted, transport: Transport) -> None:
    """Stop all ranks where a signal came to one: a rank that stops alone leaves the others waiting. Collective."""
    counts = transport.total(np.array(signals.counts))
    if counts.any():
        raise stopped(int(counts[0]), "stopped")


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
