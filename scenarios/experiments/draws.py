"""Work that is many draws: a table with lines of each, written as they come, and a run that goes on after the last.

Draws come in cells, of which each gives lines of ``metrics.csv``. Under MPI items of work are dealt to the ranks; what
an item leaves depends on the item alone, and lines are kept in the order of the items: tables are the same for any
number of ranks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar

import numpy as np

from coolgp.network.graphs.generate import generate
from coolgp.network.launcher import launched_rank, launched_size
from coolgp.network.transport import Transport
from coolgp.scenarios.base.errors import FoundByAll
from coolgp.scenarios.base.files import write_table
from coolgp.scenarios.experiments.experiment import Session, stop_together
from coolgp.scenarios.experiments.kind import Stage
from coolgp.scenarios.simulation.assembly import faultless

__all__ = ["Cell", "Draw", "DrawTable", "Line", "Ranks", "lines_of_cells", "method_means", "ranks_of_this_run"]

Cell = tuple[Any, ...]
"""What the draws of a cell have in common: values of the columns `DrawTable.keys`."""
Line = dict[str, Any]
"""A line of the table: numbers and texts by column."""
Item = TypeVar("Item")
AGENTS_OF_A_RANK = 16
"""Of the ring that joins the ranks: the most agents that always go to one rank together."""


@dataclass(frozen=True)
class Draw:
    """A draw of a cell, by its number in it."""

    cell: Cell
    number: int


@dataclass(frozen=True)
class DrawTable:
    """The table of all draws. name: of its file. keys: columns that say to which cell a line belongs, beside ``draw``.

    read: the lines of such a file; raises ValueError where it is not one. words: for a cell.
    """

    name: str
    keys: tuple[str, ...]
    read: Callable[[Path], list[Line]]
    words: Callable[[Cell], str]

    def draw_of(self, line: Line) -> Draw:
        """The draw that a line is of."""
        return Draw(tuple(line[key] for key in self.keys), line["draw"])


@dataclass(frozen=True)
class Ranks:
    """The ranks of a run. place: of this one among them. transport: over a ring of agents of all of them."""

    place: int
    transport: Transport

    @property
    def size(self) -> int:
        """How many there are."""
        return self.transport.ranks

    @property
    def root(self) -> bool:
        """Whether this one writes."""
        return self.transport.root

    def each(
        self, items: Sequence[Item], work: Callable[[Item], list[Line]], mine: Sequence[int] | None = None
    ) -> list[Line]:
        """The lines of all items in their order, on the root; elsewhere none. Collective.

        mine: places of the items that this rank does; without it they are dealt in turn.
        Raises FoundByAll on all ranks where the work raises ValueError on one.
        """
        mine = range(self.place, len(items), self.size) if mine is None else mine
        texts, problem = list[str](), None
        try:
            texts = [json.dumps(work(items[place])) for place in mine]
        except ValueError as error:
            problem = error
        if self.transport.total(np.array([problem is not None]))[0]:
            reasons = self._gathered([] if problem is None else [json.dumps(str(problem))], range(1))
            raise FoundByAll(*reasons[:1]) from problem
        return [line for lines in self._gathered(texts, mine) for line in lines]

    def _gathered(self, texts: Sequence[str], places: Sequence[int]) -> list[Any]:
        """What texts in JSON say, of all ranks in the order of their places, on the root; elsewhere nothing."""
        encoded = [f"{text}\n".encode() for text in texts]
        ids = np.repeat(np.array(places[: len(texts)], dtype=np.int64), [len(text) for text in encoded])
        letters = self.transport.gather_rows(np.frombuffer(b"".join(encoded), dtype=np.uint8), ids)
        return [] if letters is None else [json.loads(text) for text in letters.tobytes().splitlines()]


def ranks_of_this_run() -> Ranks:
    """The ranks that were launched; one where no launcher started this process. Collective."""
    size = launched_size()
    return Ranks(launched_rank(), faultless(generate("ring", AGENTS_OF_A_RANK * size, seed=0), "contiguous", size))


def method_means(lines: Sequence[Line], measures: Sequence[str], methods: Iterable[str]) -> dict[str, float]:
    """Of each method the means of its lines, as ``measure_method``, and the seconds of all."""
    means = {
        f"{measure}_{method}": float(np.mean([line[measure] for line in lines if line["method"] == method]))
        for measure in measures
        for method in methods
    }
    return means | {"seconds": float(np.sum([line["seconds"] for line in lines]))}


def lines_of_cells(
    session: Session,
    table: DrawTable,
    draws: Sequence[Draw],
    work: Callable[[Sequence[Draw]], list[Line]],
    ranks: Ranks,
    *,
    at_once: int = 1,
) -> Iterator[tuple[Cell, list[Line]]]:
    """The cells in order, each with the lines of its draws once all are done. Collective; yields on the root alone.

    draws: all of the run, those of a cell together. Those that an earlier run of the folder finished are not done
    again. work: the lines of some draws in their order, on the root; it is given so many `at_once`.
    """
    path = session.folder / table.name
    lines = table.read(path) if session.resumed and path.is_file() else []
    finished = {table.draw_of(line) for line in lines}
    left = [draw for draw in draws if draw not in finished]
    cells = list(dict.fromkeys(draw.cell for draw in draws))
    ranks.transport.barrier()  # all have read before the root writes
    while cells:
        if cells[0] not in {draw.cell for draw in left}:
            own = [line for line in lines if table.draw_of(line).cell == cells[0]]
            cell = cells.pop(0)
            if ranks.root:
                yield cell, own
            continue
        started, some, left = perf_counter(), left[:at_once], left[at_once:]
        lines += work(some)
        if ranks.root:
            write_table(path, lines)
            seconds = perf_counter() - started
            session.watcher.show(_stage(table, draws, len(draws) - len(left), some, seconds))
        stop_together(session.signals, ranks.transport)


def _stage(table: DrawTable, draws: Sequence[Draw], done: int, some: Sequence[Draw], seconds: float) -> Stage:
    last = some[-1]
    repeats = sum(draw.cell == last.cell for draw in draws)
    words = f"{table.words(last.cell)}, draw {last.number + 1} of {repeats}"
    return Stage(done, len(draws), words, len(some), seconds, "draw")
