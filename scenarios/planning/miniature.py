"""A small network like that of a scenario: what a large one costs follows from its links, its leaves and its rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coolgp.fusion.guarantee import Guarantee
from coolgp.network.base.randomness import generator
from coolgp.network.graphs.topology import Topology
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.config.sources import source_named
from coolgp.scenarios.data.dataset import Dataset, Numbered
from coolgp.scenarios.data.dealt import Dealt
from coolgp.scenarios.simulation.assembly import Plan, build_topology, plan

__all__ = ["MINIATURE", "Network", "network_of", "reduced"]

MINIATURE = 256
"""Agents of the small network, at most."""


@dataclass(frozen=True)
class Network:
    """A graph, the links of it that the rule speaks over, and what the rule promises. exact: the scenario's own one."""

    topology: Topology
    links: Topology
    guarantee: Guarantee
    exact: bool


def network_of(
    scenario: Scenario,
    agents: int,
    dataset: Dataset | None = None,
    topology: Topology | None = None,
    most: int = MINIATURE,
) -> Network:
    """The scenario's network where it has at most so many agents, else a small one of its kind.

    A graph from a file has as many links for an agent as the file says, between agents of a small world.
    """
    if agents <= most:
        found = plan(scenario, _stand_in(scenario, agents, dataset), topology)
        return Network(found.topology, found.links, found.guarantee, topology is not None or not scenario.network.speed)
    if topology is None and scenario.network.is_file:
        topology = build_topology(scenario, _stand_in(scenario, agents, dataset))[0]
    small = reduced(scenario, agents, most, topology)
    found = _planned(small)
    return Network(found.topology, found.links, found.guarantee, False)


def reduced(scenario: Scenario, agents: int, count: int, topology: Topology | None = None) -> Scenario:
    """The scenario with so few agents: links of the same kind, as likely to fail; agents that are away are any."""
    network = scenario.network
    changes: dict[str, object] = {"away": (), "byzantine": min(network.byzantine, count - 1)}
    if network.away and not network.churn:
        changes["churn"] = 1.0 / agents
    if network.reach is not None:
        changes["reach"] = network.reach * (agents / count) ** 0.5
    if topology is not None:
        degree = max(2, 2 * round(len(topology.indices) / topology.size / 2))
        changes |= {"topology": "small-world", "degree": degree, "speed": 0.0, "reach": None}
    return scenario.model_copy(
        update={
            "network": network.model_copy(update=changes),
            "agents": scenario.agents.model_copy(update={"count": count}),
            "run": scenario.run.model_copy(update={"rounds": 2}),
        }
    )


def _planned(scenario: Scenario) -> Plan:
    return plan(scenario, _stand_in(scenario, scenario.agents.count, None))


def _stand_in(scenario: Scenario, agents: int, dataset: Dataset | None) -> Dataset:
    """The dataset, or agents without anything to observe where there is none."""
    if dataset is not None:
        return dataset
    zeros = np.zeros(agents)
    placed = source_named(scenario.data.source).placed
    places = generator(scenario.run.seed, "miniature positions").random((agents, 2)) if placed else None
    training = Dealt(zeros[:, None], zeros, np.arange(agents))
    return Dataset(training, np.zeros((1, 1)), np.zeros(1), ("x",), "y", Numbered(agents), places)
