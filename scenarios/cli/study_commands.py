"""The commands over many runs: ``coolgp sweep`` runs a grid of them, ``coolgp compare`` puts them side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coolgp.scenarios.cli.messages import explained

__all__ = ["COMPARE_EXAMPLES", "SWEEP_EXAMPLES", "compare", "sweep"]

SWEEP_EXAMPLES = (
    "Examples:  coolgp sweep study.toml agents.count=25,50 fusion.rule=tree,none run.seed=0..4 --jobs 2 --out runs/grid"
    "   |   coolgp sweep field run.seed=0..2,7 fusion.rule+fusion.repeat=server+true,server+false"
    "   |   coolgp sweep lossy --jobs 2"
)
COMPARE_EXAMPLES = (
    "Examples:  coolgp compare runs/grid   |   coolgp compare runs/a runs/b --metric nlpd_post --against bytes"
    "   |   coolgp compare runs/grid --by fusion.rule --band ci --out rules.png --table rules.csv"
)


def sweep(
    scenario: Annotated[str, typer.Argument(help="A scenario's name (see `coolgp list`) or a TOML file.")],
    axes: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KEY=A,B,C]...",
            help="What to vary: values as after --set, whole numbers as a..b; K+L=A+1,B+2 for keys that change "
            "together. A study (lossy) brings a grid of its own.",
            show_default=False,
        ),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Cells to run at a time; they share the cores.")] = 1,
    ranks: Annotated[int, typer.Option(min=1, help="MPI ranks of each cell.")] = 1,
    out: Annotated[Path | None, typer.Option(help="Its folder. Default: runs/sweep-<name>-<hash of the grid>.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Any key, the same in all cells; repeatable."),
    ] = None,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop at the first cell that fails.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Run finished cells again, replace other ones.")
    ] = False,
    figures: Annotated[bool, typer.Option(help="Draw the figure of a study at the end.")] = True,
) -> None:
    """Run a scenario over a grid, each cell a run folder; the same command goes on where it was stopped.

    Finished cells are kept, begun ones go on from their checkpoints, failed ones are tried again (exit code 1).
    More values than before extend a sweep.
    """
    from coolgp.scenarios.cli.follow_sweep import How, follow_sweep, sweep_folder
    from coolgp.scenarios.experiments.kind import check_processes
    from coolgp.scenarios.experiments.registry import KINDS
    from coolgp.scenarios.studies.grid import plan_sweep

    with explained():
        study = plan_sweep(scenario, axes or [], set_ or [])
        check_processes(KINDS[study.cells[0].scenario.kind], study.name, many=ranks > 1)
    how = How(jobs=jobs, ranks=ranks, fail_fast=fail_fast, overwrite=overwrite, figures=figures)
    follow_sweep(study, out or sweep_folder(study), how)


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Run folders, and folders of sweeps.")],
    metric: Annotated[
        str, typer.Option(help="A column of metrics.csv. Default: rmse_post, or the first where there is none.")
    ] = "",
    against: Annotated[str, typer.Option(help="rounds | bytes | seconds | observations.")] = "rounds",
    by: Annotated[
        list[str] | None,
        typer.Option(metavar="SECTION.KEY", help="A line for each value of this key, the rest averaged; repeatable."),
    ] = None,
    band: Annotated[str, typer.Option(help="std | minmax | ci (95 %, of the mean).")] = "std",
    out: Annotated[Path | None, typer.Option(help="PNG file. Default: compare-<metric>-<against>.png.")] = None,
    table: Annotated[Path | None, typer.Option(help="CSV file. Default: beside the figure.")] = None,
) -> None:
    """Put many runs into one figure and one table: runs that differ only in their seed are one line with a band."""
    from coolgp.scenarios.studies.compare import compare as compare_runs

    with explained():
        compare_runs(runs, metric, against, by or [], band, out, table)
