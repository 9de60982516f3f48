"""The command line: run, list, plot, doctor. A user's mistake is one clear message and exit code 2."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from coolgp.agents.encoding import TRUSTED_SAMPLES
from coolgp.network.launcher import launched_rank, launched_size
from coolgp.scenarios.catalogue import scenario_named
from coolgp.scenarios.launch import LauncherError, check_ranks, first_refusal, launch
from coolgp.scenarios.listing import listing
from coolgp.scenarios.progress import progress_for
from coolgp.scenarios.recorder import check_folder, default_folder
from coolgp.scenarios.rounds import Record
from coolgp.scenarios.settings import Scenario
from coolgp.scenarios.words import size_text

__all__ = ["app", "main", "run_script"]

app = typer.Typer(
    name="coolgp",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Many agents each learn a sparse Gaussian process online, and fuse by messages between neighbours alone.",
    epilog="Examples:  coolgp run airline   |   coolgp run study.toml --ranks 4   |   coolgp list   |   coolgp doctor",
)


@app.command(
    epilog="Examples:  coolgp run airline   |   coolgp run field --agents 50 --out fields/a   |   "
    "coolgp run study.toml --set agents.inducing=200 --set fusion.rule=consensus --ranks 2   |   "
    "mpiexec -n 4 coolgp run airline"
)
def run(
    scenario: Annotated[str, typer.Argument(help="A scenario's name (see `coolgp list`) or a TOML file.")],
    agents: Annotated[int | None, typer.Option(help="Number of agents: agents.count.")] = None,
    rounds: Annotated[str | None, typer.Option(help='Rounds of learning, or "all": run.rounds.')] = None,
    seed: Annotated[int | None, typer.Option(help="Everything random follows from it: run.seed.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Any key of the scenario; repeatable."),
    ] = None,
    ranks: Annotated[int | None, typer.Option(help="MPI ranks; starts mpiexec itself.")] = None,
    out: Annotated[Path | None, typer.Option(help="Run folder. Default: runs/<time>-<name>-<hash>.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a run that --out holds already.")] = False,
    figures: Annotated[bool, typer.Option(help="Draw figures and write the report at the end.")] = True,
) -> None:
    """Run a scenario: learn, fuse, evaluate; leave a run folder with tables, figures, report and model."""
    with explained():
        flags = {"agents.count": agents, "run.rounds": rounds, "run.seed": seed}
        overrides = [f"{key}={value}" for key, value in flags.items() if value is not None] + (set_ or [])
        chosen = scenario_named(scenario, overrides)
        folder = out or default_folder(chosen)
        if check_ranks(ranks):
            check_folder(folder, overwrite=overwrite)
            sets = [part for override in overrides for part in ("--set", override)]
            flagged = [*(["--overwrite"] if overwrite else []), *([] if figures else ["--no-figures"])]
            raise typer.Exit(launch(ranks or 1, ["run", scenario, *sets, "--out", str(folder), *flagged]))
    _run(chosen, folder, overwrite=overwrite, figures=figures)


@app.command("list", epilog="Example:  coolgp list")
def list_() -> None:
    """What there is: scenarios, data sources, fusion rules, graphs, encodings, learning of hyper-parameters."""
    console = Console()
    for title, rows in listing().items():
        console.print(title)
        table = Table(show_header=False, box=None, padding=(0, 2))
        for name, words in rows:
            table.add_row(f"[bold]{name}[/bold]", escape(words))
        console.print(table)
        console.print()


@app.command(epilog="Example:  coolgp plot runs/20260101-120000-airline-1a2b3c4d")
def plot(run_folder: Annotated[Path, typer.Argument(help="A run folder.")]) -> None:
    """Draw the figures and write the report of a run again, from its tables alone."""
    from coolgp.scenarios.plots import draw_all
    from coolgp.scenarios.report import write_report
    from coolgp.scenarios.run_folder import read_run

    with explained():
        folder = read_run(run_folder)
        figures = draw_all(folder)
        for path in (*figures.values(), write_report(folder, figures)):
            print(path)


@app.command(epilog="Example:  coolgp doctor")
def doctor() -> None:
    """Check this installation: MPI and its launcher, BLAS threads, extras; with the fix for each."""
    from coolgp.scenarios.doctor import examine

    table = Table(box=None, padding=(0, 2), show_header=False)
    checks = examine()
    for check in checks:
        mark = {True: "[green]ok[/green]", False: "[red]fix[/red]", None: "[yellow]note[/yellow]"}[check.good]
        table.add_row(
            mark, f"[bold]{check.name}[/bold]", escape(check.found + (f"\n→ {check.fix}" if check.fix else ""))
        )
    Console().print(table)
    if any(check.good is False for check in checks):
        raise typer.Exit(1)


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script. A fusion rule of the user's own may lie in the working folder."""
    sys.path.append(os.getcwd())
    app(arguments)


def run_script(name: str) -> None:
    """What a scenario's file does when it is run by itself: ``coolgp run NAME`` with the command line's options."""
    main(["run", name, *sys.argv[1:]])


@contextmanager
def explained() -> Iterator[None]:
    """Turn what is wrong with the user's input into a message, once for all ranks, and exit code 2."""
    try:
        yield
    except (ValueError, OSError) as problem:
        if _speaks(problem) and str(problem):
            Console(stderr=True, soft_wrap=True, highlight=False).print(f"[red]coolgp:[/red] {escape(_words(problem))}")
        raise typer.Exit(2) from None


def _speaks(problem: ValueError | OSError) -> bool:
    """Whether this rank is the one that says what is wrong: the first of those that found something."""
    if launched_size() == 1 or isinstance(problem, LauncherError):
        return launched_rank() == 0
    try:
        return first_refusal(refused=True) == launched_rank()
    except LauncherError:
        return launched_rank() == 0


def _words(problem: ValueError | OSError) -> str:
    if isinstance(problem, OSError) and problem.filename:
        return f"{problem.filename}: cannot be read or written: {problem.strerror}"
    return str(problem)


def _run(scenario: Scenario, folder: Path, *, overwrite: bool, figures: bool) -> None:
    from coolgp.scenarios.running import go, prepare  # data and figures load only for a run

    started, rows = perf_counter(), list[dict[str, float]]()
    with progress_for() if launched_rank() == 0 else nullcontext() as progress:

        def watch(record: Record, row: dict[str, float]) -> None:
            rows.append(row)
            if progress is not None:
                progress(record, row)

        with explained():
            prepared = prepare(scenario, folder, overwrite=overwrite, figures=figures)
        with explained() if launched_size() == 1 else nullcontext():  # many ranks: a failure ends the job
            records = go(prepared, watch)
    if not records:
        return
    _summary(scenario, rows, folder, perf_counter() - started)
    _warn(scenario, records[-1])


def _warn(scenario: Scenario, last: Record) -> None:
    size = float(last.probed.sample_size.mean()) if last.probed else float("nan")
    if size < TRUSTED_SAMPLES:
        print(
            f"warning: the importance weights have an effective sample size of {size:.2f} of "
            f'{scenario.agents.importance_samples}: old batches count for little; take encoding = "transport"'
        )


def _summary(scenario: Scenario, rows: list[dict[str, float]], folder: Path, seconds: float) -> None:
    last = rows[-1]
    sent = size_text(sum(row["bytes"] for row in rows))
    learning = sum(row["seconds"] for row in rows)
    print(f"{scenario.name}: {last['observations']:,} observations in {len(rows)} rounds, {sent} sent between agents")
    print(f"RMSE before fusion  {_spread(last, 'pre')}  (mean ± std over probe agents)")
    print(f"RMSE after fusion   {_spread(last, 'post')}")
    print(f"took {seconds:.1f} s, of which learning and fusion {learning:.1f} s")
    print(f"report: {folder / 'report.html'}" if (folder / "report.html").exists() else f"run folder: {folder}")


def _spread(row: dict[str, float], when: str) -> str:
    mean, std = row[f"rmse_{when}"], row[f"rmse_{when}_std"]
    return f"{mean:.4g} ± {std if std > 1e-9 * mean else 0.0:.2g}"
