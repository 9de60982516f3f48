"""``coolgp fuse``: one model from models that owners hand over as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from coolgp.network.launcher import launched_size
from coolgp.scenarios.cli.messages import explained

if TYPE_CHECKING:
    from coolgp.scenarios.experiments.handed.fuse import FusedFiles, FuseRequest

__all__ = ["FUSE_EXAMPLES", "fuse"]

TABLES = (".csv", ".parquet", ".pq")

FUSE_EXAMPLES = (
    "Examples:  coolgp fuse a.safetensors b.skops c.npz --rule pfnm --graph ring --out fused.safetensors"
    "   |   coolgp fuse a.npz b.npz --shards a.csv b.csv --target label --set fusion.head=refit"
    "   |   coolgp fuse north.skops south.skops --rule spahm --out gp.skops"
    "   |   coolgp fuse a.skops forest.onnx --rule colbi --inputs unlabelled.csv --out surrogate/"
    "   |   coolgp fuse forest.onnx runs/mine net.npz --rule ensemble --inputs rows.csv --out predictions.csv"
    "   |   coolgp fuse program.toml http://localhost:8000/predict --rule ensemble --inputs rows.csv"
)


def fuse(
    models: Annotated[
        list[str],
        typer.Argument(
            help="Model files (.safetensors, .npz, .skops, .onnx), run folders, descriptions of programs and servers "
            "(.toml) and addresses (http://...), two at least."
        ),
    ],
    rule: Annotated[
        str,
        typer.Option(help="pfnm | average: networks; spahm: sparse GPs; ensemble | cigar | colbi: any models."),
    ] = "pfnm",
    graph: Annotated[
        str | None, typer.Option(help="A graph by name (ring, star, ...) or file: its tree is the order of merging.")
    ] = None,
    shards: Annotated[
        list[Path] | None,
        typer.Option(help="The owners' rows, a CSV or Parquet file for each model, in their order."),
    ] = None,
    target: Annotated[str | None, typer.Option(help="The column of the shards that the models predict.")] = None,
    inputs: Annotated[
        Path | None,
        typer.Option(help="Rows without targets: to predict at (ensemble, cigar), or to ask at (colbi)."),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="SECTION.KEY=VALUE",
            help="Settings of rule, graph and models (experts.); repeatable.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="What is drawn follows from it: graphs, the order of visits.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="File of the fused model (.npz, .safetensors, .skops) or predictions (.csv).")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
) -> None:
    """Fuse trained models that owners hand over as files, with a card beside the result that says from what it is."""
    with explained():
        from coolgp.scenarios.experiments.handed.fuse import FuseRequest, fuse_files  # scikit-learn loads only here

        if launched_size() > 1:
            raise ValueError("coolgp fuse runs in one process: start it without mpiexec")
        tables = _tables(models, shards or [])
        request = FuseRequest(
            models=[path for path in models if not _is_table(path)],
            rule=rule,
            graph=graph,
            items=set_ or [],
            shards=tables,
            inputs=inputs,
            target=target,
            seed=seed,
            out=out,
            overwrite=overwrite,
        )
        fused = fuse_files(request)
    _show(request, fused)


def _tables(models: list[str], shards: list[Path]) -> list[Path]:
    """The files of rows: those after one ``--shards`` too, which the command line takes for models."""
    behind = [Path(path) for path in models if _is_table(path)]
    if behind and len(shards) != 1:
        raise ValueError(f"{behind[0]}: is a table and no model; name all tables behind one --shards")
    return [*shards, *behind]


def _is_table(path: str) -> bool:
    return "://" not in path and Path(path).suffix.lower() in TABLES


def _show(request: FuseRequest, fused: FusedFiles) -> None:
    """A table of models before and after, what the rule remarks, and what to do next."""
    from coolgp.scenarios.records.asked import shown_path

    console, outcome = Console(soft_wrap=True, highlight=False), fused.outcome
    table = Table(box=None, padding=(0, 2), show_header=False)
    for path, size in zip(request.models, outcome.sizes, strict=True):
        table.add_row(escape(shown_path(path)), escape(size))
    table.add_row(f"[bold]{escape(str(fused.out))}[/bold]", f"[bold]{escape(outcome.fused_size)}[/bold]")
    console.print(table)
    console.print(f"{request.rule}, {outcome.order}")
    for remark in outcome.remarks:
        console.print(escape(remark))
    console.print(f"card: {escape(str(fused.card))}")
    if fused.out.suffix != ".csv":
        console.print(f'next: coolgp.read_model_file("{escape(str(fused.out))}") in Python, or fuse it again')
