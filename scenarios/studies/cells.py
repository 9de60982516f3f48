"""The cells of a study brought to their ends, and recorded as they end; a runner says where they run."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from coolgp.network.launcher import launched_rank
from coolgp.scenarios.studies.begin import begin
from coolgp.scenarios.studies.folder import Progress, Results
from coolgp.scenarios.studies.study import Cell, Study

__all__ = ["Ended", "Runner", "Seen", "Task", "run_cells"]

Seen = Callable[[int, Cell, Mapping[str, float], bool], None]
"""Called for each cell that finished: its number, what it is, its last row of metrics, whether it had been before."""
Missed = Callable[[int, Cell, str], None]
"""Called for each cell that failed: its number, what it is, and why."""


@dataclass(frozen=True)
class Task:
    """A cell to be brought to its end. place: its run folder; progress: how far it is."""

    number: int
    cell: Cell
    place: Path
    progress: Progress


@dataclass(frozen=True)
class Ended:
    """A cell that ended. failure: why it is not finished; empty where it is."""

    number: int
    failure: str = ""


Runner = Callable[[Sequence[Task]], Generator[Ended, None, None]]
"""Brings cells to their ends, and says of each that it has, in any order; finished ones are among them."""


def run_cells(
    study: Study,
    folder: Path,
    progress: Sequence[Progress],
    runner: Runner,
    seen: Seen | None = None,
    missed: Missed | None = None,
    *,
    fail_fast: bool = False,
    begun: bool = False,
) -> Results:
    """Bring each cell to its end, from where it is, and write the table as they end; empty on other ranks.

    fail_fast: stop the others when one has failed. begun: the folder is that of the study already.
    Collective where the runner is.
    """
    root, results = launched_rank() == 0, Results(study, folder)
    if root and not begun:
        begin(study, folder)
    tasks = [
        Task(number, cell, folder / "cells" / cell.folder, state)
        for number, (cell, state) in enumerate(zip(study.cells, progress, strict=True))
    ]
    with closing(runner(tasks)) as ends:
        for ended in ends:
            if root:
                _take(ended, tasks[ended.number], results, seen, missed)
            if ended.failure and fail_fast:
                break
    results.store()
    return results


def _take(ended: Ended, task: Task, results: Results, seen: Seen | None, missed: Missed | None) -> None:
    if ended.failure:
        results.failed(ended.number, ended.failure)
        if missed:
            missed(ended.number, task.cell, results.failures[ended.number])
        return
    last, finished_before = results.finished(ended.number), task.progress == "finished"
    if not finished_before:
        results.store()
    if seen:
        seen(ended.number, task.cell, last, finished_before)
