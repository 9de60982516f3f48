"""Running the loop of rounds from Python: put it together, go through the rounds, draw what it shows.

The same call runs serially or, in a process that mpiexec started, as one rank of many.
"""

from __future__ import annotations

from pathlib import Path

from coolgp.network.graphs.topology import Topology
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.plots.run_figures import draw_all
from coolgp.scenarios.plots.run_report import write_report
from coolgp.scenarios.records.run_folder import is_finished, read_run
from coolgp.scenarios.runs.go import Watch, go, warn
from coolgp.scenarios.runs.prepare import Prepared, prepare, prepare_resume
from coolgp.scenarios.runs.removal import remove_run
from coolgp.scenarios.runs.supervisor import Say
from coolgp.scenarios.simulation.state import Record

__all__ = ["complete", "draw_run", "resume", "run"]


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
    """Run the loop of rounds; arguments, records and errors as in `coolgp.run`."""
    prepared = prepare(
        scenario, out, overwrite=overwrite, figures=figures, dataset=dataset, topology=topology, anyway=anyway
    )
    return complete(prepared, watch)


def resume(
    folder: str | Path,
    *,
    figures: bool = True,
    dataset: Dataset | None = None,
    topology: Topology | None = None,
    watch: Watch | None = None,
    anyway: bool = False,
) -> list[Record]:
    """Go on with a loop of rounds; arguments, records and errors as in `coolgp.resume`."""
    if is_finished(folder):
        return []
    prepared = prepare_resume(folder, figures=figures, dataset=dataset, topology=topology, anyway=anyway)
    return complete(prepared, watch)


def complete(prepared: Prepared, watch: Watch | None = None, say: Say = warn) -> list[Record]:
    """Bring a prepared run to its end, in a folder without anything of an earlier one; its records as in `run`.

    say: called on the root with what goes wrong without ending the run. Collective.
    """
    folder = prepared.folder if prepared.simulation.transport.root else None
    with prepared.locks:
        if folder and prepared.resumption is None:
            remove_run(folder)
        records = go(prepared, watch, say)
        if folder and prepared.figures:
            draw_run(folder)
    return records


def draw_run(folder: Path) -> list[Path]:
    """Draw all figures of a finished run and write its report, from its folder alone; their paths."""
    read = read_run(folder)
    figures = draw_all(read)
    return [*figures.values(), write_report(read, figures)]
