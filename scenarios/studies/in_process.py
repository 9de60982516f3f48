"""The cells of a study run one after another in this process, under mpiexec on all its ranks."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from coolgp.scenarios.runs.go import warn
from coolgp.scenarios.runs.prepare import prepare, prepare_resume
from coolgp.scenarios.runs.run import complete
from coolgp.scenarios.runs.supervisor import Say
from coolgp.scenarios.studies.cells import Ended, Runner, Seen, Task, run_cells
from coolgp.scenarios.studies.claims import alone
from coolgp.scenarios.studies.folder import open_study
from coolgp.scenarios.studies.study import Study

__all__ = ["Begin", "begin_rounds", "here", "run_study"]

Begin = Callable[[Task], Callable[[Say], object]]
"""Puts a cell together, and returns what brings it to its end: both collective."""


def run_study(study: Study, folder: Path, *, overwrite: bool = False, seen: Seen | None = None) -> list[dict[str, Any]]:
    """Run the cells that are not finished yet; the table, a row for each cell, on the root (else empty). Collective.

    Raises ValueError for a folder that holds something else, and for what ends a run.
    """
    with alone(study, folder):
        return run_cells(study, folder, open_study(study, folder, overwrite=overwrite), here(), seen).table()


def begin_rounds(task: Task) -> Callable[[Say], object]:
    """Put a cell that is a loop of rounds together; what brings it to its end. Collective."""
    if task.progress == "begun":
        prepared = prepare_resume(task.place, figures=False)
    else:
        prepared = prepare(task.cell.scenario, task.place, overwrite=True, figures=False)
    return lambda say: complete(prepared, say=say)


def here(
    begin: Begin = begin_rounds,
    guarded: Callable[[], AbstractContextManager[object]] = nullcontext,
    say: Say = warn,
) -> Runner:
    """Runs cells one after another in this process, under mpiexec on all its ranks; what ends a run ends the study.

    begin: puts a cell together, and returns what brings it to its end. guarded: the context in which it does so, where
    the caller can word what is wrong with its input. say: called on the root with what goes wrong without ending a run.
    """

    def ends(tasks: Sequence[Task]) -> Generator[Ended, None, None]:
        heard = _once(say)
        for task in tasks:
            if task.progress != "finished":
                with guarded():
                    finish = begin(task)
                finish(heard)
            yield Ended(task.number)

    return ends


def _once(say: Say) -> Say:
    """Says the same words once: what is so of a scenario is so of all its cells."""
    said: set[str] = set()

    def first_time(words: str) -> None:
        if words not in said:
            said.add(words)
            say(words)

    return first_time
