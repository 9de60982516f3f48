"""Figures as tables: on the screen and in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.results import Result, Row

__all__ = ["digits", "grid", "markdown", "show"]


def grid(rows: Sequence[Row]) -> list[list[str]]:
    """A header and a line a row; columns that say nothing are left out."""
    keys = list(dict.fromkeys(key for row in rows for key in row.case))
    header = [*keys, "who", "what", "median", "spread", "of the limit", "coolgp against it"]
    lines = [
        [str(row.case.get(key, "")) for key in keys]
        + [row.who, "" if row.unit == f"{row.what}/s" else row.what, f"{digits(row.value)} {row.unit}"]
        + [_spread(row), "" if row.of_limit is None else f"{row.of_limit:.0%}", _lead(row, rows)]
        for row in rows
    ]
    filled = [column for column in zip(header, *lines, strict=True) if any(column[1:])]
    return [list(line) for line in zip(*filled, strict=True)]


def markdown(rows: Sequence[Row]) -> str:
    """The grid as a Markdown table."""
    header, *lines = grid(rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in [header, ["---"] * len(header), *lines]) + "\n"


def show(result: Result) -> None:
    """Print a result: the table, the limits, who was left out and why."""
    console = Console()
    console = console if console.is_terminal else Console(width=140)
    table = Table(title=f"{result.benchmark}: {result.machine['cpu']}, {result.date}")
    header, *lines = grid(result.measurement.rows)
    for name in header:
        table.add_column(name, justify="left" if name in ("who", "what") else "right")
    for line in lines:
        table.add_row(*line)
    console.print(table)
    for name, value in result.measurement.limits.items():
        console.print(f"limit {name}: {value / 1e9:.3g} G/s", highlight=False)
    for note in result.measurement.notes:
        console.print(note, highlight=False, markup=False)
    for who, why in result.measurement.skipped.items():
        console.print(f"left out: {who}: {why}", highlight=False, markup=False)


def digits(value: float) -> str:
    """Three digits, thousands apart.

    >>> digits(45123.0), digits(0.001234)
    ('45,100', '0.00123')
    """
    if value == 0 or not 1e-4 <= abs(value) < 1e9:
        return f"{value:.3g}"
    return f"{float(f'{value:.3g}'):,.10g}"


def _spread(row: Row) -> str:
    return f"{digits(row.least)} to {digits(row.most)}" if row.runs > 1 else ""


def _lead(row: Row, rows: Sequence[Row]) -> str:
    """How many times coolgp is faster on the same case, for what others do."""
    if row.who == "coolgp":
        return ""
    ours = next((r for r in rows if r.who == "coolgp" and r.case == row.case and r.what == row.what), None)
    if ours is None:
        return ""
    return f"{digits(ours.value / row.value if row.unit.endswith('/s') else row.value / ours.value)}×"
