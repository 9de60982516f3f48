"""Running the loop of rounds from Python: put it together, go through the rounds, draw what it shows.

The same call runs serially or, in a process that mpiexec started, as one rank of many.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from coolgp.network.graphs.topology import Topology
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.records.run_folder import is_finished
from coolgp.scenarios.runs.drawn import draw_run
from coolgp.scenarios.runs.go import Watch, go, warn
from coolgp.scenarios.runs.prepare import Prepared, prepare, prepare_resume
from coolgp.scenarios.runs.removal import remove_run
from coolgp.scenarios.runs.result import RunResult
from coolgp.scenarios.runs.supervisor import Say

__all__ = ["NUMBERS", "Output", "complete", "resume", "run"]


@dataclass(frozen=True)
class Output:
    """What becomes of a run's folder, by what agents learn.

    draw: the figures and the report of a finished run, from its folder alone; their paths. clear: removes a run, and
    nothing else, from its folder.
    """

    draw: Callable[[Path], list[Path]]
    clear: Callable[[Path], None]


NUMBERS = Output(draw_run, remove_run)
"""Of agents that learn numbers."""


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
) -> RunResult:
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
) -> RunResult:
    """Go on with a loop of rounds; arguments, records and errors as in `coolgp.resume`."""
    if is_finished(folder):
        return RunResult(Path(folder))
    prepared = prepare_resume(folder, figures=figures, dataset=dataset, topology=topology, anyway=anyway)
    return complete(prepared, watch)


def complete(prepared: Prepared, watch: Watch | None = None, say: Say = warn, output: Output = NUMBERS) -> RunResult:
    """Bring a prepared run to its end, in a folder without anything of an earlier one; its records as in `run`.

    say: called on the root with what goes wrong without ending the run. Collective.
    """
    folder = prepared.folder if prepared.simulation.transport.root else None
    with prepared.locks:
        if folder and prepared.resumption is None:
            output.clear(folder)
        records = go(prepared, watch, say)
        if folder and prepared.figures:
            output.draw(folder)
    return records
