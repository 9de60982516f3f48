"""Which axis the rows of an array belong to, so that any record of arrays can be stored and dealt out to ranks again.

A record annotates its fields: `PerAgent` for arrays [A, ...], `PerEdge` for arrays [E, ...]. Other fields follow from
the graph and are built again. An array by itself has one row for each agent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass, replace
from typing import Annotated, Any, Literal, TypeAlias, get_args, get_type_hints

import numpy as np

from coolgp.network.base.arrays import Array

__all__ = ["Axis", "PerAgent", "PerEdge", "Rows", "rows_of", "with_rows"]

Axis: TypeAlias = Literal["agent", "edge"]
Rows: TypeAlias = dict[str, tuple[Axis, Array]]
PerAgent = Annotated[Array, "agent"]
PerEdge = Annotated[Array, "edge"]


def rows_of(state: Any, name: str = "state") -> Rows:
    """Return the annotated arrays of a record, and of records in it, by dotted name, each with its axis.

    >>> rows_of(np.zeros((3, 2)))["state"][0]
    'agent'
    """
    if isinstance(state, np.ndarray):
        return {name: ("agent", state)}
    rows: Rows = {}
    for field, axis in _axes(type(state)).items():
        value = getattr(state, field)
        if axis is None and (is_dataclass(value) or field == "inner"):
            rows |= rows_of(value, f"{name}.{field}")
        elif axis is not None and value is not None:
            rows[f"{name}.{field}"] = (axis, value)
    return rows


def with_rows(state: Any, rows: Mapping[str, Array], name: str = "state") -> Any:
    """Return the record with its annotated arrays replaced by those of `rows_of`; None where one is missing."""
    if isinstance(state, np.ndarray):
        return rows[name]
    changed: dict[str, Any] = {}
    for field, axis in _axes(type(state)).items():
        value, key = getattr(state, field), f"{name}.{field}"
        if axis is not None:
            changed[field] = rows.get(key)
        elif is_dataclass(value) or field == "inner":
            changed[field] = with_rows(value, rows, key)
    return replace(state, **changed) if changed else state


def _axes(kind: type[Any]) -> dict[str, Axis | None]:
    """The fields of a dataclass, each with the axis it is annotated with."""
    if not is_dataclass(kind):
        return {}
    return {name: _axis(hint) for name, hint in get_type_hints(kind, include_extras=True).items()}


def _axis(hint: Any) -> Axis | None:
    marks = [mark for level in (hint, *get_args(hint)) for mark in getattr(level, "__metadata__", ())]
    return next((mark for mark in marks if mark in ("agent", "edge")), None)
