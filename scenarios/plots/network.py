"""The graph: agents, links, the links that the rule exchanged messages over, and the errors of the probes."""

from __future__ import annotations

import networkx as nx
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from coolgp.network.graphs.topology import Topology
from coolgp.scenarios.base.arrays import Floats
from coolgp.scenarios.plots.drawing import Drawing
from coolgp.scenarios.records.network import Network, pairs, sample, search_from_centre
from coolgp.scenarios.records.run_folder import RunFolder

__all__ = ["NETWORK", "colour_range", "draw_links", "fit_axes", "layout", "network_figure"]

DRAWN_AGENTS = 5000
DRAWN_LINKS = 20_000
SPRING_AGENTS = 300
"""A spring layout of more agents takes over a second and is a ball of wool."""

OTHERS, GRAPH_LINK, SPOKEN_LINK = "#b8b8b8", "#d9d9d9", "#555555"


def network_figure(folder: RunFolder) -> Figure:
    """Draw the graph twice, coloured by the probes' last RMSE before and after fusion, in the style in force."""
    network = folder.network if folder.network.total else sample(folder.network, DRAWN_AGENTS)[0]
    position = layout(network)
    pre, post = folder.probes.rmse_pre[-1], folder.probes.rmse_post[-1]
    colours = ScalarMappable(colour_range(np.concatenate([pre, post])), "viridis")
    figure = Figure(figsize=(11, 5.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw(left, network, position, pre, colours, spoken=False)
    _draw(right, network, position, post, colours, spoken=True)
    left.set_title("Before fusion: each agent alone")
    right.set_title("After fusion over the dark links" if network.spoken_count else "After fusion: no link was used")
    unit = f" ({folder.unit})" if folder.unit else ""
    figure.colorbar(colours, ax=(left, right), shrink=0.75, pad=0.02, label=f"RMSE of {folder.target}{unit}")
    figure.supxlabel(_caption(network), fontsize="small", color="0.35")
    return figure


def layout(network: Network) -> Floats:
    """Return where to draw each agent `[N,2]`: its position on a map, springs if few, else a radial tree."""
    graph = network.graph
    if (place := _map(graph)) is not None:
        return place
    if graph.size > SPRING_AGENTS or graph.edge_count < graph.size:
        return _radial(network.links if network.links.edge_count else graph)
    nodes: nx.Graph[int] = nx.Graph()
    nodes.add_nodes_from(range(graph.size))
    nodes.add_edges_from(pairs(graph).tolist())
    placed = nx.spring_layout(nodes, seed=0, iterations=100)
    return np.array([placed[i] for i in range(graph.size)])


def _map(graph: Topology) -> Floats | None:
    """Return where the agents are `[N,2]`; None where that is not known, or many have links to agents far away."""
    place = graph.position
    if place is None or graph.size <= SPRING_AGENTS or not graph.edge_count:
        return place
    ends = place[pairs(graph)]
    squared = np.square(ends[:, 0] - ends[:, 1]).sum(axis=1)
    usual = 2 * place.var(axis=0).sum()  # squared distance of two agents drawn at random, in the mean
    return place if squared.mean() < 0.25 * usual else None


def _radial(graph: Topology) -> Floats:
    """Place agents on circles by their depth in a breadth-first tree; a branch's angle is as wide as its leaves.

    Circles are further apart where many agents sit: half by depth, half by the area that equal density would need.
    """
    search, hub = search_from_centre(graph), graph.size
    leaves, start, free = np.zeros((3, hub + 1))
    for i in search.order[::-1]:
        leaves[i] = max(leaves[i], 1)
        leaves[search.parent[i]] += leaves[i]
    for i in search.order:
        above = search.parent[i]
        start[i] = free[i] = free[above]
        free[above] += leaves[i]
    angle = (start + leaves / 2)[:hub] * (2 * np.pi / leaves[hub])
    depth = search.depth()
    inside = np.cumsum(np.bincount(depth))[depth] - 1
    radius = depth / max(depth.max(), 1) + np.sqrt(inside / max(hub - 1, 1))
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def colour_range(values: Floats) -> Normalize:
    """The range of all values that are numbers, with a margin where they are one."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return Normalize(0, 1)
    low, high = float(finite.min()), float(finite.max())
    margin = 0 if high - low > 1e-9 * abs(high) else 0.01 * (abs(high) or 1)
    return Normalize(low - margin, high + margin)


def _draw(
    axes: Axes, network: Network, position: Floats, errors: Floats, colours: ScalarMappable, *, spoken: bool
) -> None:
    count = network.graph.size
    fine = float(np.clip(20 / np.sqrt(count), 0.35, 1.6))
    draw_links(axes, network.graph, position, GRAPH_LINK, 0.6 * fine)
    if spoken:
        draw_links(axes, network.links, position, SPOKEN_LINK, 0.9 * fine)
    crowded = network.total and _map(network.graph) is not None  # a sample of a map lies in a small area of it
    dot = 0.6 if crowded else float(np.clip(9000 / count, 2, 40))
    axes.scatter(position[:, 0], position[:, 1], s=dot, c=OTHERS, linewidths=0, zorder=2)
    finite = np.isfinite(errors)
    probed = position[network.probes[finite]]
    axes.scatter(
        probed[:, 0],
        probed[:, 1],
        s=float(np.clip(18000 / count, 45, 130)),
        c=colours.to_rgba(errors[finite]),
        edgecolors="black",
        linewidths=0.8,
        zorder=3,
    )
    fit_axes(axes, position)


def fit_axes(axes: Axes, position: Floats) -> None:
    """Give agents at positions `[N,2]` room, and take the axes away."""
    axes.set_aspect("equal")
    low, high = position.min(axis=0), position.max(axis=0)
    reach = 0.54 * np.maximum(high - low, 0.5 * (high - low).max() or 1.0)  # agents on one line need some height too
    (left, bottom), (right, top) = (low + high) / 2 - reach, (low + high) / 2 + reach
    axes.set(xlim=(left, right), ylim=(bottom, top))
    axes.set_axis_off()


def draw_links(axes: Axes, graph: Topology, position: Floats, colour: str, width: float) -> None:
    """Draw the links of a graph, of very many a part, between agents at positions `[N,2]`; width in points."""
    links = pairs(graph)
    shown = links[:: -(-len(links) // DRAWN_LINKS) or 1]
    faint = float(np.clip(2000 / max(len(shown), 1), 0.3, 1)) if colour == GRAPH_LINK else 1
    axes.add_collection(LineCollection(list(position[shown]), colors=colour, linewidths=width, alpha=faint, zorder=1))


def _caption(network: Network) -> str:
    text = (
        f"{network.agents:,} agents, {network.link_count:,} links, of which {network.spoken_count:,} carried"
        f" messages. Coloured: the {network.probes.size} probe agents, at the last round; grey: agents not evaluated."
    )
    if network.total:
        text += f"\nDrawn: {network.graph.size:,} agents, those nearest to the centre and those on the way to a probe."
    links = max(network.graph.edge_count, network.links.edge_count)
    if links > DRAWN_LINKS:
        text += f"\nOf {links:,} links a part is drawn."
    return text


NETWORK = Drawing(
    network_figure,
    "The agents and their links. The colour of a probe agent is its error at the last round, on one scale left and "
    "right. Of a network of more than 5,000 agents a part is drawn, around the middle of the spanning tree and on the "
    "paths from there to the probes.",
)
