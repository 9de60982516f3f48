"""A figure of a run as an entry of a table: how it is drawn, its caption, and what it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from coolgp.scenarios.base.formatting import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Drawing", "Drawn", "draw_figures", "not_drawn"]


class Drawn(Protocol):
    """A run folder that was read."""

    @property
    def path(self) -> Path:
        """Of the folder."""

    @property
    def metrics(self) -> Mapping[str, Any]:
        """Columns of ``metrics.csv``."""


Folder = TypeVar("Folder", bound=Drawn)


@dataclass(frozen=True)
class Drawing(Generic[Folder]):
    """A figure, drawn from the run folder alone.

    draw: in the style in force; None where the figure would say nothing of this run. caption: in the report. when: for
    the documentation, which runs have it. needs: the columns of ``metrics.csv`` without which it cannot be drawn.
    """

    draw: Callable[[Folder], Figure | None]
    caption: str
    when: str = "always"
    needs: tuple[str, ...] = ()


def draw_figures(folder: Folder, figures: Mapping[str, Drawing[Folder]]) -> dict[str, Path]:
    """Draw the figures that the run allows into its folder, each file replaced whole; their paths by name."""
    from coolgp.scenarios.plots.style import house_style, save_picture  # a run without figures reads their names alone

    paths = {}
    with house_style():
        for name, drawing in figures.items():
            if not _lacking(folder, drawing) and (figure := drawing.draw(folder)) is not None:
                paths[name] = folder.path / f"{name}.png"
                save_picture(figure, paths[name])
    return paths


def not_drawn(folder: Folder, figures: Mapping[str, Drawing[Folder]]) -> list[str]:
    """Which figures cannot be drawn because another version wrote the run, a sentence each."""
    lacking = {name: _lacking(folder, drawing) for name, drawing in figures.items()}
    return [
        f"The figure {name} is not drawn: metrics.csv lacks {counted(len(columns), 'column')} ({', '.join(columns)})."
        for name, columns in lacking.items()
        if columns
    ]


def _lacking(folder: Folder, drawing: Drawing[Folder]) -> list[str]:
    return [name for name in drawing.needs if name not in folder.metrics]
