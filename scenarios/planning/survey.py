"""What can be said of a network before a run: its size, what the rule promises on it, and what a round of it costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coolgp.fusion.registry import RULES
from coolgp.network.graphs.connectivity import LARGEST_EXACT_DIAMETER, diameter, diameter_at_most
from coolgp.network.graphs.topology import Topology
from coolgp.network.partition import block_size, cut, partition
from coolgp.scenarios.base.arrays import Ints
from coolgp.scenarios.base.formatting import size_text
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.config.sources import source_named
from coolgp.scenarios.data.loading import load
from coolgp.scenarios.planning.memory import row_numbers
from coolgp.scenarios.records.guarantee import fault_words
from coolgp.scenarios.simulation.assembly import Plan, plan

__all__ = ["Survey", "survey", "table"]


@dataclass(frozen=True)
class Survey:
    """A scenario's network, and how it would be spread over ranks: owner ``[N]`` is the rank of each agent."""

    scenario: Scenario
    plan: Plan
    links: Topology
    ranks: int
    owner: Ints
    numbers: int


def survey(scenario: Scenario, ranks: int | None = None) -> Survey:
    """Plan the network of a scenario and deal its agents to so many ranks, without MPI.

    ranks: two where there are blocks of agents for them, unless given. Raises ValueError as a run would, and where
    there are more ranks than blocks of agents.
    """
    dataset = load(_sparing(scenario))
    network = plan(scenario, dataset)
    links = network.links
    ranks = min(2, -(-links.size // block_size(links.size))) if ranks is None else ranks
    owner = partition(links, ranks, scenario.network.partition)
    return Survey(scenario, network, links, ranks, owner, row_numbers(scenario, len(dataset.features)))


def table(found: Survey) -> list[tuple[str, str]]:
    """What is worth knowing, each with its name."""
    graph, guarantee, size = found.plan.topology, found.plan.guarantee, found.plan.topology.size
    row = found.numbers * np.dtype(found.scenario.run.precision).itemsize
    sent = guarantee.messages * row
    rounds = "–" if guarantee.rounds is None else f"{guarantee.rounds:,} where nothing fails"
    return [
        ("agents", f"{size:,}"),
        ("links", f"{graph.edge_count:,}" + ("" if found.plan.schedule is None else ", in all rounds together")),
        ("neighbours", f"{graph.degree.mean():.3g} in the mean, at most {graph.degree.max():,}"),
        ("diameter", _diameter_words(graph)),
        ("rule", _rule_words(found)),
        ("promise", f"{guarantee.kind}: {guarantee.why}"),
        ("links in use", f"{found.links.edge_count:,}"),
        ("spectral gap", "–" if guarantee.gap is None else f"{guarantee.gap:.3g}"),
        ("communication rounds", f"{rounds}; asked for: {_asked(scenario=found.scenario)}"),
        ("messages", f"{guarantee.messages:,.0f} a communication round, all agents together"),
        ("bytes", f"{size_text(sent)} a communication round: rows of {found.numbers:,} numbers, {size_text(row)}"),
        ("what goes wrong", "; ".join(fault_words(found.plan.faults)) or "nothing"),
        (f"on {found.ranks} rank{'s' * (found.ranks > 1)}", _cut_words(found)),
        ("blocks", f"of {block_size(size):,} agent{'s' * (block_size(size) > 1)}, kept together on a rank"),
    ]


def _sparing(scenario: Scenario) -> Scenario:
    """The scenario with as few generated rows as there are agents: where those are does not depend on the rows."""
    if not source_named(scenario.data.source).generated or scenario.run.rounds == "all":
        return scenario
    few = scenario.data.model_copy(update={"observations": scenario.agents.count})
    return scenario.model_copy(update={"data": few})


def _diameter_words(graph: Topology) -> str:
    if graph.size > LARGEST_EXACT_DIAMETER and graph.edge_count >= graph.size:
        return f"at most {diameter_at_most(graph):,} hops"
    hops = diameter(graph)
    return f"{hops:,} hop{'s' * (hops != 1)}"


def _rule_words(found: Survey) -> str:
    name, kind = found.scenario.fusion.rule, type(found.plan.rule)
    options = ", ".join(f"{key} = {value}" for key, value in found.scenario.fusion.options.items())
    words = f"{name} ({options})" if options else name
    return words if RULES.get(name, kind) is kind else f"{words}, here as {kind.__name__}"


def _asked(scenario: Scenario) -> str:
    turns = scenario.fusion.rounds_per_step
    return "the fixed point" if turns == "converge" else f"{turns:,} after each round of learning"


def _cut_words(found: Survey) -> str:
    counts = ", ".join(f"{count:,}" for count in _dealt(found))
    return f"{100 * cut(found.links, found.owner):.3g} % of the links in use are cut; agents: {counts}"


def _dealt(found: Survey) -> list[int]:
    return [int((found.owner == rank).sum()) for rank in range(found.ranks)]
