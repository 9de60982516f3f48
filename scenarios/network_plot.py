"""A picture of the graph: who is linked to whom, over which links the rule spoke, and how well the probes predict."""

from __future__ import annotations

from dataclasses import dataclass, replace

import networkx as nx
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from scipy.sparse import csgraph, csr_array

from coolgp.network.search import centre
from coolgp.network.topology import Topology, from_edges
from coolgp.scenarios.dataset import Floats, Ints
from coolgp.scenarios.run_folder import Bools, Network, RunFolder

__all__ = ["layout", "network_figure", "pairs", "sample"]

DRAWN_AGENTS = 5000
SAMPLED_AGENTS = 1500
"""Fewer than could be drawn: in a part of a graph the eye looks for its structure."""
DRAWN_LINKS = 20_000
SPRING_AGENTS = 300
"""A spring layout of more agents takes over a second and is a ball of wool."""

OTHERS, GRAPH_LINK, SPOKEN_LINK = "#b8b8b8", "#d9d9d9", "#555555"


def network_figure(folder: RunFolder) -> Figure:
    """Draw the graph twice, coloured by the probes' last RMSE before and after fusion, in the style in force."""
    network, sampled = sample(folder.network, DRAWN_AGENTS)
    position = layout(network)
    pre, post = folder.probes.rmse_pre[-1], folder.probes.rmse_post[-1]
    colours = ScalarMappable(_norm(np.concatenate([pre, post])), "viridis")
    figure = Figure(figsize=(11, 5.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw(left, network, position, pre, colours, spoken=False)
    _draw(right, network, position, post, colours, spoken=True)
    left.set_title("Before fusion: each agent alone")
    count = network.links.edge_count
    right.set_title("After fusion over the dark links" if count else "After fusion: no link was used")
    unit = f" ({folder.unit})" if folder.unit else ""
    figure.colorbar(colours, ax=(left, right), shrink=0.75, pad=0.02, label=f"RMSE of {folder.target}{unit}")
    figure.supxlabel(_caption(folder.network, network, sampled), fontsize="small", color="0.35")
    return figure


def layout(network: Network) -> Floats:
    """Return where to draw each agent `[N,2]`: its position if known, springs if few, else a radial tree."""
    graph = network.graph
    if graph.position is not None:
        return np.asarray(graph.position, dtype=np.float64)
    if graph.size > SPRING_AGENTS or graph.edge_count < graph.size:
        return _radial(network.links if network.links.edge_count else graph)
    nodes: nx.Graph[int] = nx.Graph()
    nodes.add_nodes_from(range(graph.size))
    nodes.add_edges_from(pairs(graph).tolist())
    placed = nx.spring_layout(nodes, seed=0, iterations=100)
    return np.array([placed[i] for i in range(graph.size)])


@dataclass(frozen=True)
class _Search:
    """A breadth-first tree over all agents, under a hub N that is added above the root (the roots, if in pieces)."""

    order: Ints
    """`[N]`, agents as they were found."""
    parent: Ints
    """`[N+1]`, the agent, or hub, that each was found from; the hub is its own."""
    pieces: int

    def depth(self) -> Ints:
        """Return the hops `[N]` from the root; from the hub where there are several."""
        depth = np.zeros(len(self.parent), dtype=np.int64)
        depth[-1] = -1 if self.pieces == 1 else 0
        for i in self.order:
            depth[i] = depth[self.parent[i]] + 1
        return depth[:-1]


def _search(graph: Topology) -> _Search:
    """Search from the centre; where the graph is in pieces, from the first agent of each."""
    matrix, hub = graph.matrix(), graph.size
    pieces, piece = csgraph.connected_components(matrix, directed=False)
    roots = [centre(matrix)] if pieces == 1 else np.unique(piece, return_index=True)[1].tolist()
    ends = np.concatenate([pairs(graph), [[hub, root] for root in roots]])
    joined = csr_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(hub + 1, hub + 1))
    order, parent = csgraph.breadth_first_order(joined, hub, directed=False)
    parent[hub] = hub
    return _Search(order[1:].astype(np.int64), parent.astype(np.int64), pieces)


def _radial(graph: Topology) -> Floats:
    """Place agents on circles by their depth in a breadth-first tree; a branch's angle is as wide as its leaves.

    Circles are further apart where many agents sit: half by depth, half by the area that equal density would need.
    """
    search, hub = _search(graph), graph.size
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


def sample(network: Network, most: int) -> tuple[Network, bool]:
    """Keep the agents nearest to the tree's centre, the probes, and the paths to them, if there are more than `most`.

    Returns what is kept, and whether that is less than all.
    """
    size = network.graph.size
    if size <= most:
        return network, False
    search = _search(network.links if network.links.edge_count else network.graph)
    order = np.lexsort((np.random.default_rng(0).random(size), search.depth()))  # within a depth at random
    keep = np.zeros(size + 1, dtype=bool)
    keep[order[:SAMPLED_AGENTS]] = keep[size] = True
    ahead = network.probes
    while not keep[ahead].all():
        keep[ahead] = True
        ahead = search.parent[ahead]
    keep, new = keep[:size], np.cumsum(keep) - 1
    return Network(_part(network.graph, keep), _part(network.links, keep), new[network.probes]), True


def _part(graph: Topology, keep: Bools) -> Topology:
    new, links = np.cumsum(keep) - 1, pairs(graph)
    inside = new[links[keep[links].all(axis=1)]]
    part = from_edges(inside[:, 0], inside[:, 1], int(keep.sum()))
    return part if graph.position is None else replace(part, position=graph.position[keep])


def pairs(graph: Topology) -> Ints:
    """Return each link once `[L,2]`."""
    once = graph.tail < graph.indices
    return np.stack([graph.tail[once], graph.indices[once]], axis=1)


def _norm(values: Floats) -> Normalize:
    known = values[np.isfinite(values)]
    if not known.size:
        return Normalize(0, 1)
    low, high = float(known.min()), float(known.max())
    margin = 0 if high - low > 1e-9 * abs(high) else 0.01 * (abs(high) or 1)
    return Normalize(low - margin, high + margin)


def _draw(
    axes: Axes, network: Network, position: Floats, errors: Floats, colours: ScalarMappable, *, spoken: bool
) -> None:
    count = network.graph.size
    fine = float(np.clip(20 / np.sqrt(count), 0.35, 1.6))
    _draw_links(axes, network.graph, position, GRAPH_LINK, 0.6 * fine)
    if spoken:
        _draw_links(axes, network.links, position, SPOKEN_LINK, 0.9 * fine)
    axes.scatter(
        position[:, 0], position[:, 1], s=float(np.clip(9000 / count, 2, 40)), c=OTHERS, linewidths=0, zorder=2
    )
    known = np.isfinite(errors)
    probed = position[network.probes[known]]
    axes.scatter(
        probed[:, 0],
        probed[:, 1],
        s=float(np.clip(18000 / count, 45, 130)),
        c=colours.to_rgba(errors[known]),
        edgecolors="black",
        linewidths=0.8,
        zorder=3,
    )
    axes.set_aspect("equal")
    low, high = position.min(axis=0), position.max(axis=0)
    reach = 0.54 * np.maximum(high - low, 0.5 * (high - low).max() or 1.0)  # agents on one line need some height too
    (left, bottom), (right, top) = (low + high) / 2 - reach, (low + high) / 2 + reach
    axes.set(xlim=(left, right), ylim=(bottom, top))
    axes.set_axis_off()


def _draw_links(axes: Axes, graph: Topology, position: Floats, colour: str, width: float) -> None:
    links = pairs(graph)
    shown = links[:: -(-len(links) // DRAWN_LINKS) or 1]
    faint = float(np.clip(2000 / max(len(shown), 1), 0.3, 1)) if colour == GRAPH_LINK else 1
    axes.add_collection(LineCollection(list(position[shown]), colors=colour, linewidths=width, alpha=faint, zorder=1))


def _caption(whole: Network, drawn: Network, sampled: bool) -> str:
    text = (
        f"{whole.graph.size:,} agents, {whole.graph.edge_count:,} links, of which {whole.links.edge_count:,} carried"
        f" messages. Coloured: the {whole.probes.size} probe agents, at the last round; grey: agents not evaluated."
    )
    if sampled:
        text += f"\nDrawn: {drawn.graph.size:,} agents, those nearest to the centre and those on the way to a probe."
    links = max(drawn.graph.edge_count, drawn.links.edge_count)
    if links > DRAWN_LINKS:
        text += f"\nOf {links:,} links a part is drawn."
    return text
