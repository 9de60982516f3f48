"""A graph of owners whose nodes are named by their models, or numbered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import networkx as nx

from coolgp.network.graphs.interchange import from_networkx, to_networkx
from coolgp.network.graphs.topology import Topology
from coolgp.scenarios.config.loading import resolve_sections
from coolgp.scenarios.config.sections.network import NetworkSettings
from coolgp.scenarios.experiments.handed.settings import owners_graph
from coolgp.scenarios.records.asked import shown_path

__all__ = ["graph_of_models"]


def graph_of_models(named: str, paths: Sequence[str]) -> Topology:
    """A graph by name or file with a node for each model, in their order.

    Nodes of a file are numbers, in the order of the models, or the models' paths, file names or names without ending.
    Raises ValueError for a graph that does not fit the models, and nodes that are neither.
    """
    settings = resolve_sections({"network": NetworkSettings}, [f"network.topology={named}"], "coolgp personalise")
    network = settings["network"]
    assert isinstance(network, NetworkSettings)
    topology = owners_graph(network, len(paths), seed=0)
    if topology.labels is None:
        return topology
    places = _places(named, topology.labels, paths)
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(label for _, label in sorted(zip(places, topology.labels, strict=True)))
    graph.update(to_networkx(topology))
    return from_networkx(graph)


def _places(named: str, labels: Sequence[str], paths: Sequence[str]) -> list[int]:
    """The place of each node's model."""
    if all(label.isdecimal() for label in labels):
        return [sorted(labels, key=int).index(label) for label in labels]
    for names in ([shown_path(path) for path in paths], _ends(paths, "name"), _ends(paths, "stem")):
        if sorted(names) == sorted(labels):
            return [names.index(label) for label in labels]
    strange = next((label for label in labels if label not in _ends(paths, "stem")), labels[0])
    raise ValueError(
        f'{named}: has a node "{strange}", and no model has this name: number the nodes in the order of the models, or '
        f"name them {', '.join(_ends(paths, 'stem'))}"
    )


def _ends(paths: Sequence[str], part: str) -> list[str]:
    return [str(getattr(Path(shown_path(path)), part)) for path in paths]
