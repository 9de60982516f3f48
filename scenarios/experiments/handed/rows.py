"""Rows of owners, and inputs to predict at, from tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.base.named_inputs import in_order
from coolgp.agents.experts.expert import Expert
from coolgp.scenarios.base.errors import DataError
from coolgp.scenarios.data.table import Table
from coolgp.scenarios.data.tables import read_inputs, read_table
from coolgp.scenarios.experiments.handed.models import are_classifiers
from coolgp.scenarios.experiments.handed.rule import Rows, plain_label

__all__ = ["read_examples", "read_queries", "read_shards"]


def read_shards(paths: Sequence[Path], target: str | None, experts: Sequence[Expert]) -> list[Rows]:
    """The rows of each owner: every numeric column but the target is an input, in the order of the file.

    Raises DataError where files are as many as no models, or do not fit them.
    """
    if not paths:
        return []
    if target is None:
        raise DataError("--shards: needs --target, the column that the models predict")
    if len(paths) != len(experts):
        raise DataError(f"--shards: needed a file for each of {len(experts)} models, in their order; got {len(paths)}")
    return [read_examples(path, target, experts) for path in paths]


def read_examples(path: Path, target: str, experts: Sequence[Expert]) -> Rows:
    """Rows of one table, as of an owner. Raises DataError where they do not fit the models."""
    classified = are_classifiers(experts)
    table = read_table(path, target, classified=classified, one_class=True)
    x = table.x[:, _places(path, table.features, experts)]
    return Rows(x, _labels(table) if classified else table.y)


def read_queries(path: Path | None, target: str | None, experts: Sequence[Expert]) -> Array | None:
    """Inputs ``[Q, D]`` to predict at: every numeric column but the target. Raises DataError as `read_shards`."""
    if path is None:
        return None
    x, names = read_inputs(path, () if target is None else (target,))
    return x[:, _places(path, names, experts)]


def _labels(table: Table) -> Array:
    """The label of each row's class ``[n]``."""
    return np.array([plain_label(label) for label in table.classes])[table.y.astype(np.intp)]


def _places(path: Path, names: Sequence[str], experts: Sequence[Expert]) -> list[int]:
    """The columns in the order of the models' inputs: by their names where a model knows them, else as they stand.

    Raises DataError where they do not fit a model.
    """
    _check_width(path, names, experts)
    named = {expert.features: expert.name for expert in reversed(experts) if expert.features}
    orders = {}
    for features, model in named.items():
        try:
            orders[tuple(in_order(names, features))] = model
        except ValueError as problem:
            raise DataError(f"{path}: {model} {problem}") from None
    if len(orders) > 1:
        raise DataError(f"{path}: {' and '.join(orders.values())} take the same inputs in different orders")
    return list(next(iter(orders), range(len(names))))


def _check_width(path: Path, names: Sequence[str], experts: Sequence[Expert]) -> None:
    for expert in experts:
        if expert.inputs not in (None, len(names)):
            raise DataError(
                f"{path}: has {len(names)} inputs ({', '.join(names)}); {expert.name} takes {expert.inputs}"
            )
