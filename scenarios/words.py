"""Numbers in words for people."""

from __future__ import annotations

import math

__all__ = ["size_text"]


def size_text(size: float) -> str:
    """A number of bytes in a fitting unit.

    >>> size_text(0), size_text(82_685_232)
    ('0 B', '82.7 MB')
    """
    if not math.isfinite(size):
        return "–"
    power = min(int(math.log10(max(size, 1)) / 3), 4)
    return f"{size / 1000**power:.3g} {('B', 'kB', 'MB', 'GB', 'TB')[power]}"
