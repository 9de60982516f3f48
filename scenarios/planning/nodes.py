"""A run planned on the nodes of a cluster: on how many, whether it fits there, and what other numbers of them give."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from coolgp.network.partition import block_count
from coolgp.scenarios.base.formatting import counted, size_text
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.config.sections.run import RunSettings
from coolgp.scenarios.planning.cluster import Cluster, OnNodes, check_dealt, on_nodes
from coolgp.scenarios.planning.crossing import links_of
from coolgp.scenarios.planning.duration import Duration, measure
from coolgp.scenarios.planning.limits import loaded, smaller
from coolgp.scenarios.planning.memory import Estimate, estimate_of
from coolgp.scenarios.planning.shape import Shape, shape_of

__all__ = ["PlannedNodes", "fewest_nodes", "plan_nodes"]

AROUND = 8
"""Up to so many times more and fewer nodes are compared."""


@dataclass(frozen=True, kw_only=True)
class PlannedNodes:
    """A run on a cluster. others: the same on powers of two of nodes; problem: why it does not fit, or empty."""

    on: OnNodes
    duration: Duration
    others: tuple[OnNodes, ...]
    problem: str

    @property
    def words(self) -> str:
        """How many nodes and ranks, and how long."""
        time = f"about {self.duration.seconds:,.0f} s" if self.duration.known else "for a time that is not known"
        return f"{counted(self.on.cluster.ranks, 'rank')} on {counted(self.on.cluster.nodes, 'node')}, {time}"


def plan_nodes(scenario: Scenario, wanted: Cluster) -> PlannedNodes:
    """Plan a run on a cluster; where no number of ranks is wanted (0), on the fewest nodes that it fits on.

    Takes some seconds. Raises ValueError where there are fewer blocks of agents than ranks, neither ranks nor memory
    are said, or no number of nodes suffices.
    """
    if not (math.isfinite(wanted.gbits) and wanted.gbits > 0):
        raise ValueError(f"--gbits needs a number above 0; got {wanted.gbits}")
    if not wanted.ranks and wanted.node_bytes is None:
        raise ValueError("--ranks-per-node needs --ranks, or --memory-per-node to find the fewest nodes that suffice")
    dataset = loaded(scenario)
    shape = shape_of(scenario, dataset)
    cluster = wanted if wanted.ranks else _smallest(scenario, shape, wanted)
    check_dealt(shape.agents, cluster.ranks)
    needs, links = estimate_of(scenario, shape, cluster.place), links_of(scenario, shape, dataset)
    duration = measure(scenario, needs, dataset)

    def on(nodes: Cluster) -> OnNodes:
        return on_nodes(scenario, nodes, needs, duration, links)

    chosen = on(cluster)
    return PlannedNodes(
        on=chosen,
        duration=duration,
        others=tuple(on(other) for other in _around(cluster, block_count(shape.agents))),
        problem="" if chosen.fits is not False else _problem(scenario, chosen),
    )


def fewest_nodes(scenario: Scenario, shape: Shape, cluster: Cluster) -> int | None:
    """The fewest full nodes that the run fits on; None where it fits on no number of them."""
    per_node, memory = cluster.ranks_per_node, cluster.node_bytes or math.inf

    def fits(nodes: int) -> bool:
        return per_node * _needs(scenario, shape, cluster, nodes).peak.bytes <= memory

    low, high = 0, block_count(shape.agents) // per_node  # what a rank needs never grows with their number
    if high < 1 or not fits(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


def _needs(scenario: Scenario, shape: Shape, cluster: Cluster, nodes: int) -> Estimate:
    return estimate_of(scenario, shape, replace(cluster, ranks=nodes * cluster.ranks_per_node).place)


def _smallest(scenario: Scenario, shape: Shape, wanted: Cluster) -> Cluster:
    """The cluster with as many ranks as fill the fewest nodes. Raises ValueError where none suffice."""
    nodes = fewest_nodes(scenario, shape, wanted)
    if nodes is not None:
        return replace(wanted, ranks=nodes * wanted.ranks_per_node)
    most = block_count(shape.agents)
    check_dealt(shape.agents, wanted.ranks_per_node)
    rank = _needs(scenario, shape, wanted, most // wanted.ranks_per_node).peak.bytes
    fewer = int((wanted.node_bytes or 0.0) // rank)
    raise ValueError(
        f"{scenario.name} fits on no number of nodes of {size_text(wanted.node_bytes or 0.0)} with "
        f"{counted(wanted.ranks_per_node, 'rank')} each: a rank needs {size_text(rank)} at least; "
        f"take {_ways(scenario.run, [f'--ranks-per-node {fewer}'] * (fewer > 0))}"
    )


def _around(cluster: Cluster, blocks: int) -> list[Cluster]:
    """The cluster itself and those with a power of two of full nodes not far from it, in order."""
    powers = [2**power for power in range(blocks.bit_length())]
    near = [n for n in powers if cluster.nodes / AROUND <= n <= AROUND * cluster.nodes and n != cluster.nodes]
    full = [replace(cluster, ranks=n * cluster.ranks_per_node) for n in near if n * cluster.ranks_per_node <= blocks]
    return sorted([*full, cluster], key=lambda one: one.nodes)


def _problem(scenario: Scenario, on: OnNodes) -> str:
    """What does not fit, and what would."""
    cluster, memory = on.cluster, on.cluster.node_bytes or 0.0
    nodes, fewer = fewest_nodes(scenario, on.needs.shape, cluster), int(memory // on.needs.peak.bytes)
    ways = [] if nodes is None else [f"--ranks {nodes * cluster.ranks_per_node} on {counted(nodes, 'node')}"]
    if fewer:
        ways.append(f"--ranks-per-node {fewer} on {counted(-(-cluster.ranks // fewer), 'node')}")
    return (
        f"{scenario.name} would not fit: {counted(min(cluster.ranks, cluster.ranks_per_node), 'rank')} of a node need "
        f"{size_text(on.node_bytes)} at the peak, and a node has {size_text(memory)}; take {_ways(scenario.run, ways)}"
    )


def _ways(run: RunSettings, ways: list[str]) -> str:
    return ", or ".join([*ways, *smaller(run)])
