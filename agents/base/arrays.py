"""Types of arrays: of any floating precision, and of positions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Array", "Indices"]

Array = npt.NDArray[np.floating[Any]]
Indices = npt.NDArray[np.intp]
