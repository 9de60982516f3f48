"""A run or a study as a person at a terminal follows it: what is stated_guarantee, how it goes, how it went."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from time import perf_counter

import typer

from coolgp.agents.encoding import TRUSTED_SAMPLES
from coolgp.network.launcher import launched_rank, launched_size
from coolgp.scenarios.base.formatting import size_text, uncovered_words
from coolgp.scenarios.base.signals import Interrupted, Terminated
from coolgp.scenarios.cli.messages import explained, say
from coolgp.scenarios.cli.progress import progress_for
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.records.guarantee import guarantee_words, observed_words
from coolgp.scenarios.records.run_folder import read_metrics
from coolgp.scenarios.runs.guarantee import stated_guarantee
from coolgp.scenarios.runs.run import Prepared, go
from coolgp.scenarios.runs.supervisor import CannotRecord
from coolgp.scenarios.simulation.rounds import Record
from coolgp.scenarios.studies.cells import here, run_cells
from coolgp.scenarios.studies.folder import open_study
from coolgp.scenarios.studies.report import report_study
from coolgp.scenarios.studies.study import Cell, Study, cell_words

__all__ = ["follow_run", "follow_study"]


def follow_run(prepare: Callable[[], Prepared], folder: Path) -> None:
    """Prepare, go through the rounds, say how it went; where a signal stopped the run, how to go on."""
    started = perf_counter()
    try:
        prepared, records = _rounds(prepare)
    except (Interrupted, Terminated) as stop:
        if launched_rank() == 0:
            say(str(stop))
        raise typer.Exit(int(str(stop.code))) from None
    if not records:
        return
    scenario, columns = prepared.simulation.scenario, read_metrics(folder)
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    _summary(scenario, rows, perf_counter() - started)
    print(observed_words(stated_guarantee(prepared.simulation), columns))
    _warn(scenario, records[-1])
    print(f"report: {folder / 'report.html'}" if (folder / "report.html").exists() else f"run folder: {folder}")


def _rounds(prepare: Callable[[], Prepared]) -> tuple[Prepared, list[Record]]:
    with progress_for() if launched_rank() == 0 else nullcontext() as progress:
        with explained():
            prepared = prepare()
        if launched_rank() == 0:
            print(guarantee_words(stated_guarantee(prepared.simulation)), flush=True)
        # Of many ranks one that fails ends the job, unless all agree on it.
        with explained() if launched_size() == 1 else explained((CannotRecord,)):
            return prepared, go(prepared, progress, lambda words: say(f"warning: {words}"))


def follow_study(study: Study, folder: Path, *, overwrite: bool, figures: bool) -> None:
    """Run the cells of a study, one line each; where a signal stopped it, how to go on."""
    with explained():
        progress = open_study(study, folder, overwrite=overwrite)

    def line(number: int, cell: Cell, last: Mapping[str, float], known: bool) -> None:
        print(cell_words(study, number, cell, last, known), file=sys.stderr, flush=True)

    try:
        with explained() if launched_size() == 1 else nullcontext():
            runner = here(explained, lambda words: say(f"warning: {words}"))
            rows = run_cells(study, folder, progress, runner, line).rows
    except (Interrupted, Terminated) as stop:
        if launched_rank() == 0:
            say(f"stopped; go on with the same command and --out {folder}")
        raise typer.Exit(int(str(stop.code))) from None
    if rows:
        print(f"{study.name}: {len(rows)} runs; table: {folder / 'study.csv'}")
        if figures:
            print("\n".join(report_study(study, folder)))


def _warn(scenario: Scenario, last: Record) -> None:
    size = float(last.probed.sample_size.mean()) if last.probed else float("nan")
    if size < TRUSTED_SAMPLES:
        print(
            f"warning: the importance weights have an effective sample size of {size:.2f} of "
            f'{scenario.agents.importance_samples}: old batches count for little; take encoding = "transport"'
        )
    few = uncovered_words(float(last.probed.uncovered.mean()), last.probed.basis.size) if last.probed else ""
    if few:
        print(f"note: {few}")


def _summary(scenario: Scenario, rows: list[dict[str, float]], seconds: float) -> None:
    last = rows[-1]
    sent = size_text(sum(row["bytes"] for row in rows))
    learning = sum(row["seconds"] for row in rows)
    seen = int(last["observations"])
    print(f"{scenario.name}: {seen:,} observations in {last['round']:.0f} rounds, {sent} sent between agents")
    print(f"RMSE before fusion  {_spread(last, 'pre')}  (mean ± std over probe agents)")
    print(f"RMSE after fusion   {_spread(last, 'post')}")
    print(f"took {seconds:.1f} s, of which learning and fusion {learning:.1f} s")


def _spread(row: dict[str, float], when: str) -> str:
    mean, std = row[f"rmse_{when}"], row[f"rmse_{when}_std"]
    return f"{mean:.4g} ± {std if std > 1e-9 * mean else 0.0:.2g}"
