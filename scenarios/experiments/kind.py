"""The contract of a kind of scenario: what the command line, sweeps and comparisons need to know of one.

A kind names its sections, its columns of ``metrics.csv`` and its files, puts a run together (`start`, `resume`), and
draws figures and report again from a run folder. Everything else is the same for all kinds: folder, seeds, checks,
``--out``, ``--overwrite``, progress, `sweep`, `compare`. Most kinds are an
:class:`coolgp.scenarios.experiments.experiment.Experiment`, which leaves only the work itself to be written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

__all__ = ["Job", "Kind", "Options", "Stage", "Watcher", "check_processes"]


@dataclass(frozen=True)
class Options:
    """What the user asked for beside the scenario.

    overwrite: replace what the folder holds. figures: draw figures and write the report at the end. anyway: try also
    what needs more memory than there is. show: who follows stages before the run begins.
    """

    overwrite: bool = False
    figures: bool = True
    anyway: bool = False
    show: Callable[[Stage], None] = lambda stage: None


@dataclass(frozen=True)
class Stage:
    """How far a run is. words: what was reached; steps: how many since the stage before, which took so many seconds.

    unit: what is counted. numbers: of what was reached, by the columns of ``metrics.csv``; empty where a kind has none.
    """

    done: int
    total: int
    words: str
    steps: int = 1
    seconds: float = 0.0
    unit: str = "round"
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Watcher:
    """Who follows a run, on the root rank. say: results; warn: what went wrong without ending the run; show: stages."""

    say: Callable[[str], None] = lambda words: None
    warn: Callable[[str], None] = lambda words: None
    show: Callable[[Stage], None] = lambda stage: None


class Job(Protocol):
    """A run about to start: everything that can be wrong with its input was looked at."""

    @property
    def opening(self) -> str:
        """What is known before the run; empty where there is nothing to say."""

    def go(self, watcher: Watcher) -> None:
        """Run to the end, and keep the run folder. Collective."""

    def closing(self) -> list[str]:
        """Lines on how the run ended. On the root."""


class Kind(Protocol):
    """A way to run scenarios."""

    @property
    def name(self) -> str:
        """As it is written: ``kind = "timing"`` in a TOML file."""

    @property
    def words(self) -> str:
        """What it does, in a line."""

    @property
    def scenario(self) -> type[Any]:
        """The record of its sections, a subclass of `Scenario`: the entry of the kind in ``config/scenario.py``."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Of its ``metrics.csv``, `round` first; what they mean stands in the table of columns."""

    @property
    def one_process(self) -> str:
        """Why a run cannot be spread over MPI ranks; empty where it can."""

    def start(self, scenario: Any, folder: Path, options: Options) -> Job:
        """Look at all input and put a run together. Raises ValueError for what does not fit."""

    def resume(self, folder: Path, options: Options) -> Job:
        """Put a run that was stopped together again. Raises ValueError for what does not fit."""

    def draw(self, folder: Path) -> list[Path]:
        """Draw the figures and write the report of a finished run again, from its tables alone; their paths."""

    def clear(self, folder: Path) -> None:
        """Remove a run of this kind from its folder, and nothing else."""


def check_processes(kind: Kind, name: str, *, many: bool) -> None:
    """Refuse MPI ranks where the kind runs in one process. Raises ValueError.

    name: the scenario's; many: whether ranks were asked for.
    """
    if many and kind.one_process:
        raise ValueError(f"{name}: {kind.one_process}: run it without MPI and without --ranks")
