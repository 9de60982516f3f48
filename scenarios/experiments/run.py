"""Running a scenario of any kind from Python."""

from __future__ import annotations

from pathlib import Path

from coolgp.network.graphs.topology import Topology
from coolgp.scenarios.config.scenario import DEFAULT_KIND, Scenario
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.experiments.kind import Options, Watcher
from coolgp.scenarios.experiments.notebook import notebook_progress
from coolgp.scenarios.experiments.registry import kind_in, start
from coolgp.scenarios.experiments.rounds import ROUNDS, shown_rounds
from coolgp.scenarios.records.run_folder import is_finished
from coolgp.scenarios.runs.go import Watch, warn
from coolgp.scenarios.runs.result import RunResult
from coolgp.scenarios.runs.run import resume as resume_rounds
from coolgp.scenarios.runs.run import run as run_rounds

__all__ = ["resume", "run"]


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
    """Run a scenario; its result on the root rank: a list of the records of its rounds (empty on other ranks), which
    also has ``metrics`` and ``probes`` as tables, ``predict``, ``plot``, ``report``, and shows itself in a notebook.

    out: folder for tables and model, and unless ``figures`` is False for figures and report; nothing is written where
    it is None. dataset, topology: in place of what the scenario names. watch: called after each round with its record
    and its row of metrics. Only the last record has the predictions of the probes: the others would grow
    without bound; ``watch`` sees them all. anyway: try also what needs more memory than there is.

    A scenario of another kind than the loop of rounds needs ``out``, has no records, and takes no dataset, topology or
    watch: its results are in its run folder.

    Under mpiexec start your script with ``python -m mpi4py``, so that a failing rank ends the job. Raises ValueError
    for settings, data or a graph that do not fit, before the first round and before MPI starts; NoRoom, which is one,
    for a run that would not fit into memory.

    In a notebook the rounds are shown as they go, unless ``watch`` is given.

    With ``out`` Ctrl-C ends the run after a round and a checkpoint, with KeyboardInterrupt; SIGTERM does, with
    SystemExit. Raises ValueError too where the folder cannot be written to any more.
    """
    if scenario.kind == DEFAULT_KIND:
        return run_rounds(
            scenario,
            out,
            overwrite=overwrite,
            figures=figures,
            dataset=dataset,
            topology=topology,
            watch=watch or shown_rounds(notebook_progress()),
            anyway=anyway,
        )
    _check_arguments(scenario.kind, {"dataset": dataset, "topology": topology, "watch": watch})
    if out is None:
        raise ValueError(f'{scenario.name}: a scenario of the kind "{scenario.kind}" needs out, a folder to write to')
    options = Options(overwrite=overwrite, figures=figures, anyway=anyway)
    start(scenario, Path(out), options).go(Watcher(warn=warn, show=notebook_progress()))
    return RunResult(Path(out))


def resume(
    folder: str | Path,
    *,
    figures: bool = True,
    dataset: Dataset | None = None,
    topology: Topology | None = None,
    watch: Watch | None = None,
    anyway: bool = False,
) -> RunResult:
    """Go on with the run in a folder from its last checkpoint; the records of the remaining rounds, on the root.

    The folder ends as that of a run that nobody stopped. Empty where the run is finished. dataset, topology: as they
    were given to ``run``. Other arguments and errors as there, NoRoom among them; ValueError also for a folder that
    holds no run, and for other data or another graph than the run was started with.
    """
    if is_finished(folder):
        return RunResult(Path(folder))
    kind = kind_in(Path(folder))
    if kind is ROUNDS:
        return resume_rounds(
            folder,
            figures=figures,
            dataset=dataset,
            topology=topology,
            watch=watch or shown_rounds(notebook_progress()),
            anyway=anyway,
        )
    _check_arguments(kind.name, {"dataset": dataset, "topology": topology, "watch": watch})
    kind.resume(Path(folder), Options(figures=figures, anyway=anyway)).go(Watcher(warn=warn, show=notebook_progress()))
    return RunResult(Path(folder))


def _check_arguments(kind: str, arguments: dict[str, object]) -> None:
    """Refuse arguments that only the loop of rounds takes."""
    given = [name for name, value in arguments.items() if value is not None]
    if given:
        raise ValueError(f'{", ".join(given)}: a scenario of the kind "{kind}" takes none: leave it out')
