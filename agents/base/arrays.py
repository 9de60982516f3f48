"""Types of arrays: of any floating precision, of truth values, and of positions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Array", "Booleans", "Indices"]

Array = npt.NDArray[np.floating[Any]]
Booleans = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]
