"""Rows of numbers as a table, before they are split and dealt to agents; and a check of arrays by their shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coolgp.scenarios.base.arrays import Floats

__all__ = ["Table", "misshapen"]


@dataclass(frozen=True)
class Table:
    """Rows in original units, not yet split or dealt to agents."""

    x: Floats
    """`[n,D]`"""
    y: Floats
    """`[n]`"""
    features: tuple[str, ...]
    target: str
    labels: tuple[str, ...] | None = None
    """`[n]`, the agent that each row names."""
    skipped: tuple[str, ...] = ()
    """Columns left out because their cells are not numbers."""
    notes: tuple[str, ...] = ()
    """What the user should know of how the file was read: columns left out and why, what cells were taken for."""
    truth: Floats | None = None
    """`[n]`, the target without noise, where it is known."""
    views: Floats | None = None
    """`[V,D]`, inputs that show the whole domain at a glance, where rows at random would not."""
    classes: tuple[str, ...] = ()
    """Labels of the classes, where the target is the number of one, from 0."""


def misshapen(arrays: Mapping[str, tuple[NDArray[Any], tuple[int, ...]]]) -> list[str]:
    """Return a message for each named array of another shape, or with values that are not finite."""
    problems = []
    for name, (values, shape) in arrays.items():
        if values.shape != shape:
            problems.append(f"{name}: needed shape {shape}, got {values.shape}")
        elif not np.isfinite(values).all():
            problems.append(f"{name}: {np.count_nonzero(~np.isfinite(values))} values are not finite")
    return problems
