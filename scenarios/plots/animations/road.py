"""What one agent knows of the speeds on all roads in both rush hours, round by round."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from coolgp.scenarios.config.sources import source_named
from coolgp.scenarios.data.traffic import FEATURES, RUSHES, draw_traffic, rush_hours
from coolgp.scenarios.plots.animations.animation import Animation, Moving, typical_agent
from coolgp.scenarios.plots.road import draw_roads_of, drawing_order
from coolgp.scenarios.records.frames import Frames
from coolgp.scenarios.records.run_folder import RunFolder

__all__ = ["ROAD"]


def moving_road(folder: RunFolder, frames: Frames | None) -> Moving | None:
    """Draw a row for each rush hour: the speeds, and an agent's before and after fusion; None of other data."""
    if frames is None or not source_named(folder.config.data.source).roads or folder.features != FEATURES:
        return None
    traffic = draw_traffic(folder.config.run.seed)
    if not np.array_equal(frames.x, rush_hours(traffic)):
        return None
    agent, segments = typical_agent(folder, frames), len(traffic.roads.limit)
    figure = Figure(figsize=(12.6, 8.0), layout="constrained")
    panels = figure.subplots(len(RUSHES), 3, sharex=True, sharey=True)
    moving = []
    for row, ((hour, _, _), axes) in enumerate(zip(RUSHES, panels, strict=True)):
        here = slice(row * segments, (row + 1) * segments)
        speed = traffic.speed(np.arange(segments), np.full(segments, hour))
        drawn = draw_roads_of(axes[0], traffic.roads, speed)
        axes[0].set_title(f"Speeds at {hour:.0f}:00")
        axes[0].set_ylabel("km north of the centre")
        for place, (values, when) in enumerate(((frames.mean_pre, "before"), (frames.mean_post, "after")), start=1):
            predicted = values[:, agent, here]
            moving.append((draw_roads_of(axes[place], traffic.roads, predicted[-1]), predicted))
            axes[place].set_title(f"Agent {frames.agents[agent]} {when} fusion")
    for axes in panels[-1]:
        axes.set_xlabel("km east of the centre")
    figure.colorbar(drawn, ax=panels, shrink=0.6, extend="both", label=f"{folder.target} ({folder.unit})")
    order = drawing_order(traffic.roads)

    def show(place: int) -> None:
        for lines, predicted in moving:
            lines.set_array(predicted[place][order])

    return Moving(figure, frames.rounds, show)


ROAD = Animation(
    moving_road,
    "Speeds in the two rush hours, and what one agent makes of them round by round, before and after fusion. The agent "
    "is the one with the median improvement of those whose predictions were kept.",
    when="runs of the data source road that kept their predictions",
    kept=True,
)
