"""Rows as a table, and rows dealt to agents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from coolgp.scenarios.problems import DataError

__all__ = ["Dataset", "Floats", "Ints", "Table"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]


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
    """Columns left out because they do not hold numbers."""


@dataclass(frozen=True)
class Dataset:
    """Training rows dealt to agents, and test rows; original units, nothing scaled."""

    x_train: Floats
    """`[n,D]`"""
    y_train: Floats
    """`[n]`"""
    owner: Ints
    """`[n]`, the agent in `[0,N)` that observes each training row."""
    x_test: Floats
    """`[Q,D]`"""
    y_test: Floats
    """`[Q]`, noisy like `y_train`."""
    features: tuple[str, ...]
    target: str
    agents: tuple[str, ...]
    """`[N]`, what the agents are called."""
    positions: Floats | None = None
    """`[N,2]`"""
    truth: Floats | None = None
    """`[Q]`, without noise, where it is known."""
    test_owner: Ints | None = None
    """`[Q]`, the agent that each test row belongs to; None where all agents are tested on all rows."""

    def __post_init__(self) -> None:
        n, q, width = len(self.y_train), len(self.y_test), len(self.features)
        wanted = {"x_train": (n, width), "y_train": (n,), "owner": (n,), "x_test": (q, width), "y_test": (q,)}
        problems = []
        for name, shape in wanted.items():
            values = getattr(self, name)
            if values.shape != shape:
                problems.append(f"{name}: needed shape {shape}, got {values.shape}")
            elif not np.isfinite(values).all():
                problems.append(f"{name}: {np.count_nonzero(~np.isfinite(values))} values are not finite")
        if not problems and n and not 0 <= self.owner.min() <= self.owner.max() < len(self.agents):
            problems.append(
                f"owner: needed agents in [0, {len(self.agents)}), got {self.owner.min()}..{self.owner.max()}"
            )
        if problems:
            raise DataError(*problems)
