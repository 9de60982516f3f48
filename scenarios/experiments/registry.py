"""The kinds of scenario there are, and runs of any of them."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from coolgp.network.base.lazy_table import LazyTable
from coolgp.network.launcher import launched_rank
from coolgp.scenarios.config.scenario import DEFAULT_KIND, Scenario
from coolgp.scenarios.experiments.kind import Job, Kind, Options, Watcher
from coolgp.scenarios.experiments.rounds import ROUNDS, Rounds
from coolgp.scenarios.runs.supervisor import Say
from coolgp.scenarios.studies.cells import Task

__all__ = ["KINDS", "begin_cell", "kind_in", "start"]

_HERE = "coolgp.scenarios.experiments"

KINDS: LazyTable[Kind] = LazyTable(
    {
        DEFAULT_KIND: ROUNDS,
        "timing": f"{_HERE}.speed:TIMING",
        "side-by-side": f"{_HERE}.side_by_side:SIDE_BY_SIDE",
        "experts": f"{_HERE}.apart.kind:EXPERTS",
        "vectors": f"{_HERE}.sets.kind:VECTORS",
        "newcomers": f"{_HERE}.newcomers.kind:NEWCOMERS",
        "few-shot": f"{_HERE}.few_shot.kind:FEW_SHOT",
        "heads": f"{_HERE}.heads.kind:HEADS",
        "two-classes": f"{_HERE}.classes.kind:CLASSIFICATION",
    }
)
"""By name; each has its sections in the table of ``config/scenario.py``. A run imports its own kind alone."""


def start(scenario: Scenario, folder: Path, options: Options) -> Job:
    """Look at all input and put a run together; a run of another kind that it replaces is removed from the folder.

    Raises ValueError for what does not fit. Collective.
    """
    kind: Kind = KINDS[scenario.kind]
    if not isinstance(kind, Rounds) and getattr(scenario.run, "tracker", False):
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
