"""A sweep as a person at a terminal follows it: a line for each cell that ends, the table, what failed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import typer

from coolgp.network.launcher import launched_size
from coolgp.scenarios.base.mpiexec import needed_launcher
from coolgp.scenarios.base.signals import Interrupted, Terminated
from coolgp.scenarios.cli.messages import explained, say
from coolgp.scenarios.cli.progress import cells_progress
from coolgp.scenarios.studies.cells import run_cells
from coolgp.scenarios.studies.claims import alone, begin_shared
from coolgp.scenarios.studies.comparison import compared, read_runs
from coolgp.scenarios.studies.comparison_table import final_rows, print_table
from coolgp.scenarios.studies.folder import FAILED, Progress, Results, open_study
from coolgp.scenarios.studies.processes import Children
from coolgp.scenarios.studies.report import report_study
from coolgp.scenarios.studies.study import Cell, Study, cell_words

__all__ = ["How", "follow_sweep", "sweep_folder"]


@dataclass(frozen=True)
class How:
    """How a sweep is run. jobs: cells at a time; ranks: MPI ranks of each; fail_fast: stop at the first failure."""

    jobs: int = 1
    ranks: int = 1
    fail_fast: bool = False
    overwrite: bool = False
    figures: bool = True


def sweep_folder(study: Study) -> Path:
    """``runs/sweep-<name>-<hash of the grid>``: the same command finds its folder again."""
    return Path("runs") / f"sweep-{study.name}-{hashlib.sha256(study.text.encode()).hexdigest()[:8]}"


def follow_sweep(study: Study, folder: Path, how: How) -> None:
    """Run the cells of a sweep in processes of their own; exit code 1 where cells failed, 130 after Ctrl-C."""
    with explained():
        _check(how)
        with alone(study, folder, "sweep") if how.overwrite else nullcontext():
            progress = open_study(study, folder, overwrite=True) if how.overwrite else begin_shared(study, folder)
            results = _run(study, folder, progress, how)
            _conclude(results, how)
    if results.failures:
        raise typer.Exit(1)


def _check(how: How) -> None:
    if launched_size() > 1:
        raise ValueError("a sweep starts its own processes: leave mpiexec out; --ranks gives each cell so many ranks")
    if how.ranks > 1:
        needed_launcher(how.ranks)


def _run(study: Study, folder: Path, progress: Sequence[Progress], how: How) -> Results:
    done = progress.count("finished")
    try:
        with cells_progress(len(progress), done) as shown:
            if done:
                shown.note(f"{done} of {len(progress)} cells were finished before")

            def seen(number: int, cell: Cell, last: Mapping[str, float], finished_before: bool) -> None:
                if not finished_before:
                    shown.ended(cell_words(study, number, cell, last, finished_before))

            def missed(number: int, cell: Cell, why: str) -> None:
                shown.ended(f"run {number + 1}/{len(study.cells)}: {cell.words}: failed: {why.splitlines()[0]}")

            runner = Children(folder, how.jobs, how.ranks, shown.note, shown.running, shared=not how.overwrite)
            begun = not how.overwrite
            return run_cells(study, folder, progress, runner, seen, missed, fail_fast=how.fail_fast, begun=begun)
    except (Interrupted, Terminated) as stop:
        say(f"stopped; go on with the same command (its cells are in {folder})")
        raise typer.Exit(int(str(stop.code))) from None


def _conclude(results: Results, how: How) -> None:
    study, folder = results.study, results.folder
    if results.rows:
        places = [folder / "cells" / study.cells[number].folder for number in sorted(results.rows)]
        comparison = compared(read_runs(places)[0])
        print_table(comparison, final_rows(comparison))
        print(f"{study.name}: {len(results.rows)} of {len(study.cells)} cells finished; table: {folder / 'study.csv'}")
    if how.figures and len(results.rows) == len(study.cells):
        print("\n".join(report_study(study, folder)))
    reasons = dict[str, list[str]]()
    for number, why in sorted(results.failures.items()):
        reasons.setdefault(why, []).append(study.cells[number].folder)
    for why, names in reasons.items():
        say(f"failed: {', '.join(names)}: {why}")
    if results.failures:
        cells = folder / "cells" / "*" / FAILED
        early = "; stopped at the first failure" if how.fail_fast else ""
        say(f"{len(results.failures)} failed{early}: the same command tries again; more in {cells}")
