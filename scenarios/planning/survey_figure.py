"""A picture of the graph before a run: agents coloured by their rank, and the links between ranks."""

from __future__ import annotations

from colorsys import hls_to_rgb
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from coolgp.network.graphs.topology import Topology
from coolgp.network.partition import cut
from coolgp.scenarios.base.arrays import Bools, Floats, Ints
from coolgp.scenarios.planning.survey import Survey
from coolgp.scenarios.plots.network import DRAWN_LINKS, GRAPH_LINK, layout
from coolgp.scenarios.plots.style import check_picture_path, house_style, save_picture
from coolgp.scenarios.records.network import Network, pairs

__all__ = ["draw_survey", "picture_path", "survey_figure"]

RANKS = ("#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6BB1", "#A6761D")
"""Told apart under the common colour blindnesses; blue and orange mean after and before fusion elsewhere."""
USED, CUT = "#777777", "#111111"
NAMED_RANKS = 8


def draw_survey(surveyed: Survey, path: Path) -> None:
    """Draw the figure into a PNG file, which is replaced in one step."""
    with house_style():
        save_picture(survey_figure(surveyed), path)


def picture_path(surveyed: Survey, out: Path | None = None) -> Path:
    """Where the picture goes: ``network-<name>.png`` in the working folder unless said otherwise.

    Raises ValueError for a name that does not end in .png, and where the folder is missing.
    """
    path = Path(f"network-{surveyed.scenario.name}.png") if out is None else out
    check_picture_path(path)
    return path


def survey_figure(surveyed: Survey) -> Figure:
    """Draw the graph, its links in use darker, those between two ranks darkest; in the style in force."""
    graph, size = surveyed.plan.topology, surveyed.plan.topology.size
    place = layout(Network(graph, surveyed.plan.links, np.arange(0)))
    fine = float(np.clip(20 / np.sqrt(size), 0.25, 1.6))
    figure = Figure(figsize=(9.4, 7), layout="constrained")
    axes = figure.subplots()
    across = surveyed.owner[pairs(surveyed.plan.links)]
    between = across[:, 0] != across[:, 1]
    shown = [
        _links(axes, place, pairs(graph), GRAPH_LINK, 0.6 * fine, 1),
        _links(axes, place, pairs(surveyed.plan.links)[~between], USED, 0.9 * fine, 2),
        _links(axes, place, pairs(surveyed.plan.links)[between], CUT, 1.3 * fine, 2.5),
    ]
    colours = _colours(surveyed.ranks)
    dot = float(np.clip(9000 / size, 1.5, 60))
    axes.scatter(place[:, 0], place[:, 1], s=dot, c=colours[surveyed.owner], linewidths=0, zorder=3)
    axes.set_aspect("equal")
    axes.margins(0.04)
    axes.set_axis_off()
    ranks = "1 rank" if surveyed.ranks == 1 else f"{surveyed.ranks} ranks"
    axes.set_title(f"{surveyed.scenario.name}: {size:,} agents on {ranks}")
    figure.legend(handles=_legend(surveyed, colours, between), loc="outside right upper", fontsize="small")
    figure.supxlabel(_caption(surveyed.plan.links, surveyed.owner, complete=all(shown)), fontsize="small", color="0.35")
    return figure


def _colours(ranks: int) -> Floats:
    """A colour [ranks,3] for each rank; of many ranks, hues a golden section apart, so that neighbours differ."""
    if ranks <= len(RANKS):
        return np.array([[int(name[i : i + 2], 16) / 255 for i in (1, 3, 5)] for name in RANKS[:ranks]])
    return np.array([hls_to_rgb(0.618034 * rank % 1, 0.42 + 0.18 * (rank % 2), 0.65) for rank in range(ranks)])


def _links(axes: Axes, place: Floats, links: Ints, colour: str, width: float, order: float) -> bool:
    """Draw links, of very many a part; returns whether all were drawn."""
    shown = links[:: -(-len(links) // DRAWN_LINKS) or 1]
    faint = float(np.clip(1500 / max(len(shown), 1), 0.3, 1))
    axes.add_collection(LineCollection(list(place[shown]), colors=colour, linewidths=width, alpha=faint, zorder=order))
    return len(shown) == len(links)


def _legend(surveyed: Survey, colours: Floats, between: Bools) -> list[Line2D]:
    dots = [
        Line2D([], [], linestyle="", marker="o", color=colours[rank], label=f"rank {rank}: {count:,} agents")
        for rank, count in enumerate(np.bincount(surveyed.owner, minlength=surveyed.ranks)[:NAMED_RANKS].tolist())
    ]
    if surveyed.ranks > NAMED_RANKS:
        dots.append(Line2D([], [], linestyle="", label=f"… and {surveyed.ranks - NAMED_RANKS} more ranks"))
    within, unused = int((~between).sum()), surveyed.plan.topology.edge_count - surveyed.plan.links.edge_count
    lines = [
        (CUT, 1.8, int(between.sum()), "in use, between ranks"),
        (USED, 1.4, within, "in use, within a rank"),
        (GRAPH_LINK, 1.4, unused, "not in use"),
    ]
    named = [Line2D([], [], color=c, linewidth=w, label=f"{n:,} links {words}") for c, w, n, words in lines if n]
    return dots + named


def _caption(links: Topology, owner: Ints, *, complete: bool) -> str:
    words = f"{100 * cut(links, owner):.3g} % of the links in use join two ranks: their messages go through MPI."
    return words if complete else f"{words} Of more than {DRAWN_LINKS:,} links of a kind a sample is drawn."
