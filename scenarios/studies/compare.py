"""What ``coolgp compare`` does: reads runs, writes a figure and a table, prints the table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from coolgp.scenarios.base.files import write_table
from coolgp.scenarios.base.lock import claimed_file
from coolgp.scenarios.config.constraints import nearest
from coolgp.scenarios.plots.style import check_picture_path
from coolgp.scenarios.studies.bands import BANDS, X_AXES
from coolgp.scenarios.studies.comparison import (
    Comparison,
    check_metric,
    check_targets,
    compared,
    default_metric,
    read_runs,
)
from coolgp.scenarios.studies.comparison_figure import draw_comparison
from coolgp.scenarios.studies.comparison_table import final_rows, print_table

__all__ = ["compare"]


def compare(
    folders: Sequence[Path],
    metric: str = "",
    against: str = "rounds",
    by: Sequence[str] = (),
    band: str = "std",
    out: Path | None = None,
    table: Path | None = None,
) -> Comparison:
    """Compare runs and sweeps: print a table, write it and a figure. Raises ValueError for what does not fit.

    metric: default the RMSE after fusion, or the first column where there is none; out: default
    ``compare-<metric>-<against>.png`` in the working folder; table: beside the figure.
    """
    for option, value, choices in (("--against", against, X_AXES), ("--band", band, BANDS)):
        if value not in choices:
            raise ValueError(f'{option}: needed {" | ".join(choices)}; got "{value}"{nearest(value, choices)}')
    if out is not None:
        check_picture_path(out)
    runs, empty = read_runs(folders)
    check_targets(runs)
    metric = metric or default_metric(runs)
    for needed in (metric, {"rounds": "round"}.get(against, against)):
        check_metric(runs, needed)
    comparison = compared(runs, by)
    rows = final_rows(comparison)
    picture = out or Path(f"compare-{metric}-{against}.png")
    csv_file = table or picture.with_suffix(".csv")
    with claimed_file(picture):  # figure and table are of the same runs, whoever else compares here
        draw_comparison(picture, comparison, metric, against, band)
        write_table(csv_file, rows)
    print_table(comparison, rows, metric)
    _print_notes(comparison, empty)
    print(f"figure: {picture}")
    print(f"table: {csv_file}")
    return comparison


def _print_notes(comparison: Comparison, empty: Sequence[Path]) -> None:
    for run in comparison.runs:
        if not run.finished:
            print(f"unfinished, used as far as it is: {run.path} ({run.reached})")
    if empty:
        print(f"left out, not a round finished: {', '.join(place.name for place in empty)}")
