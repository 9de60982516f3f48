"""Checks of what users hand over, with messages that say what was needed and what came."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from coolgp.agents.base.arrays import Array

__all__ = ["require_count", "require_range", "rows_of"]

WHO = "TaskAgnosticFusion"


def require_range(method: str, name: str, value: float, low: float, high: float) -> None:
    """Raise ValueError where a setting is not above the first bound and below the second."""
    if not low < value < high:
        bounds = f"above {low:g}" if np.isinf(high) else f"above {low:g} and below {high:g}"
        raise ValueError(f"{method} needs {name} {bounds}; got {value}")


def require_count(method: str, name: str, value: object, least: int = 1) -> None:
    """Raise ValueError where a setting is not a whole number of at least so many."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{method} needs {name} that is a whole number of at least {least}; got {value!r}")


def rows_of(X: npt.ArrayLike, name: str, inputs: int | None = None) -> Array:
    """Finite rows ``[n, D]``. Raises ValueError for anything else."""
    x = np.asarray(X, dtype=float)
    if x.ndim != 2 or inputs not in (None, x.shape[1]):
        raise ValueError(f"{WHO} needs {name} [rows, {inputs or 'inputs'}]; got shape {x.shape}")
    if not np.isfinite(x).all():
        raise ValueError(f"{WHO} needs {name} that is finite; got {np.sum(~np.isfinite(x))} values that are not")
    return x
