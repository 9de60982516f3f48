"""A field: the noiseless function, an agent before fusion, the same agent after it, and its standard deviation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator

from coolgp.scenarios.base.arrays import Floats, Ints
from coolgp.scenarios.config.sources import source_named
from coolgp.scenarios.plots.drawing import Drawing
from coolgp.scenarios.records.run_folder import RunFolder

__all__ = ["FIELD", "Grid", "field_figure", "limits", "mark_agents", "regular_grid", "show_image"]


@dataclass(frozen=True)
class Grid:
    """Test inputs that form a full regular grid."""

    cell: tuple[Ints, Ints]
    """`[Q]` row and `[Q]` column of each test row; the row counts along the second input."""
    shape: tuple[int, int]
    extent: tuple[float, float, float, float]
    """Left, right, bottom and top, half a cell beyond the outer points."""

    def image(self, values: Floats) -> Floats:
        """Arrange `[Q]` values as an image."""
        picture = np.empty(self.shape)
        picture[self.cell] = values
        return picture


def regular_grid(x: Floats) -> Grid | None:
    """Return the grid that test inputs `x [Q,D]` form; None if they do not, or are not two-dimensional.

    >>> regular_grid(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0], [1.0, 2.0]])).extent
    (-0.5, 1.5, -1.0, 3.0)
    """
    if x.shape[1] != 2:
        return None
    ticks = [np.unique(column) for column in x.T]
    steps = [np.diff(tick) for tick in ticks]
    full = len(x) == ticks[0].size * ticks[1].size == len(np.unique(x, axis=0))
    if not full or any(step.size == 0 or np.ptp(step) > 1e-6 * step.max() for step in steps):
        return None
    column, row = (np.searchsorted(tick, values) for tick, values in zip(ticks, x.T, strict=True))
    half = [float(step.mean()) / 2 for step in steps]
    (left, right), (low, high) = ((float(tick[0]), float(tick[-1])) for tick in ticks)
    extent = (left - half[0], right + half[0], low - half[1], high + half[1])
    return Grid((row, column), (ticks[1].size, ticks[0].size), extent)


def field_figure(folder: RunFolder) -> Figure | None:
    """Draw four panels in the style in force; None where the truth is not known on a regular two-dimensional grid."""
    predictions = folder.predictions
    grid = regular_grid(predictions.x_test)
    if grid is None or predictions.truth is None:
        return None
    i = folder.probes.typical
    alone, fused = predictions.mean_pre[i], predictions.mean_post[i]
    deviation = np.sqrt(predictions.variance_post[i])
    unit = f" ({folder.unit})" if folder.unit else ""
    figure = Figure(figsize=(13, 3.6), layout="constrained")
    panels = figure.subplots(1, 4, sharex=True, sharey=True)
    low, high = limits(predictions.truth, alone, fused)
    titles = ("Truth", *_titles(folder, i))
    for axes, values, title in zip(panels[:3], (predictions.truth, alone, fused), titles, strict=True):
        values_image = show_image(axes, grid, values, title, "viridis", (low, high))
    figure.colorbar(values_image, ax=panels[:3], shrink=0.8, pad=0.01, extend="both", label=f"{folder.target}{unit}")
    common = np.minimum(deviation, np.quantile(deviation, 0.98))  # else a few cells at the edge take all the colours
    doubt = show_image(panels[3], grid, deviation, "Its standard deviation after fusion", "magma", limits(common))
    figure.colorbar(doubt, ax=panels[3], shrink=0.8, extend="max", label=f"std of an observation{unit}")
    mark_agents(folder, i, list(panels))
    panels[0].set_ylabel(folder.features[1])
    return figure


def _titles(folder: RunFolder, i: int) -> tuple[str, str]:
    name = folder.predictions.agents[i]
    errors = (folder.probes.rmse_pre[-1, i], folder.probes.rmse_post[-1, i])
    alone, fused = (f"\nRMSE {error:.3g}" if np.isfinite(error) else "" for error in errors)
    return f"Agent {name} before fusion{alone}", f"Agent {name} after fusion{fused}"


def limits(first: Floats, *others: Floats) -> tuple[float, float]:
    """Return the range of the first values; where they do not vary, that of all with a margin."""
    if np.ptp(first) > 0:
        return float(first.min()), float(first.max())
    every = np.concatenate([first, *others])
    margin = 0.01 * (float(np.abs(every).max()) or 1.0)
    return float(every.min()) - margin, float(every.max()) + margin


def show_image(
    axes: Axes, grid: Grid, values: Floats, title: str, colours: str, reach: tuple[float, float]
) -> AxesImage:
    """Show values `[Q]` on a grid as an image with its title; colours: of a map, which spans the reach."""
    axes.set_title(title, fontsize="medium")
    axes.grid(visible=False)
    return axes.imshow(
        grid.image(values),
        extent=grid.extent,
        origin="lower",
        cmap=colours,
        vmin=reach[0],
        vmax=reach[1],
        aspect="equal" if _is_compact(grid) else "auto",
    )


def _is_compact(grid: Grid) -> bool:
    left, right, low, high = grid.extent
    return 0.5 <= (high - low) / (right - left) <= 2


def mark_agents(folder: RunFolder, i: int, panels: list[Axes]) -> None:
    """Mark the agent and, small, all others, where the graph has them in the coordinates of the inputs."""
    for axes in panels:
        axes.set_xlabel(folder.features[0])
        axes.xaxis.set_major_locator(MaxNLocator(3))
    position = folder.network.graph.position
    if position is None or not source_named(folder.config.data.source).placed:
        return
    left, right, low, high = panels[0].get_xlim() + panels[0].get_ylim()
    own = position[folder.network.probes[i]]
    others = position[:0] if folder.network.total else position
    dot = float(np.clip(600 / len(position), 0.5, 5))
    for axes in panels:
        axes.scatter(others[:, 0], others[:, 1], s=dot, c="white", alpha=0.7, linewidths=0)
        axes.scatter(own[0], own[1], s=110, marker="*", c="#D55E00", edgecolors="white", linewidths=1, zorder=3)
        axes.set(xlim=(left, right), ylim=(low, high))
    words = "Star: this agent." + (" White dots: the other agents." if len(others) else "")
    panels[0].figure.supxlabel(words, fontsize="small", color="0.35")


FIELD = Drawing(
    field_figure,
    "The true field, the prediction of one agent from its own observations alone, and that of the same agent after "
    "fusion, with its standard deviation. The agent is the one with the median improvement over the probe agents.",
    when="the noiseless function is known on a regular two-dimensional grid",
)
