"""The owners of a scenario as agents of a graph: planned before the run, and connected for each draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.fusion.guarantee import Guarantee
from coolgp.fusion.personalise.over_graph import OverGraph
from coolgp.fusion.sums.carrier import RepeatedSums
from coolgp.network.graphs.schedule import Schedule
from coolgp.network.graphs.topology import Topology
from coolgp.network.launcher import launched_size
from coolgp.network.links.faults import Faults
from coolgp.network.partition import partition
from coolgp.network.transport import Transport
from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.base.formatting import counted
from coolgp.scenarios.config.scenario import TasksScenario
from coolgp.scenarios.config.sections.network import NetworkSettings
from coolgp.scenarios.records.guarantee import StatedGuarantee, guarantee_words
from coolgp.scenarios.runs.guarantee import stated
from coolgp.scenarios.simulation.assembly import faultless, through_channel
from coolgp.scenarios.simulation.network import plan_graph

__all__ = ["PlannedOwners", "beside_owners", "plan_owners", "sums_words"]


@dataclass(frozen=True, kw_only=True)
class PlannedOwners:
    """The graph of the owners, and the rule that carries their sums. topology, schedule, faults, links: of a `Plan`."""

    scenario: TasksScenario
    topology: Topology
    schedule: Schedule | None
    faults: Faults
    rule: RepeatedSums
    links: Topology

    @property
    def guarantee(self) -> Guarantee:
        """What the sums are, once they have settled; after a number of rounds they may be less."""
        return self.rule.carrier.guarantee(self.topology, self.faults)

    @property
    def opening(self) -> str:
        """What is known before the run of sums over the graph."""
        return sums_words(self.stated, self.scenario.fusion.rounds_per_step)

    @property
    def stated(self) -> StatedGuarantee:
        """The guarantee, with the network that it is about."""
        rule, tolerance = self.scenario.fusion.rule, self.rule.carrier.tolerance
        return stated(rule, self.guarantee, tolerance, self.topology, self.faults)

    def connected(self, ranks: int) -> Transport:
        """The transport over the links that the rule uses, before anything fails. Collective."""
        return faultless(self.links, self.scenario.network.partition, ranks)

    def over(self, transport: Transport, seed: int) -> OverGraph:
        """The owners of a draw: what the channel does follows from the seed of the draw alone."""
        return OverGraph(self.rule, through_channel(transport, self, seed))


@dataclass(frozen=True)
class _Numbered:
    """Owners by their numbers, who are nowhere."""

    agents: tuple[str, ...]
    positions: Array | None = None


def plan_owners(scenario: TasksScenario) -> PlannedOwners:
    """Plan the graph. Raises ValueError where graph, losses, rule and owners do not fit, before any MPI work."""
    count, sums = scenario.tasks.tasks.owners, scenario.fusion
    options: dict[str, Any] = {"via": sums.rule, "query_rounds": sums.rounds_per_step}
    network = NetworkSettings(**scenario.network.model_dump())
    names = _Numbered(tuple(str(owner) for owner in range(count)))
    topology, schedule, faults = plan_graph(network, names, 1, scenario.run.seed)
    try:
        rule = RepeatedSums(**options).fit(topology, faults)
    except ValueError as problem:
        raise ConfigError(str(problem).replace("fusion.query_rounds", "fusion.rounds_per_step")) from None
    links = rule.links(topology)
    partition(links, launched_size(), network.partition)
    return PlannedOwners(scenario=scenario, topology=topology, schedule=schedule, faults=faults, rule=rule, links=links)


def sums_words(guarantee: StatedGuarantee, rounds: int | str) -> str:
    """What sums over the owners' graph are, in words; rounds: of communication for each of them."""
    words = f"The owners' sums: {guarantee_words(guarantee)}"
    if rounds != "converge":
        words += f" Each sum has {counted(int(rounds), 'communication round')}."
    if rounds != "converge" or guarantee.kind == "approximate":
        words += " Where sums differ between owners, a newcomer starts from what the owner beside it knows."
    return words


def beside_owners(newcomers: int, order: Indices) -> Indices:
    """The owner beside whom each newcomer stands ``[newcomers]``, spread evenly over the order of the owners ``[N]``.

    >>> beside_owners(3, np.array([0, 2, 4, 1, 3, 5])).tolist()
    [0, 4, 3]
    """
    places: Indices = np.arange(newcomers) * len(order) // max(newcomers, 1)
    return order[places % len(order)]
