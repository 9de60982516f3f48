"""The table of docs/learning.md, from the cells alone: what modes of learning end at, seed by seed beside `fixed`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from coolgp.scenarios.base.arrays import Floats
from coolgp.scenarios.studies.paired import interval, with_interval

from benchmarks.accuracy.cells import Cell
from benchmarks.learning.streams import STREAMS
from benchmarks.table import digits

__all__ = ["MODES", "table", "write_table"]

FIXED = "fixed"
MODES = (FIXED, "collective", "local")
MARK = "<!-- table: learning -->\n"
ROUNDING = 1e-9
"""Differences below it are those of rounding, between two versions or machines."""
_WRITTEN = re.compile(re.escape(MARK) + r"(?:(?:\|.*\n)+\n\d+ runs, .*\n)?")


def write_table(cells: Sequence[Cell], page: Path) -> None:
    """Put the table into a page in the place of the one there; a page that there is not yet gets the table alone."""
    text = page.read_text(encoding="utf-8") if page.exists() else MARK
    if MARK not in text:
        raise SystemExit(f"{page}: needed a line {MARK.strip()} where the table is to stand; it has none")
    page.write_text(_WRITTEN.sub(lambda _: MARK + table(cells), text, count=1), encoding="utf-8")


def table(cells: Sequence[Cell]) -> str:
    """As Markdown: differences from `fixed` with their paired intervals, and when and how often they were measured."""
    learned = MODES[1:]
    header = ["stream", "RMSE", "NLPD", *(f"{mode}: {what}" for mode in learned for what in ("RMSE, %", "NLPD, nats"))]
    lines = [header, ["---"] * len(header), *_lines(cells, learned)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + f"\n\n{_what_was_run(cells)}\n"


def _lines(cells: Sequence[Cell], learned: Sequence[str]) -> Iterator[list[str]]:
    for name in STREAMS:
        of = {mode: _by_seed(cells, name, mode) for mode in MODES}
        if fixed := of[FIXED]:
            start = [digits(float(np.mean([cell.rmse for cell in fixed.values()])))]
            start += [f"{np.mean([cell.nlpd for cell in fixed.values()]):.3f}"]
            yield [name, *start, *(text for mode in learned for text in _beside(of[mode], fixed))]


def _beside(cells: Mapping[int, Cell], fixed: Mapping[int, Cell]) -> tuple[str, str]:
    """Differences of RMSE, in % of that of `fixed`, and of NLPD."""
    pairs = [(cells[seed], fixed[seed]) for seed in sorted(cells.keys() & fixed.keys())]
    if not pairs:
        return "–", "–"
    errors = np.array([100.0 * (one.rmse / other.rmse - 1.0) for one, other in pairs])
    return _worded(errors), _worded(np.array([one.nlpd - other.nlpd for one, other in pairs]))


def _worded(values: Floats) -> str:
    """In bold where all of the interval is above zero."""
    words = "0" if np.abs(values).max() < ROUNDING else with_interval(values)
    return f"**{words}**" if len(values) > 1 and interval(values)[0] > 0 else words


def _by_seed(cells: Sequence[Cell], data: str, mode: str) -> dict[int, Cell]:
    return {cell.seed: cell for cell in cells if (cell.data, cell.method) == (data, mode) and not cell.failure}


def _what_was_run(cells: Sequence[Cell]) -> str:
    done = [cell for cell in cells if not cell.failure]
    seeds, days = sorted({cell.seed for cell in done}), sorted({cell.date for cell in done})
    places = ", ".join(dict.fromkeys(f"commit {cell.commit or 'unknown'}" for cell in done))
    failures = Counter(f"{cell.data}, {cell.method}: {cell.failure}" for cell in cells if cell.failure)
    note = " Made with --quick: these figures mean nothing." if any(cell.quick for cell in cells) else ""
    failed = "".join(f" Failed: {words}." for words in failures)
    return (
        f"{len(done)} runs, seeds {seeds[0]} to {seeds[-1]}, {', '.join(dict.fromkeys((days[0], days[-1])))}, at "
        f"{places}.{note}{failed}"
    )
