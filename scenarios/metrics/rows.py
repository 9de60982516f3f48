"""The header and the rows of the tables of a run, from an evaluated round."""

from __future__ import annotations

from itertools import chain

import numpy as np

from coolgp.scenarios.metrics.column import PROBES, Cell, Column
from coolgp.scenarios.metrics.columns import COLUMNS
from coolgp.scenarios.metrics.evaluated import Evaluated

__all__ = ["header", "probe_rows", "row"]


def header(table: str, features: tuple[str, ...] = ()) -> list[str]:
    """The header of the table with that file name; features: names of the inputs."""
    return list(chain.from_iterable(column.names(features, spread=table != PROBES) for column in _columns(table)))


def row(table: str, evaluated: Evaluated) -> dict[str, float]:
    """The row of a table for an evaluated round, by the names in its header."""
    return dict(chain.from_iterable(column.cells(evaluated).items() for column in _columns(table)))


def probe_rows(evaluated: Evaluated) -> list[dict[str, Cell]]:
    """The rows of ``probes.csv`` for an evaluated round: one for each probe."""
    values = {column.name: column.value(evaluated) for column in _columns(PROBES)}
    table = {name: np.broadcast_to(column, evaluated.agents.shape).tolist() for name, column in values.items()}
    return [dict(zip(table, cells, strict=True)) for cells in zip(*table.values(), strict=True)]


def _columns(table: str) -> list[Column]:
    return [column for column in COLUMNS.values() if table in column.files]
