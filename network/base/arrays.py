"""Names of array types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Indices", "RowSource"]

Array: TypeAlias = NDArray[Any]
Indices: TypeAlias = NDArray[np.intp]
RowSource: TypeAlias = Array | Callable[[Array], Array]
"""Rows [A,..], or a function that returns those [K,..] of some agents [K] of this rank: they need not all be in memory
at once."""
