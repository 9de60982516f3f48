"""Whose models take part in a newcomer's model: those that are broken are left out, by name and with the reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.network import Network
from coolgp.agents.experts.queries.black_box import BlackBox
from coolgp.agents.experts.queries.failure import ExpertFailed
from coolgp.agents.sparse.gp import SparseGP
from coolgp.fusion.personalise.outcome import Request
from coolgp.network.graphs.given import Graph, checked_graph
from coolgp.network.graphs.interchange import from_networkx, to_networkx
from coolgp.network.graphs.topology import Topology

__all__ = ["Owners", "box_fault", "gp_fault", "network_faults", "owners_left", "without_owners"]

Model = TypeVar("Model")
LARGEST = 10.0
"""Values at inducing inputs, in standard deviations of a model's own prior, root mean square: more fits no rows."""
TIMES = 1000.0
"""A layer's weights, as a multiple of what other networks have there: more is no fit of rows."""
SKEW = 1e-6
"""Difference of a precision and its transpose, relative to the largest element: less is rounding."""


@dataclass(frozen=True)
class Owners(Generic[Model]):
    """Models that take part, with their names, the graph of their owners, and who is left out, with the reason."""

    names: tuple[str, ...]
    models: tuple[Model, ...]
    graph: Graph | None
    left_out: Mapping[str, str]


def owners_left(request: Request, models: Sequence[Model], faults: Sequence[str]) -> Owners[Model]:
    """The models without a fault, in their order; faults: a reason for each, empty for none.

    Raises ValueError with all names and reasons where no model is left, and for a graph that does not fit the models.
    """
    out = {name: fault for name, fault in zip(request.names, faults, strict=True) if fault}
    stay = [place for place, fault in enumerate(faults) if not fault]
    if not stay:
        raise ValueError(f"no model is left: {_by_reason(out)}")
    graph = request.graph
    if graph is not None:
        graph = without_owners(checked_graph(graph, len(models)), [p for p in range(len(models)) if p not in stay])
    return Owners(tuple(request.names[p] for p in stay), tuple(models[p] for p in stay), graph, out)


def _by_reason(out: Mapping[str, str]) -> str:
    names = {reason: [name for name, other in out.items() if other == reason] for reason in out.values()}
    return "; ".join(f"{', '.join(who)}: {reason}" for reason, who in names.items())


def without_owners(topology: Topology, places: Sequence[int]) -> Topology:
    """The graph of the others; who is left out passes messages on, so that its neighbours become neighbours in a row.

    >>> from coolgp.network.graphs.topology import from_edges
    >>> without_owners(from_edges([0, 1, 2], [1, 2, 3], size=4), [1]).edge_count
    2
    """
    if not places:
        return topology
    graph, names = to_networkx(topology), topology.labels or range(topology.size)
    for place in places:
        around = list(graph[names[place]])
        graph.remove_node(names[place])
        graph.add_edges_from(pairwise(around))
    for *_, kept in graph.edges(data=True):
        kept.pop("weight", None)  # of a link that is new nobody knows it
    return from_networkx(graph)


def inputs_fault(takes: int | None, inputs: int) -> str:
    """Why a model that takes so many inputs does not fit rows of so many; empty where it does."""
    return "" if takes in (None, inputs) else f"takes {takes} inputs; the newcomer's rows have {inputs}"


def gp_fault(model: SparseGP, inputs: int) -> str:
    """What is wrong with a sparse GP for rows of so many inputs; empty for nothing."""
    at = model.parameters
    positive = (at.lengthscale, np.array([at.signal_variance, at.noise_variance]))
    numbers = (at.inducing_inputs, model.precision, model.shift, np.array([model.center]), *positive)
    if at.inducing_inputs.shape[1] != inputs:
        return inputs_fault(at.inducing_inputs.shape[1], inputs)
    if not all(np.isfinite(values).all() for values in numbers):
        return "has parameters that are not finite"
    if not all((values > 0).all() for values in positive):
        return "has lengthscales or variances that are not above 0"
    skew = np.abs(model.precision - model.precision.T).max(initial=0.0)
    try:
        factor = cho_factor(model.precision + np.eye(len(model.shift)))
    except LinAlgError:
        skew = np.inf
    if skew > SKEW * max(float(np.abs(model.precision).max(initial=0.0)), 1.0):
        return "has evidence that no rows leave: its precision is not symmetric, or not positive"
    far = float(np.sqrt(np.mean(np.square(cho_solve(factor, model.shift)))))
    return "" if far <= LARGEST else f"states values that are {far:.0f} standard deviations of its own prior"


def network_faults(networks: Sequence[Network | str], inputs: int) -> list[str]:
    """What is wrong with each network for rows of so many inputs, empty for nothing; a text is a fault already."""
    sound = [each for each in networks if isinstance(each, Network) and each.inputs == inputs]
    shapes = {len(each.weights) for each in sound}
    typical = np.median([_sizes(each) for each in sound], axis=0) if len(sound) > 2 and len(shapes) == 1 else None
    faults = []
    for network in networks:
        fault = network if isinstance(network, str) else inputs_fault(network.inputs, inputs)
        if not fault and typical is not None and isinstance(network, Network):
            times = float((_sizes(network) / np.maximum(typical, 1e-300)).max())
            fault = f"has weights {times:.2g} times as large as the other networks'" if times > TIMES else ""
        faults.append(fault)
    return faults


def _sizes(network: Network) -> Array:
    """Root mean square of the weights of each layer."""
    return np.array([np.sqrt(np.mean(np.square(weights))) for weights in network.weights])


def box_fault(box: BlackBox, ask: Callable[[], object], inputs: int) -> str:
    """What goes wrong with a model when it is asked; empty for nothing."""
    fault = inputs_fault(box.model.inputs, inputs)
    if fault:
        return fault
    try:
        ask()
    except ExpertFailed as problem:
        return problem.reason
    return ""
