"""``coolgp personalise``: a newcomer's model from few rows and from models that owners hand over as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from coolgp.network.launcher import launched_size
from coolgp.scenarios.cli.messages import explained

__all__ = ["PERSONALISE_EXAMPLES", "personalise"]

PERSONALISE_EXAMPLES = (
    "Examples:  coolgp personalise a.skops b.skops c.skops --examples few.csv --target delay --out mine/"
    "   |   coolgp personalise a.npz b.safetensors --examples few.csv --target label --out mine/"
    "   |   coolgp personalise a.skops b.skops c.skops --examples few.csv --target delay --graph owners.graphml"
    "   |   coolgp personalise forest.onnx trees.onnx --examples few.csv --target label --unlabelled rows.csv"
)


def personalise(
    models: Annotated[
        list[str],
        typer.Argument(
            help="Model files (.safetensors, .npz, .skops, .onnx), run folders, descriptions of programs and servers "
            "(.toml) and addresses (http://...), two at least: sparse GPs, networks of one depth, classifiers, or "
            "regressors."
        ),
    ],
    examples: Annotated[Path, typer.Option(help="The newcomer's rows, a CSV or Parquet file: a few are enough.")],
    target: Annotated[str, typer.Option(help="The column of the examples that is to be predicted.")],
    unlabelled: Annotated[
        Path | None,
        typer.Option(
            help="Rows without the target: models that only answer are asked there; of classes, these are predicted."
        ),
    ] = None,
    graph: Annotated[
        str | None,
        typer.Option(help="The owners' graph by name (ring, star, ...) or file: over it their sums travel."),
    ] = None,
    queries: Annotated[
        int | None, typer.Option(help="Rows that a model is asked for at most: experts.queries. Default: 10000.")
    ] = None,
    time_limit: Annotated[float | None, typer.Option(help="Seconds for a call of a model: experts.time_limit.")] = None,
    out: Annotated[
        Path, typer.Option(help="Folder of the model (or the predictions), its report and its card.")
    ] = Path("mine"),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a model that is there.")] = False,
) -> None:
    """Make a model for a new task from few rows and from models of others; what they are decides how."""
    with explained():
        from coolgp.scenarios.experiments.handed.personal import (  # scikit-learn loads only here
            PersonalRequest,
            personalise_files,
        )

        if launched_size() > 1:
            raise ValueError("coolgp personalise runs in one process: start it without mpiexec")
        request = PersonalRequest(
            models=models,
            examples=examples,
            target=target,
            unlabelled=unlabelled,
            graph=graph,
            queries=queries,
            time_limit=time_limit,
            out=out,
            overwrite=overwrite,
        )
        made = personalise_files(request)
    console = Console(soft_wrap=True, highlight=False)
    console.print(escape(str(made.mine.report)))
    for path in made.written:
        console.print(f"written: {escape(str(path))}")
    if made.mine.stored is not None:
        console.print(f'next: coolgp.read_model_file("{escape(str(made.written[0]))}") in Python, or fuse it')
