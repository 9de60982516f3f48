"""A small network like that of a scenario: what a large one costs follows from its links, its leaves and its rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coolgp.network.graphs.topology import Topology
from coolgp.scenarios.config.network import NetworkSettings
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.config.sources import source_named
from coolgp.scenarios.data.dataset import Dataset, Numbered
from coolgp.scenarios.data.dealt import Dealt
from coolgp.scenarios.data.fields import agent_positions
from coolgp.scenarios.simulation.network import Plan, build_topology, plan

__all__ = ["MINIATURE", "Network", "network_of", "reduced"]

MINIATURE = 256
"""Agents of the small network, at most."""


@dataclass(frozen=True)
class Network:
    """A planned network. exact: whether it is the run's own, not a smaller one of its kind."""

    plan: Plan
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
        schedule_known = not scenario.network.speed or scenario.run.rounds != "all" or dataset is not None
        return Network(plan(scenario, _stand_in(scenario, agents, dataset), topology), schedule_known)
    if topology is None and scenario.network.is_file:
        named = _stand_in(scenario, agents, dataset)
        topology = build_topology(scenario.network, named, scenario.run.seed)[0]
    small = reduced(scenario, agents, most, topology)
    return Network(plan(small, _stand_in(small, most, None)), exact=False)


def reduced(scenario: Scenario, agents: int, count: int, topology: Topology | None = None) -> Scenario:
    """The scenario with so few agents: links of the same kind, as likely to fail; agents that are away are any."""
    return scenario.model_copy(
        update={
            "network": _reduced_network(scenario.network, agents, count, topology),
            "agents": scenario.agents.model_copy(update={"count": count}),
            "run": scenario.run.model_copy(update={"rounds": 2}),
        }
    )


def _reduced_network(network: NetworkSettings, agents: int, count: int, topology: Topology | None) -> NetworkSettings:
    changes: dict[str, object] = {"away": (), "byzantine": min(network.byzantine, count - 1)}
    if network.away and not network.churn:
        changes["churn"] = 1.0 / agents
    if network.reach is not None:
        changes["reach"] = network.reach * (agents / count) ** 0.5
    if topology is not None:
        degree = max(2, 2 * round(len(topology.indices) / topology.size / 2))
        changes |= {"topology": "small-world", "degree": degree, "speed": 0.0, "reach": None}
    return network.model_copy(update=changes)


def _stand_in(scenario: Scenario, agents: int, dataset: Dataset | None) -> Dataset:
    """The dataset, or its agents without anything to observe where there is none: as they are named and placed."""
    if dataset is not None:
        return dataset
    zeros, source = np.zeros(agents), scenario.data.source
    positions = agent_positions(source, scenario.run.seed, agents) if source_named(source).placed else None
    training = Dealt(zeros[:, None], zeros, np.arange(agents))
    return Dataset(training, np.zeros((1, 1)), np.zeros(1), ("x",), "y", Numbered(agents), positions)
