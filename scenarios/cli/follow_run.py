"""A run or a study as a person at a terminal follows it: what is known before, how it goes, how it ended."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import TypeAlias

import typer

from coolgp.network.launcher import launched_rank, launched_size
from coolgp.scenarios.base.errors import FoundByAll
from coolgp.scenarios.base.signals import Interrupted, Terminated
from coolgp.scenarios.cli.dashboard import Dashboard, on_terminal
from coolgp.scenarios.cli.messages import explained, say
from coolgp.scenarios.cli.progress import Bar, Lines, progress_for
from coolgp.scenarios.experiments.kind import Job, Stage, Watcher
from coolgp.scenarios.studies.cells import run_cells
from coolgp.scenarios.studies.claims import alone
from coolgp.scenarios.studies.folder import open_study
from coolgp.scenarios.studies.in_process import Begin, here
from coolgp.scenarios.studies.study import Cell, Study, cell_words

__all__ = ["follow_run", "follow_study"]

Start: TypeAlias = Callable[[Callable[[Stage], None]], Job]
"""Puts a run together, and shows the stages of that."""


def follow_run(start: Start, *, live: bool = False) -> None:
    """Start a run of any kind, follow it, say how it ended; where a signal stopped the run, how to go on.

    live: with a dashboard, on a terminal.
    """
    with _stopped(str):
        job = _followed(start, Dashboard() if live and on_terminal() else progress_for())
    for line in job.closing() if launched_rank() == 0 else ():
        print(line)


def _followed(start: Start, shown: Dashboard | Bar | Lines) -> Job:
    with shown if launched_rank() == 0 else nullcontext() as progress:
        with explained():
            job = start(progress or (lambda stage: None))
        if launched_rank() == 0 and job.opening:
            print(job.opening, flush=True)
        # Of many ranks one that fails ends the job, unless all agree on it.
        with explained() if launched_size() == 1 else explained((FoundByAll,)):
            watcher = Watcher(say=_print_now, warn=_warn)
            job.go(Watcher(watcher.say, watcher.warn, progress) if progress else watcher)
        return job


def follow_study(study: Study, folder: Path, begin: Begin, *, overwrite: bool, figures: bool) -> None:
    """Run the cells of a study, one line each; where a signal stopped it, how to go on.

    begin: puts a cell together, and returns what brings it to its end.
    """
    locks = ExitStack()
    with explained():
        locks.enter_context(alone(study, folder))
        progress = open_study(study, folder, overwrite=overwrite)

    def line(number: int, cell: Cell, last: Mapping[str, float], finished_before: bool) -> None:
        print(cell_words(study, number, cell, last, finished_before), file=sys.stderr, flush=True)

    words = f"stopped; go on with the same command and --out {folder}"
    with locks, _stopped(lambda stop: words), explained() if launched_size() == 1 else nullcontext():
        rows = run_cells(study, folder, progress, here(begin, explained, _warn), line).rows
        if rows:
            print(f"{study.name}: {len(rows)} runs; table: {folder / 'study.csv'}")
        if rows and figures:
            from coolgp.scenarios.studies.report import report_study  # drawing loads only for what draws

            print("\n".join(report_study(study, folder)))


@contextmanager
def _stopped(words: Callable[[BaseException], str]) -> Iterator[None]:
    """Say how to go on where a signal stopped the work, and exit with the code that a shell expects."""
    try:
        yield
    except (Interrupted, Terminated) as stop:
        if launched_rank() == 0:
            say(words(stop))
        raise typer.Exit(int(str(stop.code))) from None


def _print_now(words: str) -> None:
    print(words, flush=True)


def _warn(words: str) -> None:
    say(f"warning: {words}")
