"""What ``coolgp compare`` does: reads runs, writes a figure and a table, prints the table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from coolgp.scenarios.base.files import write_table
from coolgp.scenarios.config.constraints import nearest
from coolgp.scenarios.plots.style import check_picture_path
from coolgp.scenarios.studies.bands import BANDS, X_AXES
from coolgp.scenarios.studies.comparison import Comparison, check_metric, check_targets, compared, read_runs
from coolgp.scenarios.studies.comparison_figure import draw_comparison
from coolgp.scenarios.studies.comparison_table import final_rows, print_table

__all__ = ["compare"]


def compare(
    folders: Sequence[Path],
    metric: str = "rmse_post",
    against: str = "rounds",
    by: Sequence[str] = (),
    band: str = "std",
    out: Path | None = None,
    table: Path | None = None,
) -> Comparison:
    """Compare runs and sweeps: print a table, write it and a figure. Raises ValueError for what does not fit.

    out: default ``compare-<metric>-<against>.png`` in the working folder; table: beside the figure.
    """
    picture = out or Path(f"compare-{metric}-{against}.png")
    for option, value, known in (("--against", against, X_AXES), ("--band", band, BANDS)):
        if value not in known:
            raise ValueError(f'{option}: needed {" | ".join(known)}; got "{value}"{nearest(value, known)}')
    check_picture_path(picture)
    runs, empty = read_runs(folders)
    check_targets(runs)
    for needed in (metric, {"rounds": "round"}.get(against, against)):
        check_metric(runs, needed)
    found = compared(runs, by)
    rows = final_rows(found)
    written = table or picture.with_suffix(".csv")
    draw_comparison(picture, found, metric, against, band)
    write_table(written, rows)
    print_table(found, rows, metric)
    _print_notes(found, empty)
    print(f"figure: {picture}")
    print(f"table: {written}")
    return found


def _print_notes(found: Comparison, empty: Sequence[Path]) -> None:
    for run in found.runs:
        if not run.finished:
            print(f"unfinished, used as far as it is: {run.path} ({run.reached})")
    if empty:
        print(f"left out, not a round finished: {', '.join(place.name for place in empty)}")
