"""The one table of the figures of a run; a new one is a file beside this, and a line here."""

from __future__ import annotations

from pathlib import Path

from coolgp.network.base.lazy_table import LazyTable
from coolgp.scenarios.plots.drawing import Drawing, draw_figures
from coolgp.scenarios.records.run_folder import RunFolder

__all__ = ["FIGURES", "draw_all"]

_HERE = "coolgp.scenarios.plots"

FIGURES: LazyTable[Drawing[RunFolder]] = LazyTable(
    {
        "convergence": f"{_HERE}.convergence:CONVERGENCE",
        "profiles": f"{_HERE}.profiles:PROFILES",
        "agents": f"{_HERE}.agents:AGENTS",
        "reliability": f"{_HERE}.reliability:RELIABILITY",
        "fusion": f"{_HERE}.fusion:FUSION",
        "relevances": f"{_HERE}.relevance:RELEVANCES",
        "network": f"{_HERE}.network:NETWORK",
        "field": f"{_HERE}.field:FIELD",
        "road": f"{_HERE}.road:ROAD",
    }
)
"""By name, in the order of the report; the file is ``<name>.png``."""


def draw_all(folder: RunFolder) -> dict[str, Path]:
    """Draw every figure that the run allows into its folder, each file replaced whole; their paths by name."""
    return draw_figures(folder, FIGURES)
