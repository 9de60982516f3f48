"""Putting a run together: everything that can be wrong with the input is looked at before the first round."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from coolgp.network.graphs.topology import Topology
from coolgp.network.launcher import launched_size
from coolgp.scenarios.base.environment import share_cores
from coolgp.scenarios.base.lock import held
from coolgp.scenarios.config.loading import read_recorded
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.planning.limits import admit
from coolgp.scenarios.runs.checkpoints.checkpoint import load
from coolgp.scenarios.runs.folder import claimed_folder
from coolgp.scenarios.runs.recorder import Resumption
from coolgp.scenarios.runs.tabled import Tabled, TabledNumbers
from coolgp.scenarios.runs.tracking.tracked import check_tracker
from coolgp.scenarios.simulation.assembly import assemble, one_thread
from coolgp.scenarios.simulation.bound_start import Searching
from coolgp.scenarios.simulation.state import RunState, Simulation

__all__ = ["Prepared", "prepare", "prepare_resume"]


@dataclass(frozen=True)
class Prepared:
    """A run about to start, or to go on: everything that can be wrong with the input was looked at.

    tabled: its records as tables. run_state: where to go on, None for the beginning. resumption: where the folder holds
    the first rounds of the run. notes: what the user should know of that. locks: what is released when the run ends,
    the claim on its folder.
    """

    simulation: Simulation
    tabled: Tabled
    folder: Path | None
    figures: bool
    started: float
    run_state: RunState | None = None
    resumption: Resumption | None = None
    notes: tuple[str, ...] = ()
    locks: ExitStack = field(default_factory=ExitStack)


def prepare(
    scenario: Scenario,
    out: str | Path | None = None,
    *,
    overwrite: bool = False,
    figures: bool = True,
    dataset: Dataset | None = None,
    topology: Topology | None = None,
    anyway: bool = False,
    watch: Searching | None = None,
    tabled: type[Tabled] = TabledNumbers,
) -> Prepared:
    """Look at all input and put the run together; arguments and errors as in `run`.

    watch: called with iterations of the search for the shared start, and how many there are at most. tabled: what
    its records are as tables, by the scenario's kind.
    """
    folder, started = None if out is None else Path(out), perf_counter()
    _check_kind(scenario, tabled.kind)
    check_tracker(scenario)
    share_cores()
    with one_thread(), ExitStack() as locks:
        if folder is not None:
            locks.enter_context(claimed_folder(folder, overwrite=overwrite))
        admitted = admit(scenario, launched_size(), dataset, topology, anyway=anyway)
        simulation = assemble(
            scenario, admitted.dataset, topology, launched_size(), network=admitted.network, watch=watch
        )
        return Prepared(
            simulation=simulation,
            folder=folder,
            figures=figures,
            started=started,
            tabled=tabled(simulation),
            locks=locks.pop_all(),
        )


def prepare_resume(
    folder: str | Path,
    *,
    figures: bool = True,
    dataset: Dataset | None = None,
    topology: Topology | None = None,
    anyway: bool = False,
    watch: Searching | None = None,
    tabled: type[Tabled] = TabledNumbers,
) -> Prepared:
    """Put a run together again where its last checkpoint left it; arguments and errors as in `resume`.

    watch, tabled: as in `prepare`.
    """
    folder, started = Path(folder), perf_counter()
    scenario = read_recorded(folder / "config.toml")
    _check_kind(scenario, tabled.kind)
    check_tracker(scenario)
    share_cores()
    with one_thread(), ExitStack() as locks:
        locks.enter_context(held(folder))
        admitted = admit(scenario, launched_size(), dataset, topology, anyway=anyway)
        simulation = assemble(
            scenario, admitted.dataset, topology, launched_size(), network=admitted.network, watch=watch
        )
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
            tabled=tabled(simulation),
            locks=locks.pop_all(),
        )


def _check_kind(scenario: Scenario, kind: str) -> None:
    if scenario.kind != kind:
        raise ValueError(
            f'{scenario.name}: is of the kind "{scenario.kind}", where "{kind}" was needed: take coolgp.run, or '
            "coolgp.resume"
        )
