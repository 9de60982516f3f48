"""Going through the rounds of a run that was put together, and keeping its folder."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, cast

from coolgp.scenarios.base.environment import current_environment
from coolgp.scenarios.base.signals import Noted, noted
from coolgp.scenarios.metrics.column import METRICS
from coolgp.scenarios.runs.recorder import Recorder
from coolgp.scenarios.runs.result import RunResult
from coolgp.scenarios.runs.supervisor import Say, Supervisor, failure_of
from coolgp.scenarios.runs.tabled import TableRows
from coolgp.scenarios.runs.tracking.tracked import tracked
from coolgp.scenarios.simulation.assembly import one_thread
from coolgp.scenarios.simulation.rounds import simulate
from coolgp.scenarios.simulation.state import Record

if TYPE_CHECKING:
    from coolgp.scenarios.runs.prepare import Prepared

__all__ = ["Row", "Watch", "go", "warn"]

Row = dict[str, float]
"""A round's line of ``metrics.csv``."""
Watch = Callable[[Record, Row], None]


def warn(words: str) -> None:
    """Say something to a user of Python."""
    warnings.warn(words, RuntimeWarning, stacklevel=2)


def go(prepared: Prepared, watch: Watch | None = None, say: Say = warn) -> RunResult:
    """Go through the rounds of a prepared run, keep its folder; its result as in `run`.

    say: called on the root with what goes wrong without ending the run.
    """
    simulation, root = prepared.simulation, prepared.simulation.transport.root
    spent = {"setup": perf_counter() - prepared.started}
    for note in (*prepared.notes, *simulation.dataset.notes) if root else ():
        say(note)
    if prepared.folder is None:
        return _rounds(prepared, watch, None, None)
    recorder = _recorder(prepared, prepared.folder) if root else None
    for note in recorder.notes if recorder else ():
        say(note)
    supervisor = Supervisor(prepared.folder, simulation, recorder, say)
    with _tracked(prepared, prepared.folder, watch, say) if root else nullcontext(watch) as seen:
        records = _rounds(prepared, seen, recorder, supervisor)
    spent["total"] = perf_counter() - prepared.started
    supervisor.finish(failure_of(lambda: recorder.finish(records[-1], spent)) if recorder else "")
    return records


@contextmanager
def _tracked(prepared: Prepared, folder: Path, watch: Watch | None, say: Say) -> Iterator[Watch]:
    """Let the tracker that the scenario names see what `watch` sees."""
    begun = prepared.resumption is not None and prepared.resumption.round > 0
    with tracked(prepared.simulation.scenario, folder, say, resumed=begun) as tell:

        def seen(record: Record, row: Row) -> None:
            tell(row)
            if watch:
                watch(record, row)

        yield seen


def _recorder(prepared: Prepared, folder: Path) -> Recorder:
    environment = current_environment(prepared.simulation.transport.ranks)
    return Recorder(folder, prepared.tabled, environment, prepared.resumption)


def _rounds(
    prepared: Prepared, watch: Watch | None, recorder: Recorder | None, supervisor: Supervisor | None
) -> RunResult:
    simulation = prepared.simulation
    records = RunResult(prepared.folder if simulation.transport.root else None, prepared.tabled)
    rows_of = recorder.write if recorder else prepared.tabled.rows
    with one_thread(), noted() if supervisor else nullcontext(Noted()) as signals:
        for step in simulate(simulation, prepared.run_state):
            failure = _take(step.record, records, watch, rows_of) if step.record else ""
            if supervisor:
                supervisor.between(step.run_state, signals, failure)
    return records


def _take(record: Record, records: RunResult, watch: Watch | None, rows_of: Callable[[Record], TableRows]) -> str:
    """Keep a round's record, write it, show it; why it could not be written, empty where it could."""
    if records:  # forecasts of all probes: kept for the last round alone
        records[-1] = replace(records[-1], probed=None, kept=None)
    rows: TableRows = {}
    failure = failure_of(lambda: rows.update(rows_of(record)))
    records.add(record, rows)
    if watch and not failure:
        watch(record, cast("Row", rows[METRICS][0]))
    return failure
