"""The one table of the figures of a run; a new one is a file beside this, and a line here."""

from __future__ import annotations

from pathlib import Path

from coolgp.scenarios.plots.agents import AGENTS
from coolgp.scenarios.plots.convergence import CONVERGENCE
from coolgp.scenarios.plots.drawing import Drawing, draw_figures
from coolgp.scenarios.plots.field import FIELD
from coolgp.scenarios.plots.fusion import FUSION
from coolgp.scenarios.plots.network import NETWORK
from coolgp.scenarios.plots.profiles import PROFILES
from coolgp.scenarios.plots.relevance import RELEVANCES
from coolgp.scenarios.plots.reliability import RELIABILITY
from coolgp.scenarios.plots.road import ROAD
from coolgp.scenarios.records.run_folder import RunFolder

__all__ = ["FIGURES", "draw_all"]

FIGURES: dict[str, Drawing[RunFolder]] = {
    "convergence": CONVERGENCE,
    "profiles": PROFILES,
    "agents": AGENTS,
    "reliability": RELIABILITY,
    "fusion": FUSION,
    "relevances": RELEVANCES,
    "network": NETWORK,
    "field": FIELD,
    "road": ROAD,
}
"""By name, in the order of the report; the file is ``<name>.png``."""


def draw_all(folder: RunFolder) -> dict[str, Path]:
    """Draw every figure that the run allows into its folder, each file replaced whole; their paths by name."""
    return draw_figures(folder, FIGURES)
