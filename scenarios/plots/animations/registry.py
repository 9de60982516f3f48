"""The one table of animations of a run; a new one is a file beside this, and a line here."""

from __future__ import annotations

from coolgp.network.base.lazy_table import LazyTable
from coolgp.scenarios.plots.animations.animation import Animation

__all__ = ["ANIMATIONS"]

_HERE = "coolgp.scenarios.plots.animations"

ANIMATIONS: LazyTable[Animation] = LazyTable(
    {
        "road": f"{_HERE}.road:ROAD",
        "field": f"{_HERE}.field:FIELD",
        "network": f"{_HERE}.network:NETWORK",
        "errors": f"{_HERE}.errors:ERRORS",
    }
)
"""By name; without a choice the first is drawn that the run allows."""
