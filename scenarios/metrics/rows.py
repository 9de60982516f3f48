"""The header and the rows of the tables of a run, from an evaluated round."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain, islice
from typing import Any

import numpy as np

from coolgp.scenarios.metrics.column import HYPERPARAMETERS, METRICS, PROBES, TRAFFIC, Cell, Column
from coolgp.scenarios.metrics.columns import COLUMNS
from coolgp.scenarios.metrics.evaluated import Evaluated

__all__ = ["Cell", "header", "table_rows"]

TABLES_OF_ALL = (METRICS, TRAFFIC, HYPERPARAMETERS)


def header(table: str, features: tuple[str, ...] = ()) -> list[str]:
    """The header of the table with that file name; features: names of the inputs."""
    return list(chain.from_iterable(column.names(features, spread=table != PROBES) for column in _columns(table)))


def table_rows(evaluated: Evaluated) -> tuple[dict[str, dict[str, float]], list[dict[str, Cell]]]:
    """What an evaluated round adds to the tables: a row for all probes by file name, and the rows of ``probes.csv``.

    Cells are named as in the headers.
    """
    values = {name: column.value(evaluated) for name, column in COLUMNS.items() if column.files}
    rows = {table: _row_of_all(_columns(table), values, evaluated.features) for table in TABLES_OF_ALL}
    of_probes = {
        column.name: np.broadcast_to(values[column.name], evaluated.agents.shape) for column in _columns(PROBES)
    }
    cells = zip(*(column.tolist() for column in of_probes.values()), strict=True)
    return rows, [dict(zip(of_probes, row, strict=True)) for row in cells]


def _row_of_all(columns: list[Column], values: Mapping[str, Any], features: tuple[str, ...]) -> dict[str, float]:
    """Numbers as they are; of arrays with a number for each probe their mean and spread, all columns in one pass."""
    arrays = [values[column.name] for column in columns if isinstance(values[column.name], np.ndarray)]
    probed = np.concatenate([array.reshape(len(array), -1) for array in arrays] or [np.empty((1, 0))], axis=1)
    moments = iter(np.stack([probed.mean(axis=0), probed.std(axis=0)], axis=1).tolist())
    row: dict[str, float] = {}
    for column in columns:
        names, value = column.names(features), values[column.name]
        if isinstance(value, np.ndarray):
            of_inputs = islice(moments, value[0].size)
            numbers = [number for pair in of_inputs for number in (pair if column.spread else pair[:1])]
            row.update(zip(names, numbers, strict=True))
        else:
            row[column.name] = value
    return row


def _columns(table: str) -> list[Column]:
    return [column for column in COLUMNS.values() if table in column.files]
