"""Many runs in one table: how each line ended, mean and standard deviation over its runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from coolgp.scenarios.base.formatting import size_text
from coolgp.scenarios.metrics.words import described, is_summed
from coolgp.scenarios.studies.bands import final_values, mean_and_std
from coolgp.scenarios.studies.comparison import Comparison

__all__ = ["final_rows", "print_table", "shown_columns"]

SHOWN = ("rmse_post", "nlpd_post", "crps_post", "accuracy_post", "log_loss_post", "calibration_error_post")
"""Shown first, where there are such columns; the widest coverage, bytes and seconds follow."""
FIRST_COLUMNS = 4
"""So many columns are shown of runs that have no such ones."""

LARGE = 10_000
"""Columns of a terminal that no table needs."""


def final_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """A row for each line: what it is, n, how many are unfinished, and of each column mean_ and std_ over its runs.

    Columns are those that all runs have; sums over the rounds for what is counted round by round. std_ is the standard
    deviation (n - 1), None of one run.
    """
    rows = []
    for line in comparison.lines:
        ends = [final_values(run) for run in line.runs]
        row: dict[str, Any] = dict(zip(comparison.keys, line.labels, strict=True))
        row |= {"n": len(ends), "unfinished": line.unfinished}
        for name in comparison.metrics:
            mean, std = mean_and_std(np.array([end[name] for end in ends]))
            row |= {f"mean_{name}": mean, f"std_{name}": None if math.isnan(std) else std}
        rows.append(row)
    return rows


def shown_columns(comparison: Comparison, metric: str = "") -> list[str]:
    """The columns that people look at first."""
    columns = comparison.metrics
    coverages = [name for name in columns if name.startswith("coverage") and name.endswith("_post")]
    scores = [name for name in (*SHOWN, *coverages[-1:]) if name in columns]
    wanted = [metric, *(scores or columns[:FIRST_COLUMNS]), "bytes", "seconds"]
    return list(dict.fromkeys(name for name in wanted if name in columns))


def print_table(comparison: Comparison, rows: Sequence[dict[str, Any]], metric: str = "") -> None:
    """Print the rows of :func:`final_rows`, however wide, and what the numbers are."""
    columns = shown_columns(comparison, metric)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in (*comparison.keys, "n"):
        table.add_column(name, no_wrap=True)
    for name in columns:
        table.add_column(name, no_wrap=True, justify="right")
    for row in rows:
        mark = f" ({row['unfinished']} unfinished)" if row["unfinished"] else ""
        labels = [escape(str(row[key])) for key in comparison.keys]
        table.add_row(*labels, f"{row['n']}{mark}", *(_cell(name, row) for name in columns))
    console = Console()
    wide = Console(width=LARGE).measure(table).maximum
    Console(width=max(console.width, wide)).print(table)
    over = f", n runs that differ in {', '.join(comparison.averaged)}" if comparison.averaged else ""
    summed = [name for name in columns if is_summed(name)]
    sums = f"; sums over all rounds: {', '.join(summed)}" if summed else ""
    words = f"last round; mean ± standard deviation (n - 1){over}{sums}"
    console.print(f"[dim]{words}[/dim]", soft_wrap=True, highlight=False)


def _cell(name: str, row: dict[str, Any]) -> str:
    mean, std = row[f"mean_{name}"], row[f"std_{name}"]
    column = described(name)
    if column and column.unit == "bytes":
        return size_text(mean)
    return f"{mean:.4g}" + ("" if std is None else f" ± {std:.2g}")
