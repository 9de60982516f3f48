"""What the interactive part of a report shows, as one JSON text inside the page; a script beside this draws it."""

from __future__ import annotations

from typing import Any

import numpy as np

from coolgp.network.graphs.topology import Topology
from coolgp.scenarios.base.arrays import Floats, Ints
from coolgp.scenarios.metrics.words import metric_words
from coolgp.scenarios.plots.network import layout
from coolgp.scenarios.plots.run_tables import SHOWN
from coolgp.scenarios.records.network import Network, pairs, sample
from coolgp.scenarios.records.run_folder import RunFolder

__all__ = ["explored", "explorer_words"]

MOST_AGENTS = 2000
"""Of more agents a sample is drawn; of a sample that is still larger nothing."""
MOST_LINKS = 8000
"""Of more links a part is drawn: a page of some hundred kilobytes, and lines that an eye can still tell apart."""
MOST_VALUES = 40_000
"""Of more errors, rounds times probes, every so many rounds are shown."""
SIDE = 1000
"""Coordinates are whole numbers from 0 to this, along the longer side."""


def explored(folder: RunFolder) -> dict[str, Any] | None:
    """What the script draws, in lists and numbers that JSON has; None for a network that it would not draw.

    agents: names `[N]`; x, y: places `[N]`; degrees `[N]`; links, used: ends of links in the graph and of those that
    the rule exchanged messages over, one after another; probes: places in `agents`; rounds `[R]`; pre, post: errors
    `[R,probes]`; columns: of metrics.csv, each a name and its values `[R]`.
    """
    network = _drawn(folder.network)
    if network is None:
        return None
    place = _whole_numbers(layout(network))
    shown = _shown_rounds(folder)
    return {
        "target": folder.target,
        "unit": folder.unit,
        "agents": list(network.graph.names),
        "x": place[:, 0].tolist(),
        "y": place[:, 1].tolist(),
        "degrees": np.diff(network.graph.indptr).tolist(),
        "links": _ends(network.graph),
        "used": _ends(network.links),
        "probes": network.probes.tolist(),
        "rounds": folder.probes.rounds[shown].tolist(),
        "pre": [_numbers(row) for row in folder.probes.curve_pre[shown]],
        "post": [_numbers(row) for row in folder.probes.curve_post[shown]],
        "columns": _columns(folder, folder.probes.rounds[shown]),
    }


def explorer_words(folder: RunFolder) -> str:
    """What of the network and of the rounds is shown, where that is not all."""
    network, size = _drawn(folder.network), folder.network.agents
    if network is None:
        return f"A network of {size:,} agents is not drawn here: see the figure of the network below."
    words = []
    if network.graph.size < size:
        words.append(
            f"Drawn are {network.graph.size:,} of {size:,} agents: those nearest to the centre, the probes, and those "
            "on the way to them."
        )
    links = max(network.graph.edge_count, network.links.edge_count)
    if links > MOST_LINKS:
        words.append(f"Of {links:,} links a part is drawn.")
    rounds, shown = folder.probes.rounds.size, _shown_rounds(folder).size
    if shown < rounds:
        words.append(f"Of {rounds:,} evaluated rounds {shown:,} are shown.")
    return " ".join(words)


def _drawn(network: Network) -> Network | None:
    """The network, or a sample of it, of a size that is drawn."""
    drawn = network if network.total else sample(network, MOST_AGENTS)[0]
    return drawn if drawn.graph.size <= MOST_AGENTS else None


def _whole_numbers(position: Floats) -> Ints:
    low, high = position.min(axis=0), position.max(axis=0)
    scaled = (position - low) * (SIDE / (float((high - low).max()) or 1.0))
    scaled[:, 1] = scaled[:, 1].max() - scaled[:, 1]  # on a screen y points down
    rounded: Ints = np.rint(scaled).astype(np.int64)
    return rounded


def _ends(graph: Topology) -> list[int]:
    links = pairs(graph)
    ends: list[int] = links[:: -(-len(links) // MOST_LINKS) or 1].ravel().tolist()
    return ends


def _shown_rounds(folder: RunFolder) -> Ints:
    """Places of the rounds that are shown, the last among them."""
    rounds, probes = folder.probes.rmse_pre.shape
    step = -(-rounds * probes // MOST_VALUES)
    return np.arange(rounds - 1, -1, -step)[::-1]


def _columns(folder: RunFolder, rounds: Ints) -> list[dict[str, Any]]:
    """The columns that the report's table of rounds has too."""
    row = {int(number): i for i, number in enumerate(folder.metrics["round"])}
    rows = [row.get(number) for number in rounds.tolist()]
    return [
        {
            "name": metric_words(name, folder.unit),
            "values": _numbers(np.array([np.nan if i is None else folder.metrics[name][i] for i in rows])),
        }
        for name in SHOWN
        if name in folder.metrics and name != "round"
    ]


def _numbers(values: Floats) -> list[float | None]:
    """Numbers to five digits; null where there is none, for which JSON has no word."""
    return [float(f"{value:.5g}") if np.isfinite(value) else None for value in values]
