"""The roads of `road` with their speeds in both rush hours, as they are and as one agent knows them after fusion.

Roads and speeds are drawn again from the seed of the run; what the agent knows is in the model that the run left.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from coolgp.scenarios.base.arrays import Floats, Ints
from coolgp.scenarios.config.sources import source_named
from coolgp.scenarios.data.roads import Roads
from coolgp.scenarios.data.traffic import FEATURES, RUSHES, draw_traffic
from coolgp.scenarios.plots.drawing import Drawing
from coolgp.scenarios.records.model import SavedModel, load_model
from coolgp.scenarios.records.run_folder import RunFolder

__all__ = ["ROAD", "draw_roads_of", "drawing_order", "road_figure"]

WIDTHS = np.array([1.0, 2.4, 4.0])
"""Of the lines of each class of roads, in points."""


def road_figure(folder: RunFolder) -> Figure | None:
    """Draw a panel for each rush hour and, where the run left a model, for what an agent makes of it; else None."""
    if not source_named(folder.config.data.source).roads or folder.features != FEATURES:
        return None
    traffic, model = draw_traffic(folder.config.run.seed), _model(folder)
    agent = folder.predictions.agents[folder.probes.typical]
    hours, rows = [hour for hour, _, _ in RUSHES], 1 if model is None else 2
    figure = Figure(figsize=(9.4, 4.0 * rows), layout="constrained")
    panels = figure.subplots(rows, len(hours), squeeze=False, sharex=True, sharey=True)
    for hour, column in zip(hours, panels.T, strict=True):
        at = np.arange(len(traffic.roads.limit)), np.full(len(traffic.roads.limit), hour)
        shown = {f"Speeds at {hour:.0f}:00": traffic.speed(*at)}
        if model is not None:
            shown[f"Agent {agent} after fusion"] = model.predict(traffic.inputs(*at), agent).mean.astype(np.float64)
        for axes, (title, speed) in zip(column, shown.items(), strict=True):
            lines = draw_roads_of(axes, traffic.roads, speed)
            axes.set_title(title)
    figure.colorbar(lines, ax=panels, shrink=0.6, extend="both", label=f"{folder.target} ({folder.unit})")
    for axes in panels[:, 0]:
        axes.set_ylabel("km north of the centre")
    for axes in panels[-1]:
        axes.set_xlabel("km east of the centre")
    return figure


def _model(folder: RunFolder) -> SavedModel | None:
    """What the agents know; None where the rule leaves them no evidence, or the model was taken away."""
    try:
        return load_model(folder.path)
    except ValueError:
        return None


def drawing_order(roads: Roads) -> Ints:
    """The segments `[S]` in the order in which they are drawn: main roads come last, and lie on top."""
    return np.argsort(roads.kind, kind="stable").astype(np.int64)


def draw_roads_of(axes: Axes, roads: Roads, speed: Floats) -> LineCollection:
    """Segments coloured by speed, on one scale whatever is shown; the main roads lie on top, and are wider."""
    order = drawing_order(roads)
    lines = LineCollection(
        list(roads.junctions[roads.ends[order]]),
        array=speed[order],
        linewidths=WIDTHS[roads.kind[order]],
        cmap="viridis",
        clim=(10, 65),
        capstyle="round",
    )
    axes.add_collection(lines)
    axes.autoscale()
    axes.set_aspect("equal")
    axes.grid(visible=False)
    return lines


ROAD = Drawing(
    road_figure,
    "Speeds in the two rush hours: simulated, and predicted by one agent after fusion. Wide lines are motorways and "
    "arterial roads. The agent is the one with the median improvement over the probe agents.",
    when="the data source road",
)
