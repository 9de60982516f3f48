"""The network round by round: errors of the probes, links that carry messages, who is away, and what is sent."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from coolgp.scenarios.base.arrays import Floats
from coolgp.scenarios.plots.animations.animation import Animation, Moving
from coolgp.scenarios.plots.animations.attendance import Attendance, attendance
from coolgp.scenarios.plots.animations.curves import Show, growing_errors, limits_of, together
from coolgp.scenarios.plots.network import (
    DRAWN_AGENTS,
    GRAPH_LINK,
    OTHERS,
    SPOKEN_LINK,
    colour_range,
    draw_links,
    fit_axes,
    layout,
)
from coolgp.scenarios.plots.style import BEFORE, NEUTRAL, round_ticks, with_unit
from coolgp.scenarios.records.frames import Frames
from coolgp.scenarios.records.network import Network, pairs, sample
from coolgp.scenarios.records.run_folder import RunFolder

__all__ = ["NETWORK"]


def moving_network(folder: RunFolder, frames: Frames | None) -> Moving:
    """Draw the graph on the left; errors and messages of each round on the right."""
    there = attendance(folder) if folder.network.graph.size <= DRAWN_AGENTS else None
    network = folder.network if folder.network.total else sample(folder.network, DRAWN_AGENTS)[0]
    position, errors = layout(network), folder.probes.curve_post
    colours = ScalarMappable(colour_range(errors.ravel()), "viridis")
    figure = Figure(figsize=(11, 5.8), layout="constrained")
    panels = figure.subplot_mosaic([["graph", "error"], ["graph", "messages"]], width_ratios=[1.35, 1])
    graph = panels["graph"]
    draw_links(graph, network.graph, position, GRAPH_LINK, _width(network))
    shown = [
        _links(graph, network, position, there),
        _away(graph, position, there),
        _probes(graph, network, position, errors, colours),
        growing_errors(panels["error"], folder, single=False),
        _messages(panels["messages"], folder),
    ]
    fit_axes(graph, position)
    graph.set_title("Dark: links that carry messages" + (" in this round" if there else ", in any round"))
    figure.colorbar(
        colours, ax=graph, shrink=0.6, pad=0.01, location="left", label=with_unit("RMSE after fusion", folder.unit)
    )
    words = f"Coloured: the {network.probes.size} probe agents. " + _away_words(there)
    figure.supxlabel(words, fontsize="small", color="0.35")
    return Moving(figure, folder.probes.rounds, together(shown))


def _width(network: Network) -> float:
    """Of links, in points."""
    return float(np.clip(18 / np.sqrt(network.graph.size), 0.35, 1.4))


def _links(axes: Axes, network: Network, position: Floats, there: Attendance | None) -> Show:
    """The links of the rule; where attendance is known, those that carried messages in a round."""
    ends = position[pairs(network.links)]
    lines = LineCollection(list(ends), colors=SPOKEN_LINK, linewidths=1.5 * _width(network), zorder=1.5)
    axes.add_collection(lines)
    return lambda place: lines.set_segments(list(ends if there is None else ends[there.spoken[place]]))


def _away(axes: Axes, position: Floats, there: Attendance | None) -> Show:
    """Dots for agents that are there, crosses for those that are away."""
    size = float(np.clip(6000 / len(position), 2, 30))
    dots = axes.scatter(position[:, 0], position[:, 1], s=size, c=OTHERS, linewidths=0, zorder=2)
    crosses = axes.scatter([], [], s=2.5 * max(size, 12), marker="x", c=BEFORE, linewidths=1.6, zorder=4)

    def show(place: int) -> None:
        present = np.ones(len(position), dtype=bool) if there is None else there.present[place]
        dots.set_offsets(position[present])
        crosses.set_offsets(position[~present])

    return show


def _probes(axes: Axes, network: Network, position: Floats, errors: Floats, colours: ScalarMappable) -> Show:
    """The probes in the colour of their error `[R,probes]`; one without an error in a round is white."""
    where = position[network.probes]
    size = float(np.clip(18000 / len(position), 45, 110))
    dots = axes.scatter(where[:, 0], where[:, 1], s=size, edgecolors="black", linewidths=0.8, zorder=3)

    def show(place: int) -> None:
        known = np.isfinite(errors[place])
        shades = colours.to_rgba(np.where(known, errors[place], 0.0))
        dots.set_facecolor(np.where(known[:, None], shades, 1.0).tolist())

    return show


def _messages(axes: Axes, folder: RunFolder) -> Show:
    """A bar for the messages of each round, and what the channel lost of them."""
    rounds, sent = folder.metrics["round"], np.nan_to_num(folder.metrics["messages"])
    lost = np.nan_to_num(folder.metrics.get("lost", np.zeros_like(sent)))
    width = 0.8 * float(np.diff(rounds).min(initial=np.inf)) if len(rounds) > 1 else 0.8
    bars = axes.bar(rounds, sent, width, color=NEUTRAL, label="sent")
    of_lost = axes.bar(rounds, lost, width, color=BEFORE, label="of these lost")
    axes.set(xlabel="round of learning", ylabel="messages")
    axes.set_ylim(*limits_of(1.3 * sent if lost.any() else sent))  # room for the legend
    axes.xaxis.set_major_locator(round_ticks(rounds, 6))
    if lost.any():
        axes.legend(loc="upper right", ncols=2)

    def show(place: int) -> None:
        for number, pair in enumerate(zip(bars, of_lost, strict=True)):
            for bar in pair:
                bar.set_visible(number <= place)

    return show


def _away_words(there: Attendance | None) -> str:
    if there is None:
        return "Who was away is not known from this folder."
    return "Everybody is there in each round." if there.present.all() else "Crosses: agents that are away."


NETWORK = Animation(
    moving_network,
    "The network round by round: the colour of a probe agent is its error after fusion, dark links carry messages, "
    "crosses are agents that are away. Beside it the error of the probes, and the messages of each round.",
)
