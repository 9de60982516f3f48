"""The command line, its commands and their options.

A mistake is one clear message and exit code 2.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from coolgp.network.launcher import launched_rank, launched_size
from coolgp.scenarios.base.mpiexec import check_ranks, launch
from coolgp.scenarios.cli.animate_command import ANIMATE_EXAMPLES, animate
from coolgp.scenarios.cli.fuse_command import FUSE_EXAMPLES, fuse
from coolgp.scenarios.cli.messages import check_agents, explained, show_table
from coolgp.scenarios.cli.personalise_command import PERSONALISE_EXAMPLES, personalise
from coolgp.scenarios.cli.plan_command import PLAN_EXAMPLES, plan
from coolgp.scenarios.cli.predict_command import PREDICT_EXAMPLES, predict
from coolgp.scenarios.cli.settings_commands import (
    EXPORT_EXAMPLES,
    INIT_EXAMPLES,
    KEYS_EXAMPLES,
    SHOW_EXAMPLES,
    export,
    init,
    keys,
    show,
)
from coolgp.scenarios.cli.study_commands import COMPARE_EXAMPLES, SWEEP_EXAMPLES, compare, sweep
from coolgp.scenarios.config.catalogue import is_study, scenario_named
from coolgp.scenarios.runs.folder import check_folder, default_folder

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
    anyway: Annotated[bool, typer.Option("--anyway", help="Try also what needs more memory than there is.")] = False,
    live: Annotated[bool, typer.Option("--live", help="Follow it on a dashboard in this terminal.")] = False,
) -> None:
    """Run a scenario: learn, fuse, evaluate; leave a run folder with tables, figures, report and model."""
    from coolgp.scenarios.cli.follow_run import follow_run, follow_study  # data and figures load only for a run
    from coolgp.scenarios.experiments.kind import Options, check_processes
    from coolgp.scenarios.experiments.registry import KINDS, begin_cell, start
    from coolgp.scenarios.studies.study import plan_named

    with ExitStack() as place:
        with explained():
            flags = {"agents.count": agents, "run.rounds": rounds, "run.seed": seed}
            overrides = [f"{key}={value}" for key, value in flags.items() if value is not None] + (set_ or [])
            chosen = scenario_named(scenario, overrides)
            check_processes(KINDS[chosen.kind], chosen.name, many=launched_size() > 1 or ranks is not None)
            study = plan_named(scenario, overrides) if is_study(scenario) else None
            starts_others = check_ranks(ranks, chosen.agent_count)
            folder = out or place.enter_context(default_folder(chosen))
            if starts_others:
                if study is None:
                    check_folder(folder, overwrite=overwrite)
                sets = [argument for override in overrides for argument in ("--set", override)]
                flags_given = {"--overwrite": overwrite, "--no-figures": not figures, "--anyway": anyway}
                flagged = [flag for flag, given in flags_given.items() if given]
                raise typer.Exit(launch(ranks or 1, ["run", scenario, *sets, "--out", str(folder), *flagged]))
        if study is not None:
            follow_study(study, folder, begin_cell, overwrite=overwrite, figures=figures)
            return
        options = Options(overwrite=overwrite, figures=figures, anyway=anyway)
        follow_run(lambda show: start(chosen, folder, replace(options, show=show)), live=live)


@app.command(
    epilog="Examples:  coolgp resume runs/20260101-120000-airline-1a2b3c4d   |   coolgp resume runs/mine --ranks 4"
)
def resume(
    run_folder: Annotated[Path, typer.Argument(help="The folder of a run that was stopped or killed.")],
    ranks: Annotated[int | None, typer.Option(help="MPI ranks, any number; starts mpiexec itself.")] = None,
    figures: Annotated[bool, typer.Option(help="Draw figures and write the report at the end.")] = True,
    anyway: Annotated[bool, typer.Option("--anyway", help="Try also what needs more memory than there is.")] = False,
    live: Annotated[bool, typer.Option("--live", help="Follow it on a dashboard in this terminal.")] = False,
) -> None:
    """Go on with a run from its last checkpoint, as if nothing had happened."""
    from coolgp.scenarios.cli.follow_run import follow_run
    from coolgp.scenarios.experiments.kind import Options
    from coolgp.scenarios.experiments.registry import kind_in
    from coolgp.scenarios.records.run_folder import is_finished

    with explained():
        finished = is_finished(run_folder)
        if finished and launched_rank() == 0:
            print(f"{run_folder} is finished: there is nothing left to do")
        if not finished and check_ranks(ranks):
            flags = [flag for flag, given in {"--no-figures": not figures, "--anyway": anyway}.items() if given]
            raise typer.Exit(launch(ranks or 1, ["resume", str(run_folder), *flags]))
    if not finished:
        options = Options(figures=figures, anyway=anyway)
        follow_run(lambda show: kind_in(run_folder).resume(run_folder, replace(options, show=show)), live=live)


app.command(epilog=SWEEP_EXAMPLES)(sweep)
app.command(epilog=COMPARE_EXAMPLES)(compare)
app.command(epilog=FUSE_EXAMPLES)(fuse)
app.command(epilog=PERSONALISE_EXAMPLES)(personalise)
app.command(epilog=PREDICT_EXAMPLES)(predict)
app.command(epilog=ANIMATE_EXAMPLES)(animate)
app.command(epilog=INIT_EXAMPLES)(init)
app.command(epilog=KEYS_EXAMPLES)(keys)
app.command(epilog=SHOW_EXAMPLES)(show)
app.command(epilog=EXPORT_EXAMPLES)(export)
app.command(epilog=PLAN_EXAMPLES)(plan)


@app.command("list", epilog="Example:  coolgp list")
def list_() -> None:
    """What there is: scenarios, data sources, fusion rules, graphs, encodings, learning of hyper-parameters."""
    from coolgp.scenarios.cli.listing import listing  # imports all there is to name

    for title, rows in listing().items():
        show_table(title, rows)


@app.command(
    epilog="Examples:  coolgp network airline   |   coolgp network field --agents 1000 --ranks 4 --out graph.png   |   "
    "coolgp network study.toml --set fusion.rule=consensus --set network.loss=0.2"
)
def network(
    scenario: Annotated[str, typer.Argument(help="A scenario's name (see `coolgp list`) or a TOML file.")],
    agents: Annotated[int | None, typer.Option(help="Number of agents: agents.count.")] = None,
    seed: Annotated[int | None, typer.Option(help="Everything random follows from it: run.seed.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Any key of the scenario; repeatable."),
    ] = None,
    ranks: Annotated[int | None, typer.Option(min=1, help="MPI ranks to deal the agents to; none is started.")] = None,
    out: Annotated[Path | None, typer.Option(help="PNG file. Default: network-<name>.png in this folder.")] = None,
) -> None:
    """Draw a scenario's graph, spread over ranks, and say what its fusion rule guarantees and costs there."""
    from coolgp.scenarios.planning.survey import survey, table
    from coolgp.scenarios.planning.survey_figure import draw_survey, picture_path

    with explained():
        flags = {"agents.count": agents, "run.seed": seed}
        overrides = [f"{key}={value}" for key, value in flags.items() if value is not None] + (set_ or [])
        chosen = scenario_named(scenario, overrides)
        check_agents(chosen)
        surveyed = survey(chosen, ranks)
        path = picture_path(surveyed, out)
        draw_survey(surveyed, path)
    rows = Table(show_header=False, box=None, padding=(0, 2))
    for name, words in table(surveyed):
        rows.add_row(f"[bold]{name}[/bold]", escape(words))
    Console().print(rows)
    print(path)


@app.command(epilog="Example:  coolgp plot runs/20260101-120000-airline-1a2b3c4d")
def plot(run_folder: Annotated[Path, typer.Argument(help="A run folder.")]) -> None:
    """Draw the figures and write the report of a run again, from its tables alone."""
    from coolgp.scenarios.experiments.registry import kind_in

    with explained():
        for path in kind_in(run_folder).draw(run_folder):
            print(path)


@app.command(epilog="Example:  coolgp doctor")
def doctor() -> None:
    """Check this installation: MPI and its launcher, BLAS threads, extras; with the fix for each."""
    from coolgp.scenarios.cli.doctor import examine

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
    """The console script. A fusion rule of the user's own may lie in the working folder.

    A stream that cannot show a sign shows a question mark in its place.
    """
    sys.path.append(os.getcwd())
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    app(arguments)


def run_script(name: str) -> None:
    """What a scenario's file does when it is run by itself: ``coolgp run NAME`` with the command line's options."""
    main(["run", name, *sys.argv[1:]])
