"""Rows whose columns have names (data frames, Arrow tables, records, mappings), in the order that a model wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from coolgp.agents.base.arrays import Array

__all__ = ["column_names", "in_order", "ordered"]


def column_names(x: Any) -> tuple[str, ...] | None:
    """The names of the columns; None where they have none: arrays, and frames whose columns are numbered.

    >>> column_names({"t": [1.0], "h": [2.0]}), column_names(np.zeros((2, 3)))
    (('t', 'h'), None)
    """
    if isinstance(x, Mapping):
        names: Any = list(x)
    else:
        found = (getattr(x, name, None) for name in ("column_names", "columns"))
        kinds = getattr(getattr(x, "dtype", None), "names", None)
        names = next((list(some) for some in (kinds, *found) if some is not None and not callable(some)), None)
    if not names or not all(isinstance(name, str) for name in names):
        return None
    return tuple(names)


def ordered(x: Any, features: Sequence[str]) -> Array:
    """The rows ``[Q, D]`` with columns as `features` names them; what has no names stays in its order.

    Raises ValueError where names are missing, unknown, or come twice.

    >>> ordered({"t": [1.0], "h": [2.0]}, ("h", "t"))
    array([[2., 1.]])
    """
    names = column_names(x)
    if names is None:
        return np.asarray(x, dtype=float)
    in_order(names, features)
    return np.stack([np.asarray(x[name], dtype=float) for name in features], axis=1)


def in_order(names: Sequence[str], features: Sequence[str]) -> list[int]:
    """Where each of the features stands among the names. Raises ValueError as `ordered`.

    >>> in_order(("t", "h"), ("h", "t"))
    [1, 0]
    """
    missing = [name for name in features if name not in names]
    unknown = [name for name in dict.fromkeys(names) if name not in features]
    twice = sorted({name for name in names if names.count(name) > 1})
    problems = [
        f"{words}: {', '.join(some)}"
        for words, some in (("missing", missing), ("unknown, leave them out", unknown), ("more than once", twice))
        if some
    ]
    if problems:
        raise ValueError(f"needed the columns {', '.join(features)}; {'; '.join(problems)}")
    return [names.index(name) for name in features]
