"""The kinds of scenario there are, and runs of any of them."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from coolgp.network.launcher import launched_rank
from coolgp.scenarios.config.scenario import DEFAULT_KIND, Scenario
from coolgp.scenarios.experiments.apart.kind import EXPERTS
from coolgp.scenarios.experiments.classes.kind import CLASSIFICATION
from coolgp.scenarios.experiments.few_shot.kind import FEW_SHOT
from coolgp.scenarios.experiments.heads.kind import HEADS
from coolgp.scenarios.experiments.kind import Job, Kind, Options, Watcher
from coolgp.scenarios.experiments.newcomers.kind import NEWCOMERS
from coolgp.scenarios.experiments.rounds import ROUNDS
from coolgp.scenarios.experiments.sets.kind import VECTORS
from coolgp.scenarios.experiments.side_by_side import SIDE_BY_SIDE
from coolgp.scenarios.experiments.speed import TIMING
from coolgp.scenarios.runs.supervisor import Say
from coolgp.scenarios.studies.cells import Task

__all__ = ["KINDS", "begin_cell", "kind_in", "start"]

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (ROUNDS, TIMING, SIDE_BY_SIDE, EXPERTS, VECTORS, NEWCOMERS, FEW_SHOT, HEADS, CLASSIFICATION)
}
"""By name; each has its sections in the table of ``config/scenario.py``."""


def start(scenario: Scenario, folder: Path, options: Options) -> Job:
    """Look at all input and put a run together; a run of another kind that it replaces is removed from the folder.

    Raises ValueError for what does not fit. Collective.
    """
    kind: Kind = KINDS[scenario.kind]
    if kind is not ROUNDS and getattr(scenario.run, "tracker", False):
        raise ValueError(f'run.tracker: is told of rounds of learning; the kind "{kind.name}" has none: leave it out')
    earlier: Kind = ROUNDS
    with suppress(ValueError):
        earlier = kind_in(folder)
    job = kind.start(scenario, folder, options)
    if earlier is not kind and launched_rank() == 0:
        earlier.clear(folder)
    return job


def begin_cell(task: Task) -> Callable[[Say], None]:
    """Put a cell of a study together, of whatever kind it is; what brings it to its end. Collective."""
    options = Options(overwrite=True, figures=False)
    if task.progress == "begun":
        job = kind_in(task.place).resume(task.place, options)
    else:
        job = start(task.cell.scenario, task.place, options)
    return lambda warn: job.go(Watcher(warn=warn))


def kind_in(folder: Path) -> Kind:
    """The kind of the run in a folder, by its ``config.toml``; the loop of rounds where there is no such file.

    Raises ValueError where the file cannot be read, or names a kind that there is not.
    """
    path = folder / "config.toml"
    if not path.is_file():
        return ROUNDS
    try:
        name = tomllib.loads(path.read_text(encoding="utf-8")).get("kind", DEFAULT_KIND)
    except (OSError, ValueError) as problem:
        raise ValueError(f"{folder} is not a run folder: config.toml cannot be read: {problem}") from problem
    if name not in KINDS:
        raise ValueError(f'{path}: needed a kind of {" | ".join(KINDS)}; got "{name}"')
    return KINDS[name]
