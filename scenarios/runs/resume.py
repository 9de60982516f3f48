"""Going on with a run that was stopped or killed, on any number of ranks, as if nothing had happened."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from time import perf_counter

from coolgp.network.graphs.topology import Topology
from coolgp.network.launcher import launched_size
from coolgp.scenarios.base.environment import share_cores
from coolgp.scenarios.base.lock import held
from coolgp.scenarios.config.loading import read_scenario
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.planning.limits import admit
from coolgp.scenarios.records.run_folder import is_finished
from coolgp.scenarios.runs.checkpoint import load
from coolgp.scenarios.runs.recorder import Resumption
from coolgp.scenarios.runs.run import Prepared, Watch, go
from coolgp.scenarios.simulation.assembly import assemble, one_thread
from coolgp.scenarios.simulation.rounds import Record

__all__ = ["prepare_resume", "resume"]


def resume(
    folder: str | Path,
    *,
    figures: bool = True,
    dataset: Dataset | None = None,
    topology: Topology | None = None,
    watch: Watch | None = None,
    anyway: bool = False,
) -> list[Record]:
    """Go on with the run in a folder from its last checkpoint; the records of the remaining rounds, on the root.

    The folder ends as that of a run that nobody stopped. Empty where the run is finished. dataset, topology: as they
    were given to ``run``. Other arguments and errors as there, NoRoom among them; ValueError also for a folder that
    holds no run, and for other data or another graph than the run was started with.
    """
    if is_finished(folder):
        return []
    prepared = prepare_resume(folder, figures=figures, dataset=dataset, topology=topology, anyway=anyway)
    return go(prepared, watch)


def prepare_resume(
    folder: str | Path,
    *,
    figures: bool = True,
    dataset: Dataset | None = None,
    topology: Topology | None = None,
    anyway: bool = False,
) -> Prepared:
    """Put a run together again where its last checkpoint left it; arguments and errors as in :func:`resume`."""
    folder, started = Path(folder), perf_counter()
    scenario = read_scenario(folder / "config.toml")
    share_cores()
    with one_thread(), ExitStack() as locks:
        locks.enter_context(held(folder))
        admitted = admit(scenario, launched_size(), dataset, topology, anyway=anyway)
        simulation = assemble(scenario, admitted.dataset, topology, launched_size(), network=admitted.network)
        taken = load(folder, simulation)
        run_state = taken.run_state
        resumption = Resumption(run_state.turn if run_state else 0, taken.tables)
        return Prepared(
            simulation=simulation,
            folder=folder,
            figures=figures,
            started=started,
            run_state=run_state,
            resumption=resumption,
            notes=taken.messages,
            locks=locks.pop_all(),
        )
