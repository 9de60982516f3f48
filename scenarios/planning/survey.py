"""A network before a run: its size, the guarantee of the rule on it, and the cost of a communication round."""

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
from coolgp.scenarios.config.sections.fusion import FusionSettings
from coolgp.scenarios.config.sources import source_named
from coolgp.scenarios.data.loading import load
from coolgp.scenarios.planning.sizes import row_numbers, share_numbers
from coolgp.scenarios.records.guarantee import fault_words
from coolgp.scenarios.simulation.network import Plan, plan

__all__ = ["Survey", "survey", "table"]


@dataclass(frozen=True, kw_only=True)
class Survey:
    """A scenario's network, and how it would be spread over ranks.

    owner ``[N]``: the rank of each agent. numbers: in a message.
    """

    scenario: Scenario
    plan: Plan
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
    size = network.links.size
    ranks = min(2, -(-size // block_size(size))) if ranks is None else ranks
    return Survey(
        scenario=scenario,
        plan=network,
        ranks=ranks,
        owner=partition(network.links, ranks, scenario.network.partition),
        numbers=row_numbers(scenario.agents, len(dataset.features))
        + share_numbers(scenario.fusion, network.rule, network.links.size),
    )


def table(surveyed: Survey) -> list[tuple[str, str]]:
    """The properties of the network, each with its name."""
    graph, guarantee, size = surveyed.plan.topology, surveyed.plan.guarantee, surveyed.plan.topology.size
    row = surveyed.numbers * np.dtype(surveyed.scenario.run.precision).itemsize
    sent = guarantee.messages * row
    rounds = "–" if guarantee.rounds is None else f"{guarantee.rounds:,} where nothing fails"
    return [
        ("agents", f"{size:,}"),
        ("links", f"{graph.edge_count:,}" + ("" if surveyed.plan.schedule is None else ", in all rounds together")),
        ("neighbours", f"{graph.degree.mean():.3g} in the mean, at most {graph.degree.max():,}"),
        ("diameter", _diameter_words(graph)),
        ("rule", _rule_words(surveyed)),
        ("guarantee", f"{guarantee.kind}: {guarantee.why}"),
        ("links in use", f"{surveyed.plan.links.edge_count:,}"),
        ("spectral gap", "–" if guarantee.gap is None else f"{guarantee.gap:.3g}"),
        ("communication rounds", f"{rounds}; asked for: {_rounds_words(surveyed.scenario.fusion)}"),
        ("messages", f"{guarantee.messages:,.0f} a communication round, all agents together"),
        ("bytes", f"{size_text(sent)} a communication round: rows of {surveyed.numbers:,} numbers, {size_text(row)}"),
        ("what goes wrong", "; ".join(fault_words(surveyed.plan.faults)) or "nothing"),
        (f"on {surveyed.ranks} rank{'s' * (surveyed.ranks > 1)}", _cut_words(surveyed)),
        ("blocks", f"of {block_size(size):,} agent{'s' * (block_size(size) > 1)}, kept together on a rank"),
    ]


def _sparing(scenario: Scenario) -> Scenario:
    """The scenario with as few generated rows as there are agents: where those are does not depend on the rows."""
    if not source_named(scenario.data.source).generated or scenario.run.rounds == "all":
        return scenario
    data = scenario.data.model_copy(update={"observations": scenario.agents.count})
    return scenario.model_copy(update={"data": data})


def _diameter_words(graph: Topology) -> str:
    if graph.size > LARGEST_EXACT_DIAMETER and graph.edge_count >= graph.size:
        return f"at most {diameter_at_most(graph):,} hops"
    hops = diameter(graph)
    return f"{hops:,} hop{'s' * (hops != 1)}"


def _rule_words(surveyed: Survey) -> str:
    name, kind = surveyed.scenario.fusion.rule, type(surveyed.plan.rule)
    options = ", ".join(f"{key} = {value}" for key, value in surveyed.scenario.fusion.options.items())
    words = f"{name} ({options})" if options else name
    return words if RULES.get(name, kind) is kind else f"{words}, here as {kind.__name__}"


def _rounds_words(fusion: FusionSettings) -> str:
    turns = fusion.rounds_per_step
    return "the fixed point" if turns == "converge" else f"{turns:,} after each round of learning"


def _cut_words(surveyed: Survey) -> str:
    counts = ", ".join(f"{count:,}" for count in _dealt(surveyed))
    return f"{100 * cut(surveyed.plan.links, surveyed.owner):.3g} % of the links in use are cut; agents: {counts}"


def _dealt(surveyed: Survey) -> list[int]:
    return [int((surveyed.owner == rank).sum()) for rank in range(surveyed.ranks)]
