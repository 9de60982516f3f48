"""Rounds as events for TensorBoard, in the folder ``tensorboard`` of the run folder."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from coolgp.scenarios.runs.tracking.tracker import TrackerKind

__all__ = ["EVENTS", "TENSORBOARD"]

EVENTS = "tensorboard"
"""Where events are written, in the run folder."""


class TensorBoardEvents:
    """A file of events; each column of metrics.csv is a scalar."""

    def __init__(self, writer: Any) -> None:
        self.writer = writer

    def row(self, number: int, values: Mapping[str, float]) -> None:
        """Add a scalar for each column."""
        for name, value in values.items():
            self.writer.add_scalar(name, value, number)
        self.writer.flush()

    def end(self) -> None:
        """Close the file."""
        self.writer.close()


def start(name: str, settings: Mapping[str, Any], folder: Path) -> TensorBoardEvents:
    """Begin a file of events, with the settings as text."""
    writer = import_module("tensorboardX").SummaryWriter(str(folder / EVENTS))
    lines = "\n".join(f"    {key} = {value}" for key, value in settings.items())  # indented: Markdown leaves it alone
    writer.add_text(name, lines)
    return TensorBoardEvents(writer)


TENSORBOARD = TrackerKind(start, module="tensorboardX", extra="tensorboard")
