"""What a person sees while a run goes: a bar on a terminal, one plain line every few seconds elsewhere."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from time import perf_counter
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from coolgp.scenarios.experiments.kind import Stage

__all__ = ["Bar", "CellBar", "CellLines", "Lines", "Pace", "cells_progress", "progress_for"]

EVERY_SECONDS = 5.0


def progress_for() -> Bar | Lines:
    """A bar where the error stream is a terminal, plain lines elsewhere (under mpiexec it never is one)."""
    return Bar() if sys.stderr.isatty() else Lines(sys.stderr)


@dataclass
class Pace:
    """How fast stages come. unit: what was counted last: what comes before the rounds is another matter.

    done: steps that this start has seen: a run that goes on did others before.
    """

    begun: float = float("inf")
    unit: str = ""
    done: int = 0

    def left(self, stage: Stage, now: float) -> float:
        """Seconds left after a stage."""
        if stage.unit != self.unit:
            self.unit, self.done, self.begun = stage.unit, 0, float("inf")
        self.done += stage.steps
        self.begun = min(self.begun, now - stage.seconds)
        return (now - self.begun) / self.done * (stage.total - stage.done)


@dataclass
class Lines:
    """Plain lines: the first stage of each unit, the last, and one every few seconds between."""

    stream: TextIO
    last: float = float("-inf")
    pace: Pace = field(default_factory=Pace)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.flush()

    def __call__(self, stage: Stage) -> None:
        """Show a stage."""
        now = perf_counter()
        first = stage.unit != self.pace.unit
        left = self.pace.left(stage, now)
        if not first and now - self.last < EVERY_SECONDS and stage.done < stage.total:
            return
        self.last = now
        print(f"{stage.unit} {stage.done}/{stage.total}: {stage.words}, {left:.0f} s left", file=self.stream)


class Bar:
    """A bar with the round, what it reached and the time left."""

    def __init__(self) -> None:
        columns = (BarColumn(24), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
        self.bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self.task: TaskID | None = None

    def __enter__(self) -> Self:
        self.bar.start()
        self.task = self.bar.add_task("loading data", total=None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()

    def __call__(self, stage: Stage) -> None:
        """Show a stage."""
        assert self.task is not None
        self.bar.update(self.task, total=stage.total, completed=stage.done, description=stage.words)


def cells_progress(total: int, done: int) -> CellBar | CellLines:
    """For the cells of a sweep, so many of them done: lines, and below them a bar on a terminal."""
    return CellBar(total, done) if sys.stderr.isatty() else CellLines(sys.stderr)


@dataclass
class CellLines:
    """A plain line for each cell that ends."""

    stream: TextIO

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.flush()

    def running(self, count: int) -> None:
        """So many cells are running."""

    def note(self, words: str) -> None:
        """Say something else."""
        print(words, file=self.stream, flush=True)

    def ended(self, words: str) -> None:
        """Show that a cell has ended."""
        self.note(words)


class CellBar:
    """The same lines above a bar with the cells that ended and the time left."""

    def __init__(self, total: int, done: int) -> None:
        columns = (BarColumn(24), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
        self.bar = Progress(*columns, console=Console(stderr=True, highlight=False), transient=True)
        self.task = self.bar.add_task("starting", total=total, completed=done)

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def running(self, count: int) -> None:
        """So many cells are running."""
        self.bar.update(self.task, description=f"{count} running")

    def note(self, words: str) -> None:
        """Say something else."""
        self.bar.console.print(escape(words), soft_wrap=True)

    def ended(self, words: str) -> None:
        """Show that a cell has ended."""
        self.note(words)
        self.bar.advance(self.task)
