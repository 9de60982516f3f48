"""Running a scenario from Python: assemble, go through the rounds, keep a run folder.

The same call runs serially or, in a process that mpiexec started, as one rank of many.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter

from coolgp.network.graphs.topology import Topology
from coolgp.network.launcher import launched_size
from coolgp.scenarios.base.environment import current_environment, share_cores
from coolgp.scenarios.base.lock import held
from coolgp.scenarios.base.signals import Noted, noted
from coolgp.scenarios.config.scenario import DEFAULT_KIND, Scenario
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.planning.limits import admit
from coolgp.scenarios.plots.run_figures import draw_all
from coolgp.scenarios.plots.run_report import write_report
from coolgp.scenarios.records.run_folder import read_run
from coolgp.scenarios.runs.folder import check_folder, remove_run
from coolgp.scenarios.runs.recorder import Recorder, Resumption
from coolgp.scenarios.runs.supervisor import Say, Supervisor, failure_of
from coolgp.scenarios.simulation.assembly import assemble, one_thread
from coolgp.scenarios.simulation.rounds import Record, RunState, Simulation, simulate

__all__ = ["Prepared", "Row", "Watch", "go", "prepare", "run"]

Row = dict[str, float]
"""A round's line of ``metrics.csv``."""
Watch = Callable[[Record, Row], None]


@dataclass(frozen=True)
class Prepared:
    """A run about to start, or to go on: everything that can be wrong with the input was looked at.

    run_state: where to go on, None for the beginning. resumption: where the folder holds the first rounds of the run.
    notes: what the user should know of that. locks: what is released when the run ends, the lock on its folder.
    """

    simulation: Simulation
    folder: Path | None
    figures: bool
    started: float
    run_state: RunState | None = None
    resumption: Resumption | None = None
    notes: tuple[str, ...] = ()
    locks: ExitStack = field(default_factory=ExitStack)


def run(
    scenario: Scenario,
    out: str | Path | None = None,
    *,
    overwrite: bool = False,
    figures: bool = True,
    dataset: Dataset | None = None,
    topology: Topology | None = None,
    watch: Watch | None = None,
    anyway: bool = False,
) -> list[Record]:
    """Run a scenario; the records of its rounds, on the root rank (an empty list on the others).

    out: folder for tables and model, and unless ``figures`` is False for figures and report; nothing is written where
    it is None. dataset, topology: in place of what the scenario names. watch: called after each round with its record
    and, with ``out``, its row of metrics. Only the last record keeps what the probes said: the others would grow
    without bound; ``watch`` sees them all. anyway: try also what needs more memory than there is.

    Under mpiexec start your script with ``python -m mpi4py``, so that a failing rank ends the job. Raises ValueError
    for settings, data or a graph that do not fit, before the first round and before MPI starts; NoRoom, which is one,
    for a run that would not fit into memory.

    With ``out`` Ctrl-C ends the run after a round and a checkpoint, with KeyboardInterrupt; SIGTERM does, with
    SystemExit. Raises ValueError too where the folder cannot be written to any more.
    """
    prepared = prepare(
        scenario, out, overwrite=overwrite, figures=figures, dataset=dataset, topology=topology, anyway=anyway
    )
    return go(prepared, watch)


def prepare(
    scenario: Scenario,
    out: str | Path | None = None,
    *,
    overwrite: bool = False,
    figures: bool = True,
    dataset: Dataset | None = None,
    topology: Topology | None = None,
    anyway: bool = False,
) -> Prepared:
    """Look at all input and put the run together; arguments and errors as in :func:`run`."""
    folder, started = None if out is None else Path(out), perf_counter()
    _check_kind(scenario)
    if folder is not None:
        check_folder(folder, overwrite=overwrite)
        with held(folder):
            pass  # nobody is at work on what would be overwritten
    share_cores()
    with one_thread():
        admitted = admit(scenario, launched_size(), dataset, topology, anyway=anyway)
        simulation = assemble(scenario, admitted.dataset, topology, launched_size(), network=admitted.network)
    return Prepared(simulation=simulation, folder=folder, figures=figures, started=started)


def _check_kind(scenario: Scenario) -> None:
    if scenario.kind != DEFAULT_KIND:
        raise ValueError(
            f'{scenario.name}: is of the kind "{scenario.kind}", which has no rounds of learning: start it with '
            "coolgp.run or coolgp run"
        )


def warn(words: str) -> None:
    """Say something to a user of Python."""
    warnings.warn(words, RuntimeWarning, stacklevel=2)


def go(prepared: Prepared, watch: Watch | None = None, say: Say = warn) -> list[Record]:
    """Go through the rounds of a prepared run, keep its folder; its records as in :func:`run`.

    say: called on the root with what goes wrong without ending the run.
    """
    with prepared.locks:
        return _go(prepared, watch, say)


def _go(prepared: Prepared, watch: Watch | None, say: Say) -> list[Record]:
    simulation, root = prepared.simulation, prepared.simulation.transport.root
    spent = {"setup": perf_counter() - prepared.started}
    for note in prepared.notes if root else ():
        say(note)
    if prepared.folder is None:
        return _rounds(prepared, watch, None, None)
    recorder = _recorder(prepared, prepared.folder) if root else None
    for note in recorder.notes if recorder else ():
        say(note)
    if prepared.resumption is None:
        prepared.locks.enter_context(held(prepared.folder))
    supervisor = Supervisor(prepared.folder, simulation, recorder, say)
    records = _rounds(prepared, watch, recorder, supervisor)
    spent["total"] = perf_counter() - prepared.started
    supervisor.finish(failure_of(lambda: recorder.finish(records[-1], spent)) if recorder else "")
    if recorder and prepared.figures:
        finished = read_run(recorder.folder)
        write_report(finished, draw_all(finished))
    return records


def _recorder(prepared: Prepared, folder: Path) -> Recorder:
    environment = current_environment(prepared.simulation.transport.ranks)
    if prepared.resumption is None:
        remove_run(folder)
    return Recorder(folder, prepared.simulation, environment, prepared.resumption)


def _rounds(
    prepared: Prepared, watch: Watch | None, recorder: Recorder | None, supervisor: Supervisor | None
) -> list[Record]:
    records: list[Record] = []
    with one_thread(), noted() if supervisor else nullcontext(Noted()) as signals:
        for step in simulate(prepared.simulation, prepared.run_state):
            failure = _take(step.record, records, watch, recorder) if step.record else ""
            if supervisor:
                supervisor.between(step.run_state, signals, failure)
    return records


def _take(record: Record, records: list[Record], watch: Watch | None, recorder: Recorder | None) -> str:
    """Keep a round's record, write it, show it; why it could not be written, empty where it could."""
    if records:  # forecasts of all probes: kept for the last round alone
        records[-1] = replace(records[-1], probed=None)
    records.append(record)
    row: Row = {}
    failure = failure_of(lambda: row.update(recorder.write(record))) if recorder else ""
    if watch and not failure:
        watch(record, row)
    return failure
