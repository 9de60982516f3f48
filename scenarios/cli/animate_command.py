"""``coolgp animate``: a run as a moving picture, round by round."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coolgp.scenarios.cli.messages import explained

__all__ = ["ANIMATE_EXAMPLES", "animate"]

ANIMATE_EXAMPLES = (
    "Examples:  coolgp animate runs/mine   |   coolgp animate runs/mine --what network --out network.html   |   "
    "coolgp run field --set run.keep_predictions=true --out runs/field; coolgp animate runs/field --out field.html"
)


def animate(
    run_folder: Annotated[Path, typer.Argument(help="The folder of a finished run.")],
    what: Annotated[
        str | None, typer.Option(help="road, field, network or errors. Default: the first that the run allows.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="A .gif, .mp4 or .html file. Default: <what>.gif in RUN.")] = None,
    fps: Annotated[float | None, typer.Option(min=0.1, max=60, help="Rounds shown in a second.")] = None,
) -> None:
    """Draw a run round by round: what an agent knows, the network with who is away, errors as they fall."""
    from coolgp.scenarios.config.scenario import DEFAULT_KIND
    from coolgp.scenarios.experiments.registry import kind_in
    from coolgp.scenarios.plots.animations.animate import animate as draw  # draws
    from coolgp.scenarios.records.frames import FRAMES, frame_paths
    from coolgp.scenarios.records.run_folder import read_run

    with explained():
        kind = kind_in(run_folder).name
        if kind != DEFAULT_KIND:
            raise ValueError(
                f'{run_folder}: is a run of the kind "{kind}"; animations are of runs in which agents learn numbers: '
                "its figures and its report are in the folder"
            )
        typer.echo(draw(read_run(run_folder), what, out, fps))
    if what is None and not frame_paths(run_folder / FRAMES):
        typer.echo(
            "What an agent knows is drawn of runs on two inputs, or roads, with --set run.keep_predictions=true.",
            err=True,
        )
