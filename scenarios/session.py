"""Running a scenario from Python: assemble, go through the rounds, keep a run folder.

The same call runs serially or, in a process that mpiexec started, as one rank of many.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from coolgp.network.launcher import launched_rank, launched_size, local_size
from coolgp.network.topology import Topology
from coolgp.scenarios.assembly import assemble, one_thread
from coolgp.scenarios.dataset import Dataset
from coolgp.scenarios.environment import current_environment
from coolgp.scenarios.plots import draw_all
from coolgp.scenarios.recorder import Recorder, check_folder
from coolgp.scenarios.report import write_report
from coolgp.scenarios.rounds import Record, simulate
from coolgp.scenarios.run_folder import read_run
from coolgp.scenarios.settings import Scenario

__all__ = ["Progress", "Watch", "run", "share_cores"]

Progress = dict[str, float]
Watch = Callable[[Record, Progress], None]


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
    and, with ``out``, its row of metrics.

    Raises ValueError for settings, data or a graph that do not fit, before the first round and before MPI starts.
    """
    folder = None if out is None else Path(out)
    if folder is not None and launched_rank() == 0:
        check_folder(folder, overwrite=overwrite)
    share_cores()
    started = perf_counter()
    with one_thread():
        simulation = assemble(scenario, dataset, topology, launched_size())
        recorder, spent = None, {"setup": perf_counter() - started}
        if folder is not None and simulation.transport.root:
            recorder = Recorder(folder, simulation, current_environment(simulation.transport.ranks, _mpi_text()))
        records = []
        for record in simulate(simulation):
            if record is None:
                continue
            records.append(record)
            row = recorder.write(record) if recorder else {}
            if watch:
                watch(record, row)
        spent["total"] = perf_counter() - started
    if recorder and records:
        recorder.finish(records[-1], spent)
        if figures:
            finished = read_run(recorder.folder)
            write_report(finished, draw_all(finished))
    return records


def share_cores() -> None:
    """Give each rank on this machine its share of the cores, unless ``COOLGP_THREADS`` says otherwise."""
    if launched_size() > 1:
        cores = len(os.sched_getaffinity(0))
        os.environ.setdefault("COOLGP_THREADS", str(max(1, cores // local_size())))


def _mpi_text() -> str | None:
    if launched_size() == 1:
        return None
    from coolgp.network.mpi import library

    return str(library().Get_library_version()).strip().splitlines()[0]
