"""Running a scenario from Python: assemble, go through the rounds, keep a run folder.

The same call runs serially or, in a process that mpiexec started, as one rank of many.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

from coolgp.agents.blocks import granted_cores
from coolgp.network.launcher import launched_size, local_size
from coolgp.network.topology import Topology
from coolgp.scenarios.assembly import assemble, one_thread
from coolgp.scenarios.dataset import Dataset
from coolgp.scenarios.environment import current_environment
from coolgp.scenarios.plots import draw_all
from coolgp.scenarios.recorder import Recorder, check_folder
from coolgp.scenarios.report import write_report
from coolgp.scenarios.rounds import Record, Simulation, simulate
from coolgp.scenarios.run_folder import read_run
from coolgp.scenarios.settings import Scenario

__all__ = ["Prepared", "Row", "Watch", "go", "prepare", "run"]

Row = dict[str, float]
"""A round's line of ``metrics.csv``."""
Watch = Callable[[Record, Row], None]


@dataclass(frozen=True)
class Prepared:
    """A run about to start: everything that can be wrong with the input was looked at."""

    simulation: Simulation
    folder: Path | None
    figures: bool
    started: float


def run(
    scenario: Scenario,
    out: str | Path | None = None,
    *,
    overwrite: bool = False,
    figures: bool = True,
    dataset: Dataset | None = None,
    topology: Topology | None = None,
    watch: Watch | None = None,
) -> list[Record]:
    """Run a scenario; the records of its rounds, on the root rank (an empty list on the others).

    out: folder for tables and model, and unless ``figures`` is False for figures and report; nothing is written where
    it is None. dataset, topology: in place of what the scenario names. watch: called after each round with its record
    and, with ``out``, its row of metrics. Only the last record keeps what the probes said: the others would grow
    without bound; ``watch`` sees them all.

    Under mpiexec start your script with ``python -m mpi4py``, so that a failing rank ends the job. Raises ValueError
    for settings, data or a graph that do not fit, before the first round and before MPI starts.
    """
    prepared = prepare(scenario, out, overwrite=overwrite, figures=figures, dataset=dataset, topology=topology)
    return go(prepared, watch)


def prepare(
    scenario: Scenario,
    out: str | Path | None = None,
    *,
    overwrite: bool = False,
    figures: bool = True,
    dataset: Dataset | None = None,
    topology: Topology | None = None,
) -> Prepared:
    """Look at all input and put the run together; arguments and errors as in :func:`run`."""
    folder, started = None if out is None else Path(out), perf_counter()
    if folder is not None:
        check_folder(folder, overwrite=overwrite)
    share_cores()
    with one_thread():
        simulation = assemble(scenario, dataset, topology, launched_size())
    return Prepared(simulation, folder, figures, started)


def go(prepared: Prepared, watch: Watch | None = None) -> list[Record]:
    """Go through the rounds of a prepared run, keep its folder; its records as in :func:`run`."""
    simulation, started = prepared.simulation, prepared.started
    spent, recorder = {"setup": perf_counter() - started}, None
    if prepared.folder is not None and simulation.transport.root:
        environment = current_environment(simulation.transport.ranks, _mpi_text())
        recorder = Recorder(prepared.folder, simulation, environment)
    records: list[Record] = []
    with one_thread():
        for record in simulate(simulation):
            if record is not None:
                if records:  # forecasts of all probes: kept for the last round alone
                    records[-1] = replace(records[-1], probed=None)
                records.append(record)
                row = recorder.write(record) if recorder else {}
                if watch:
                    watch(record, row)
    spent["total"] = perf_counter() - started
    if recorder and records:
        recorder.finish(records[-1], spent)
        if prepared.figures:
            finished = read_run(recorder.folder)
            write_report(finished, draw_all(finished))
    return records


def share_cores() -> None:
    """Give each rank on this machine its share of the cores, unless ``COOLGP_THREADS`` says otherwise."""
    if launched_size() > 1:
        os.environ.setdefault("COOLGP_THREADS", str(max(1, granted_cores() // local_size())))


def _mpi_text() -> str | None:
    if launched_size() == 1:
        return None
    from coolgp.network.mpi import library

    return str(library().Get_library_version()).strip().splitlines()[0]
