"""From a scenario to a simulation: data, shared start, network and transport put together."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from threadpoolctl import threadpool_limits

from coolgp.network.graphs.schedule import Schedule
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.channel import FaultyTransport
from coolgp.network.links.dynamics import Dynamics
from coolgp.network.links.faults import Faults
from coolgp.network.mpi import MPITransport
from coolgp.network.partition import partition
from coolgp.network.serial import SerialTransport
from coolgp.network.transport import Transport
from coolgp.scenarios.base.arrays import Ints
from coolgp.scenarios.base.mpiexec import check_world
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.data.loading import load
from coolgp.scenarios.simulation.bound_start import Searching
from coolgp.scenarios.simulation.evaluation import choose_probes
from coolgp.scenarios.simulation.held_start import start_from_held
from coolgp.scenarios.simulation.initialisation import SharedStart, start_from_pilot
from coolgp.scenarios.simulation.labelled_start import start_from_labels
from coolgp.scenarios.simulation.network import Plan, plan
from coolgp.scenarios.simulation.state import Simulation
from coolgp.scenarios.simulation.tested_rows import choose_tested, evaluated_count, work_of

__all__ = ["assemble", "connect", "faultless", "one_thread", "through_channel"]

STARTS = {"gaussian": start_from_pilot, "bernoulli": start_from_labels}
"""What finds the shared start from a pilot that all agents are given, by the likelihood of what they observe."""


def assemble(
    scenario: Scenario,
    dataset: Dataset | None = None,
    topology: Topology | None = None,
    ranks: int = 1,
    *,
    network: Plan | None = None,
    watch: Searching | None = None,
) -> Simulation:
    """Load the data and plan the network (unless given) and build everything that a run needs on this rank.

    topology: its nodes are the dataset's agents, by their labels where it has any. network: planned before, of this
    scenario, dataset and topology. watch: called with iterations of the search for the shared start. Raises ValueError
    where the scenario and its data or graph do not fit, before any MPI work.
    """
    dataset = load(scenario) if dataset is None else dataset
    network = plan(scenario, dataset, topology) if network is None else network
    seed = scenario.run.seed
    probes = choose_probes(len(dataset.agents), scenario.run.probes, seed)
    shared_start = None if scenario.agents.pilot_held == "federated" else _from_pilot(scenario, dataset, watch)
    transport = connect(network, scenario.network.partition, seed, ranks)
    return Simulation(
        scenario=scenario,
        dataset=dataset,
        shared_start=shared_start or _from_held(scenario, dataset, transport, watch),
        topology=network.topology,
        links=network.links,
        transport=transport,
        rule=network.rule,
        probes=probes,
        tested=_tested(scenario, dataset, network, probes),
        guarantee=network.guarantee,
        faults=network.faults,
    )


def _tested(scenario: Scenario, dataset: Dataset, network: Plan, probes: Ints) -> Ints:
    """The test rows ``[Q']`` that the probes are asked at in rounds before the last."""
    run, tests = scenario.run, len(dataset.y_test)
    rounds = run.learning_rounds(dataset.training.most, scenario.agents.batch_size)
    work = work_of(scenario, network, len(dataset.agents), rounds)
    count = evaluated_count(run.evaluate_rows, tests, work, rounds, run.interval(rounds))
    return choose_tested(count, tests, probes, dataset.test_owner, run.seed)


def _from_pilot(scenario: Scenario, dataset: Dataset, watch: Searching | None) -> SharedStart:
    agents, seed, standardize = scenario.agents, scenario.run.seed, scenario.data.standardize
    precision = scenario.run.precision
    start = STARTS[agents.likelihood]
    return start(agents, dataset, seed, standardize=standardize, precision=precision, watch=watch)


def _from_held(scenario: Scenario, dataset: Dataset, transport: Transport, watch: Searching | None) -> SharedStart:
    agents, seed, standardize = scenario.agents, scenario.run.seed, scenario.data.standardize
    precision = scenario.run.precision
    return start_from_held(agents, dataset, seed, transport, standardize=standardize, precision=precision, watch=watch)


class Planned(Protocol):
    """What a transport is built from, of a planned network; see `Plan`."""

    @property
    def topology(self) -> Topology: ...
    @property
    def schedule(self) -> Schedule | None: ...
    @property
    def faults(self) -> Faults: ...
    @property
    def links(self) -> Topology: ...


def connect(network: Planned, strategy: str, seed: int, ranks: int) -> Transport:
    """A transport over the links that the rule uses: the serial one, or MPI's with its world's ranks.

    strategy: how agents are dealt to the ranks.
    """
    return through_channel(faultless(network.links, strategy, ranks), network, seed)


def through_channel(transport: Transport, network: Planned, seed: int) -> Transport:
    """A transport over the links of a network as one on which its faults happen, drawn from a seed."""
    if network.faults.perfect:
        return transport
    dynamics = Dynamics(topology=network.topology, faults=network.faults, seed=seed, schedule=network.schedule)
    return FaultyTransport(transport, dynamics, network.faults, seed)


def one_thread() -> AbstractContextManager[object]:
    """Hold BLAS to one thread a rank: blocks of agents run side by side instead, and sums keep their order."""
    limits: AbstractContextManager[object] = threadpool_limits(limits=1)
    return limits


def faultless(links: Topology, strategy: str, ranks: int) -> Transport:
    """A transport over these links that delivers everything. Collective."""
    if ranks == 1:
        return SerialTransport(links)
    owner = partition(links, ranks, strategy)
    check_world()  # MPI starts now: whatever is wrong with the input was said before
    return MPITransport(links, owner)
