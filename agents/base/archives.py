"""Arrays from ``.npz`` files that anyone may have written: no pickle, and one sentence for whatever is wrong."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["arrays_in"]

# What NumPy, zipfile and zlib raise where a byte is not as it was written; MemoryError, where a shape is not.
_READING = (OSError, EOFError, zipfile.BadZipFile, zlib.error, struct.error, MemoryError)
_MEANING = (ValueError, LookupError, AttributeError, TypeError, OverflowError, RuntimeError, SyntaxError)


def arrays_in(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays by name. Raises ValueError where the file cannot be read, or holds anything but plain arrays."""
    if path.is_file() and not zipfile.is_zipfile(path):  # NumPy would speak of pickles, and how to load them
        raise ValueError("is no readable .npz file of plain numbers (not an archive, or cut off)")
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (*_READING, *_MEANING) as problem:
        raise ValueError(f"is no readable .npz file of plain numbers ({problem})") from problem
