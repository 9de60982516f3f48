"""How large a run is: its agents, rows, links and messages, and how many numbers an agent stores and sends."""

from __future__ import annotations

from dataclasses import dataclass

from coolgp.agents.parameters import Layout
from coolgp.agents.statistics import packed_length
from coolgp.fusion.guarantee import Guarantee
from coolgp.fusion.rule import SeesData
from coolgp.network.graphs.topology import Topology
from coolgp.scenarios.config.agents import AgentsSettings
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.config.sources import Source, source_named
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.planning.miniature import Network, network_of

__all__ = ["Shape", "layout_of", "most_inducing", "row_numbers", "shape_of", "statistics_numbers"]


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


def row_numbers(agents: AgentsSettings, features: int) -> int:
    """Numbers in a message: packed sums, announcements, and the agent's own one."""
    announced = 2 * layout_of(agents, features).size if agents.hyperparameters == "collective" else 0
    return packed_length(most_inducing(agents)) + announced + 1


def statistics_numbers(agents: AgentsSettings) -> int:
    """Numbers in an agent's statistics: a row, or one for each sample."""
    samples = agents.importance_samples if agents.encoding == "importance" else 1
    return samples * packed_length(most_inducing(agents))


def most_inducing(agents: AgentsSettings) -> int:
    """Inducing inputs that there can be in the end."""
    return agents.inducing_most or agents.inducing


def layout_of(agents: AgentsSettings, features: int) -> Layout:
    """How the hyper-parameters of an agent lie in one vector."""
    return Layout(features, full=agents.projection == "full", uncertain=agents.projection_std > 0)
