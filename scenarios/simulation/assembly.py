"""From a scenario to a simulation: data, common ground, graph, rule and transport put together."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from threadpoolctl import threadpool_limits

from coolgp.fusion.guarantee import Guarantee
from coolgp.fusion.registry import rule_named
from coolgp.fusion.rule import FusionRule, SeesData
from coolgp.network.graphs.connectivity import require_connected
from coolgp.network.graphs.files import names_rounds, read_schedule, read_topology
from coolgp.network.graphs.generate import generate
from coolgp.network.graphs.schedule import Schedule, arranged
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.channel import FaultyTransport
from coolgp.network.links.dynamics import Dynamics
from coolgp.network.links.faults import Faults
from coolgp.network.links.motion import in_unit_square, moving, reach_for
from coolgp.network.mpi import MPITransport
from coolgp.network.partition import partition
from coolgp.network.serial import SerialTransport
from coolgp.network.transport import Transport
from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.base.mpiexec import check_world
from coolgp.scenarios.config.fusion import rule_options
from coolgp.scenarios.config.network import NetworkSettings, faults_of
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.data.loading import load
from coolgp.scenarios.simulation.evaluation import choose_probes
from coolgp.scenarios.simulation.initialisation import start_from_pilot
from coolgp.scenarios.simulation.rounds import Simulation, rounds_of

__all__ = ["Plan", "assemble", "build_topology", "connect", "one_thread", "plan"]


@dataclass(frozen=True)
class Plan:
    """Who can talk to whom, what goes wrong, and how the rule goes about it: known before any message.

    topology: all links that there are in some round; schedule: which of them are there when, None where links stay;
    rule: fitted to this network; guarantee: what it promises there; links: those that it speaks over.
    """

    topology: Topology
    schedule: Schedule | None
    faults: Faults
    rule: FusionRule
    guarantee: Guarantee
    links: Topology


def build_topology(scenario: Scenario, dataset: Dataset) -> tuple[Topology, Schedule | None]:
    """The graph of a scenario, its nodes in the order of the dataset's agents, and which links are there when.

    Raises ValueError for a file that cannot be read or does not name the agents.
    """
    network, size = scenario.network, len(dataset.agents)
    if not network.is_file:
        return generate(network.topology, size, scenario.run.seed, dataset.positions, **_options(network)), None
    if names_rounds(network.topology):
        return arranged(*read_schedule(network.topology), dataset.agents)
    return read_topology(network.topology).arranged(dataset.agents), None


def plan(scenario: Scenario, dataset: Dataset, topology: Topology | None = None) -> Plan:
    """Find out what can be known of the network before a run.

    topology: in place of what the scenario names. Raises ValueError where graph, faults, rule and agents do not fit,
    and ConfigError where the rule is asked for a fixed point that these faults do not leave it.
    """
    named = build_topology(scenario, dataset) if topology is None else (topology.arranged(dataset.agents), None)
    topology, schedule = _moving(scenario, dataset, named[0]) if scenario.network.speed else named
    _check_connected(topology, scenario.network)
    faults = faults_of(scenario.network, dataset.agents, moving=schedule is not None)
    rule = chosen_rule(scenario).fit(topology, faults)
    guarantee = rule.guarantee(topology, faults)
    _check_fixed_point(scenario, faults, guarantee)
    _check_digits(scenario)
    _check_extension(scenario, faults, rule)
    return Plan(topology, schedule, faults, rule, guarantee, rule.links(topology))


def chosen_rule(scenario: Scenario) -> FusionRule:
    """The scenario's rule with its options; one that draws at random does so from the run's seed."""
    rule, options = scenario.fusion.rule, scenario.fusion.options
    seeded = {"seed": scenario.run.seed} if "seed" in (rule_options(rule) or {}) else {}
    return rule_named(rule, seeded | options)


def connect(plan: Plan, scenario: Scenario, ranks: int) -> Transport:
    """A transport over the links that the rule uses: the serial one, or MPI's with its world's ranks."""
    seed = scenario.run.seed
    dynamics = Dynamics(plan.topology, plan.faults, seed, plan.schedule)
    inner = _inner(plan.links, scenario, ranks)
    return inner if plan.faults.perfect else FaultyTransport(inner, dynamics, plan.faults, seed)


def assemble(
    scenario: Scenario, dataset: Dataset | None = None, topology: Topology | None = None, ranks: int = 1
) -> Simulation:
    """Load the data and the graph (unless given) and build everything that a run needs on this rank.

    topology: its nodes are the dataset's agents, by their labels where it has any. Raises ValueError where the
    scenario and its data or graph do not fit, before any MPI work.
    """
    dataset = load(scenario) if dataset is None else dataset
    network = plan(scenario, dataset, topology)
    shared_start = start_from_pilot(scenario, dataset)
    probes = choose_probes(len(dataset.agents), scenario.run.probes, scenario.run.seed)
    transport = connect(network, scenario, ranks)
    known = (network.rule, probes, network.guarantee, network.faults)
    return Simulation(scenario, dataset, shared_start, network.topology, network.links, transport, *known)


def one_thread() -> AbstractContextManager[object]:
    """Hold BLAS to one thread a rank: blocks of agents run side by side instead, and sums keep their order."""
    held: AbstractContextManager[object] = threadpool_limits(limits=1)
    return held


def _inner(links: Topology, scenario: Scenario, ranks: int) -> Transport:
    if ranks == 1:
        return SerialTransport(links)
    owner = partition(links, ranks, scenario.network.partition)
    check_world()  # MPI starts here: whatever is wrong with the input was said before
    return MPITransport(links, owner)


def _moving(scenario: Scenario, dataset: Dataset, topology: Topology) -> tuple[Topology, Schedule]:
    """The links of agents that walk about, from where the topology has them."""
    network, place = scenario.network, topology.position
    if place is None:
        raise ConfigError(f"network.speed: agents that move need positions; {network.topology} has none")
    if not ((place >= 0) & (place <= 1)).all():
        place = in_unit_square(place)
    reach = network.reach or reach_for(topology.size, network.degree)
    found, schedule = moving(place, reach, network.speed, rounds_of(scenario, dataset), scenario.run.seed)
    return replace(found, labels=topology.labels), schedule


def _check_connected(topology: Topology, network: NetworkSettings) -> None:
    """Refuse agents that never meet; in single rounds they may be apart."""
    try:
        require_connected(topology)
    except ValueError as problem:
        if not network.speed:
            raise
        why = "agents that move must all be joined by the links of all rounds taken together"
        raise ConfigError(f"network.speed: {why}: take a larger network.reach, or more rounds. {problem}") from None


def _check_fixed_point(scenario: Scenario, faults: Faults, guarantee: Guarantee) -> None:
    """Refuse to wait for what may never come."""
    if scenario.fusion.rounds_per_step != "converge" or faults.perfect or not guarantee.messages:
        return
    if not faults.steady:
        why = "with agents or links that come and go there may be no fixed point"
    elif guarantee.kind == "approximate":
        why = f"with these faults {scenario.fusion.rule} need not reach its fixed point ({guarantee.why})"
    else:
        return
    raise ConfigError(f'fusion.rounds_per_step: {why}: give it a number, such as 20, in place of "converge"')


def _check_digits(scenario: Scenario) -> None:
    """Refuse sums from which no posterior could be formed."""
    if scenario.agents.coordinates == "kernel" and scenario.run.precision == "float32":
        why = "sums of plain kernel values lose more digits than single precision has"
        raise ConfigError(f'agents.coordinates: "kernel" needs run.precision = "float64": {why}')


def _check_extension(scenario: Scenario, faults: Faults, rule: FusionRule) -> None:
    """Refuse messages that may be of another length than those before."""
    if scenario.agents.inducing_most is None:
        return
    if isinstance(rule, SeesData):
        why = f"{scenario.fusion.rule} keeps sums of its own, which cannot be carried over"
        raise ConfigError(f"agents.inducing_most: {why}; leave it out, or take another fusion.rule")
    if not faults.perfect:
        why = "agents must agree on new inducing inputs in one round, and all messages of a round be of one length"
        raise ConfigError(f"agents.inducing_most: needs a network where nothing fails: {why}; leave it out")


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
