"""From a scenario to a simulation: data, common ground, graph, rule and transport put together."""

from __future__ import annotations

from contextlib import AbstractContextManager

from threadpoolctl import threadpool_limits

from coolgp.fusion.registry import rule_named
from coolgp.network.files import read_topology
from coolgp.network.generate import generate
from coolgp.network.mpi import MPITransport
from coolgp.network.partition import partition
from coolgp.network.topology import Topology, require_connected
from coolgp.network.transport import SerialTransport, Transport
from coolgp.scenarios.data import load
from coolgp.scenarios.dataset import Dataset
from coolgp.scenarios.evaluation import choose_probes
from coolgp.scenarios.founding import found_on_pilot
from coolgp.scenarios.launch import check_world
from coolgp.scenarios.rounds import Simulation
from coolgp.scenarios.settings import NetworkSettings, Scenario

__all__ = ["assemble", "build_topology", "connect", "one_thread"]


def build_topology(scenario: Scenario, dataset: Dataset) -> Topology:
    """The graph of a scenario, its nodes in the order of the dataset's agents.

    Raises ValueError for a file that cannot be read or does not name the agents.
    """
    network, size = scenario.network, len(dataset.agents)
    if network.is_file:
        return read_topology(network.topology).arranged(dataset.agents)
    return generate(network.topology, size, scenario.run.seed, dataset.positions, **_options(network))


def connect(topology: Topology, scenario: Scenario, ranks: int) -> Transport:
    """A transport over the links that the rule uses: the serial one, or MPI's with its world's ranks."""
    links = rule_named(scenario.fusion.rule).links(topology)
    if ranks == 1:
        return SerialTransport(links)
    owner = partition(links, ranks, scenario.network.partition)
    check_world()  # MPI starts here: whatever is wrong with the input was said before
    return MPITransport(links, owner)


def assemble(
    scenario: Scenario, dataset: Dataset | None = None, topology: Topology | None = None, ranks: int = 1
) -> Simulation:
    """Load the data and the graph (unless given) and build everything that a run needs on this rank.

    topology: its nodes are the dataset's agents, by their labels where it has any. Raises ValueError where the
    scenario and its data or graph do not fit, before any MPI work.
    """
    dataset, rule = load(scenario) if dataset is None else dataset, rule_named(scenario.fusion.rule)
    topology = build_topology(scenario, dataset) if topology is None else topology.arranged(dataset.agents)
    require_connected(topology)
    foundation = found_on_pilot(scenario, dataset)
    probes = choose_probes(len(dataset.agents), scenario.run.probes, scenario.run.seed)
    return Simulation(scenario, dataset, foundation, topology, connect(topology, scenario, ranks), rule, probes)


def one_thread() -> AbstractContextManager[object]:
    """Hold BLAS to one thread a rank: blocks of agents run side by side instead, and sums keep their order."""
    held: AbstractContextManager[object] = threadpool_limits(limits=1)
    return held


def _options(network: NetworkSettings) -> dict[str, float]:
    """The settings that this kind of graph takes, under the generators' names."""
    offered: dict[str, dict[str, float | None]] = {
        "small-world": {"neighbours": network.degree, "rewiring": network.rewiring},
        "random-regular": {"degree": network.degree},
        "erdos-renyi": {"mean_degree": network.degree},
        "geometric": {"mean_degree": network.degree},
        "scale-free": {"links": max(1, network.degree // 2)},
    }
    return {key: value for key, value in offered.get(network.topology, {}).items() if value is not None}
