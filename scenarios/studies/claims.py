"""Who works on which cell of a study, where several processes, perhaps on several machines, sweep into one folder.

A process claims a cell by a lock beside its folder (:mod:`coolgp.scenarios.base.lock`) while it runs it; others
take other cells. The folder of the study is claimed for a moment by a sweep that begins, and all along by what goes
through its cells alone: a sweep with ``--overwrite``, and a study in one process.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING

from coolgp.scenarios.base.lock import claimed, claimed_file, is_free
from coolgp.scenarios.runs.supervisor import Say
from coolgp.scenarios.studies.begin import begin
from coolgp.scenarios.studies.folder import FAILED, Progress, cell_progress, open_study
from coolgp.scenarios.studies.study import Study

if TYPE_CHECKING:
    from coolgp.scenarios.studies.cells import Task

__all__ = ["Others", "alone", "begin_shared"]

PATIENCE = 5.0
"""Seconds to wait for another sweep that begins in the same folder, which takes a moment."""
LOOK = 0.5
"""Seconds between two looks at cells that others are at work on."""
LAST_ROUND = 60.0
"""Seconds to wait for a run in a cell that nobody sweeps: a child of a sweep that was killed ends its round."""


@contextmanager
def alone(study: Study, folder: Path, what: str = "study") -> Iterator[None]:
    """Claim a study and see that nobody is at work on its cells. Raises ValueError where somebody is."""
    with claimed(folder, what):
        for cell in study.cells:
            place = folder / "cells" / cell.folder
            if place.with_name(f".{cell.folder}.lock").exists():
                with claimed_file(place, f"{folder}: another process sweeps into this folder"):
                    pass
        yield


def begin_shared(study: Study, folder: Path) -> list[Progress]:
    """Make a folder that of a study whose cells are shared with others; how far each is. Raises ValueError."""
    with ExitStack() as claim:
        end = monotonic() + PATIENCE
        while monotonic() < end:
            with suppress(ValueError):
                claim.enter_context(claimed(folder, "sweep"))
                break
            sleep(0.05)
        else:
            claim.enter_context(claimed(folder, "sweep"))
        progress = open_study(study, folder)
        begin(study, folder)
    return progress


class Others:
    """What other processes do with the cells that are still to be run here.

    say: told once that this one waits for them. shared: whether there may be any.
    """

    def __init__(self, tasks: Sequence[Task], say: Say, *, shared: bool) -> None:
        self.say, self.shared, self.said, self.next_look = say, shared, False, 0.0
        self.failed = {task.number: _written(task.place / FAILED) for task in tasks}
        self.busy_since = dict[int, float]()

    def due(self) -> bool:
        """Whether to look again at cells that others had; not all the time, for the folder may be far away."""
        if monotonic() < self.next_look:
            return False
        self.next_look = monotonic() + LOOK
        return True

    def look_again(self) -> None:
        """Look as soon as there is room: not all cells were looked at."""
        self.next_look = 0.0

    def claim(self, task: Task, claim: ExitStack) -> bool:
        """Claim a cell; False where another process sweeps it, or is still at work on its run."""
        try:
            claim.enter_context(claimed_file(task.place, f"{task.place}: another process runs this cell"))
        except ValueError as problem:
            if not self.said:
                words = str(problem).removesuffix(": wait until it has ended, or stop it")
                self.say(f"cells are shared: {words}")
            self.said = True
            return False
        late = monotonic() - self.busy_since.setdefault(task.number, monotonic()) > LAST_ROUND
        return late or is_free(task.place)

    def failure(self, task: Task) -> str | None:
        """Why a claimed cell failed that another process has run meanwhile; empty where it is finished.

        None where it is still to be run.
        """
        if not self.shared:
            return None
        if cell_progress(task.place) == "finished":
            return ""
        failed = task.place / FAILED
        if _written(failed) not in (None, self.failed[task.number]):
            return failed.read_text(encoding="utf-8", errors="replace").strip()
        return None


def _written(path: Path) -> int | None:
    """When a file was written; None where there is none."""
    return path.stat().st_mtime_ns if path.is_file() else None
