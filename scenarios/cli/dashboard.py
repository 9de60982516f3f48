"""A dashboard of a run in the terminal, redrawn in place: errors as they fall, what was sent, the time left."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from math import isfinite
from time import perf_counter
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from coolgp.network.launcher import launched_size
from coolgp.scenarios.base.formatting import number, size_text
from coolgp.scenarios.cli.progress import Pace
from coolgp.scenarios.experiments.kind import Stage
from coolgp.scenarios.metrics.words import alike

__all__ = ["Dashboard", "on_terminal", "sparkline"]

BLOCKS = "▁▂▃▄▅▆▇█"
WIDTH = 32
"""Of lines and of the bar, in characters."""
ERRORS = {"rmse_pre": ("RMSE before fusion", "dark_orange"), "rmse_post": ("RMSE after fusion", "blue")}


def on_terminal() -> bool:
    """Whether there is a terminal to draw on, and one process alone."""
    return sys.stderr.isatty() and launched_size() == 1


class Dashboard:
    """Shows stages; a kind without errors of its own has its words shown in their place."""

    def __init__(self, console: Console | None = None) -> None:
        self.live = Live(Panel("loading data"), console=console or Console(stderr=True), refresh_per_second=8)
        self.pace, self.sent, self.messages = Pace(), 0.0, 0.0
        self.errors: dict[str, list[float]] = {name: [] for name in ERRORS}
        self.last: dict[str, float] = {}

    def __enter__(self) -> Self:
        self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.live.transient = not self.pace.unit  # nothing was reached
        self.live.stop()

    def __call__(self, stage: Stage) -> None:
        """Show a stage."""
        left = self.pace.left(stage, perf_counter())
        self.sent += stage.numbers.get("bytes", 0.0)
        self.messages += stage.numbers.get("messages", 0.0)
        self.last = {name: stage.numbers[name] for name in ERRORS if name in stage.numbers} or self.last
        for name, values in self.errors.items():
            if name in stage.numbers:
                values.append(alike(stage.numbers, name))
        self.live.update(self._panel(stage, left))

    def _panel(self, stage: Stage, left: float) -> Panel:
        rows = Table.grid(padding=(0, 2))
        bar = ProgressBar(total=stage.total, completed=stage.done, width=WIDTH)
        rows.add_row(stage.unit, f"{stage.done} of {stage.total}", bar, f"{left:.0f} s left")
        most = max((value for values in self.errors.values() for value in values if isfinite(value)), default=1.0)
        for name, values in self.errors.items():
            if values:
                words, colour = ERRORS[name]
                line = Text(sparkline(values, most, WIDTH), style=colour)
                rows.add_row(words, number(self.last[name], 4), line, f"first {number(values[0], 4)}")
        if "bytes" in stage.numbers:
            rows.add_row("sent", size_text(self.sent), f"{self.messages:,.0f} messages", "")
        else:
            rows.add_row("", "", Text(stage.words), "")
        return Panel(rows, title="coolgp", expand=False)


def sparkline(values: Sequence[float], most: float, width: int) -> str:
    """Values as blocks, from zero to the highest; of more than fit, the last of every few; a space where there is none.

    >>> sparkline([8.0, 4.0, float("nan"), 0.0], 8.0, width=10), sparkline(range(9), 8.0, width=3)
    ('█▅ ▁', '▃▅█')
    """
    step = -(-len(values) // width) or 1
    shown = list(values)[::-1][::step][::-1]
    top = len(BLOCKS) - 1
    return "".join(BLOCKS[round(top * min(value / (most or 1.0), 1.0))] if isfinite(value) else " " for value in shown)
