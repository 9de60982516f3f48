"""What one agent knows of a domain of two inputs, round by round: alone, after fusion, and how sure it is."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coolgp.scenarios.plots.animations.animation import Animation, Moving, typical_agent
from coolgp.scenarios.plots.field import limits, mark_agents, regular_grid, show_image
from coolgp.scenarios.plots.style import with_unit
from coolgp.scenarios.records.frames import Frames
from coolgp.scenarios.records.run_folder import RunFolder

__all__ = ["FIELD"]


def moving_field(folder: RunFolder, frames: Frames | None) -> Moving | None:
    """Draw the truth, or test rows where it is not known, and three panels of one agent; None without a grid."""
    grid = None if frames is None else regular_grid(frames.x)
    if frames is None or grid is None:
        return None
    agent, kept = typical_agent(folder, frames), folder.predictions
    before, after = frames.mean_pre[:, agent], frames.mean_post[:, agent]
    deviation = np.sqrt(frames.variance_post[:, agent])
    colours = limits(kept.y_test if kept.truth is None else kept.truth, after.ravel())
    figure = Figure(figsize=(13, 3.7), layout="constrained")
    panels = figure.subplots(1, 4, sharex=True, sharey=True)
    name = frames.agents[agent]
    certain = (float(deviation.min()), float(np.quantile(deviation, 0.98)))
    shown = (
        (show_image(panels[1], grid, before[-1], f"Agent {name} before fusion", "viridis", colours), before),
        (show_image(panels[2], grid, after[-1], f"Agent {name} after fusion", "viridis", colours), after),
        (
            show_image(panels[3], grid, deviation[-1], "Its standard deviation after fusion", "magma", certain),
            deviation,
        ),
    )
    _truth(panels[0], folder, colours)
    label = with_unit(folder.target, folder.unit)
    figure.colorbar(shown[1][0], ax=panels[:3], shrink=0.8, pad=0.01, extend="both", label=label)
    label = with_unit("std of an observation", folder.unit)
    figure.colorbar(shown[2][0], ax=panels[3], shrink=0.8, extend="max", label=label)
    mark_agents(folder, folder.probes.agents.index(name), list(panels))
    panels[0].set_ylabel(folder.features[1])

    def show(place: int) -> None:
        for image, values in shown:
            image.set_data(grid.image(values[place]))

    return Moving(figure, frames.rounds, show)


def _truth(axes: Axes, folder: RunFolder, colours: tuple[float, float]) -> None:
    kept = folder.predictions
    grid = regular_grid(kept.x_test)
    if kept.truth is not None and grid is not None:
        show_image(axes, grid, kept.truth, "Truth", "viridis", colours)
        return
    axes.set_title("Test rows", fontsize="medium")
    low, high = colours
    first, second = kept.x_test.T
    axes.scatter(first, second, s=8, c=kept.y_test, cmap="viridis", vmin=low, vmax=high, linewidths=0)


FIELD = Animation(
    moving_field,
    "What one agent makes of the domain, round by round: from its own observations alone, after fusion, and the "
    "standard deviation after fusion. The agent is the one with the median improvement of those whose predictions "
    "were kept.",
    when="runs with two inputs that kept their predictions",
    kept=True,
)
