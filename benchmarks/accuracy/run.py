"""The command: what is missing is computed, and the page is written from all that is there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.accuracy.cells import Grid, fill, read, scores
from benchmarks.accuracy.methods import METHODS
from benchmarks.accuracy.page import write_page
from benchmarks.accuracy.sets import SETS

__all__ = ["accuracy_page"]

SIZES, QUICK_SIZES = (100, 500), (10,)


def accuracy_page(
    data: Sequence[str] | None,
    inducing: Sequence[int] | None,
    seeds: int,
    quick: bool,
    cells: Path,
    page: Path,
    say: Callable[[str], None],
) -> Path:
    """Fill the file of cells and write the page, also where the work is interrupted; its path.

    data: sets, all by default. inducing: sizes, those of the page by default. Raises SystemExit for an unknown set.
    """
    unknown = sorted({*(data or ())} - {*SETS})
    if unknown:
        raise SystemExit(f"--data: needed {' | '.join(SETS)}; got {', '.join(unknown)}")
    sizes = inducing or (QUICK_SIZES if quick else SIZES)
    grid = Grid(data or [*SETS], [*METHODS], sizes, 1 if quick else seeds, quick)
    try:
        fill(grid, cells, say, scores)
    finally:
        there = [cell for cell in read(cells) if cell.quick == quick]
        if there:
            write_page(there, page)
    return page
