"""How large a run is: its agents, rows, links and messages, on its own network or on a small one like it.

What a large network costs follows from the links and the leaves of a small one of its kind, and from its rule there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coolgp.fusion.guarantee import Guarantee
from coolgp.fusion.rule import SeesData
from coolgp.network.graphs.topology import Topology
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.config.sections.network import NetworkSettings
from coolgp.scenarios.config.sources import Source, source_named
from coolgp.scenarios.data.dataset import Dataset, Numbered
from coolgp.scenarios.data.dealt import Dealt
from coolgp.scenarios.data.fields import agent_positions
from coolgp.scenarios.simulation.network import Plan, build_topology, plan

__all__ = ["MINIATURE", "Network", "Shape", "most_agents", "network_of", "reduced", "shape_of"]

MINIATURE = 256
"""Agents of the small network, at most."""


@dataclass(frozen=True)
class Network:
    """A planned network. exact: whether it is the run's own, not a smaller one of its kind."""

    plan: Plan
    exact: bool


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How large a run is.

    agents N, features D, tests Q; rows: for training, 0 where they are drawn in each round. loaded: whether the rows
    are in memory already; drawing: numbers for each of them while they are generated. placed: whether agents have
    positions. edges, used: directed ones, of the graph and of those that the rule uses; messages: of a communication
    round. rounds: of learning. network: the run's, or a small one of its kind.
    """

    agents: int
    features: int
    rows: int
    tests: int
    loaded: bool
    drawing: int
    placed: bool
    edges: float
    used: float
    messages: float
    rounds: int
    network: Network

    @property
    def guarantee(self) -> Guarantee:
        """Of the rule, on the network."""
        return self.network.plan.guarantee

    @property
    def sees_data(self) -> bool:
        """Whether the rule looks at batches itself."""
        return isinstance(self.network.plan.rule, SeesData)

    @property
    def exact(self) -> bool:
        """Whether the network is the run's own."""
        return self.network.exact


def shape_of(scenario: Scenario, dataset: Dataset | None = None, topology: Topology | None = None) -> Shape:
    """How large a run is. Raises ValueError where a table is needed and was not given."""
    source = source_named(scenario.data.source)
    if dataset is None and not source.generated:
        raise ValueError(f"the size of a run on {scenario.data.source} follows from its rows: load them first")
    if dataset is None:
        agents, features, rows, tests, rounds = _generated_sizes(scenario, source)
    else:
        agents, features, tests = len(dataset.agents), len(dataset.features), len(dataset.y_test)
        rows = 0 if dataset.training.most is None else len(dataset.training.identity()[1])
        rounds = scenario.run.learning_rounds(dataset.training.most, scenario.agents.batch_size)
    network = network_of(scenario, agents, dataset, topology)
    edges, used, messages = _links(network, agents)
    return Shape(
        agents=agents,
        features=features,
        rows=rows,
        tests=tests,
        loaded=dataset is not None,
        drawing=source.drawing,
        placed=source.placed,
        edges=edges,
        used=used,
        messages=messages,
        rounds=rounds,
        network=network,
    )


def _generated_sizes(scenario: Scenario, source: Source) -> tuple[int, int, int, int, int]:
    """Agents, features, training rows, test rows and rounds, where the rows are not generated yet."""
    agents, batch_size, rounds = scenario.agents.count, scenario.agents.batch_size, scenario.run.rounds
    batches = rounds if isinstance(rounds, int) else 30
    rows = 0 if source.endless else scenario.data.observations or agents * batch_size * batches
    learning = scenario.run.learning_rounds(-(-rows // agents), batch_size)
    return agents, source.inputs, rows, scenario.data.test_count or source.tests, learning


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


def most_agents(shape: Shape, agents: int, links: int) -> int:
    """The largest graph of the run's kind that has at most so many agents and directed links, but 16 agents."""
    sparse = int(min(agents, links * shape.agents / max(1.0, shape.edges)))
    return max(16, sparse if shape.edges < 100 * shape.agents else int(links**0.5))


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
    return Dataset(
        training=training,
        x_test=np.zeros((1, 1)),
        y_test=np.zeros(1),
        features=("x",),
        target="y",
        agents=Numbered(agents),
        positions=positions,
    )


def _links(network: Network, agents: int) -> tuple[float, float, float]:
    """Directed edges, those that the rule uses, and messages, of a network of so many agents like this one."""
    topology, links, messages = network.plan.topology, network.plan.links, network.plan.guarantee.messages
    edges, used, size = len(topology.indices), len(links.indices), topology.size
    if network.exact:
        return float(edges), float(used), messages
    complete = edges == size * (size - 1) and size > 2
    all_edges = agents * (agents - 1.0) if complete else edges * agents / size
    speaking = all_edges if used == edges else used * agents / size
    return all_edges, speaking, messages * (all_edges / edges if used == edges else agents / size)
