"""``coolgp predict``: what the model of a run, or one in a file, says of the rows of a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coolgp.scenarios.cli.messages import explained, say

__all__ = ["PREDICT_EXAMPLES", "predict"]

PREDICT_EXAMPLES = (
    "Examples:  coolgp predict runs/mine new.csv   |   "
    "coolgp predict runs/mine new.parquet --agent north --out there.csv"
)


def predict(
    model: Annotated[
        Path,
        typer.Argument(
            help="The folder of a finished run, or a model file (.safetensors, .npz, .skops, .onnx): a fused one, say."
        ),
    ],
    table: Annotated[
        Path,
        typer.Argument(help="Rows to predict at, a CSV or Parquet file with the columns that the model learned from."),
    ],
    agent: Annotated[
        str | None, typer.Option(help="Who answers, of a run: the name of a probe. Default: the first of them.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="CSV file of the predictions. Default: <table>-predicted.csv beside the table.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
) -> None:
    """Predict at the rows of a table: mean, standard deviation and 95 % interval of an observation, or classes.

    A line for each row, in the table's order and the target's units. Other columns of the table are not looked at.
    """
    with explained():
        from coolgp.scenarios.base.files import write_table
        from coolgp.scenarios.records.answers import answers

        path = out or table.with_name(f"{table.stem}-predicted.csv")
        if path.exists() and not overwrite:
            raise ValueError(f"{path} is there: give another --out, or --overwrite to replace it")
        found = answers(model, table, agent)
        write_table(path, found.rows)
    for note in found.notes:
        say(f"note: {note}")
    typer.echo(f"{len(found.rows):,} rows: {path}")
