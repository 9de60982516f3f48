"""The network of a run, planned before any message: graph, faults, the rule fitted to both, and its guarantee."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from coolgp.fusion.guarantee import Guarantee
from coolgp.fusion.registry import rule_named
from coolgp.fusion.rule import FusionRule, SeesData, forgets, has_evidence
from coolgp.network.base.arrays import Array
from coolgp.network.graphs.connectivity import require_connected
from coolgp.network.graphs.files import names_rounds, read_schedule, read_topology
from coolgp.network.graphs.generate import generate
from coolgp.network.graphs.schedule import Schedule, arranged
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.links.motion import in_unit_square, moving, reach_for
from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.config.sections.agents import AgentsSettings
from coolgp.scenarios.config.sections.fusion import ApartFusionSettings, FusionSettings, rule_options
from coolgp.scenarios.config.sections.network import NetworkSettings, faults_of
from coolgp.scenarios.config.sections.run import RunSettings
from coolgp.scenarios.data.dataset import Dataset

__all__ = ["Plan", "build_topology", "check_fixed_point", "chosen_rule", "plan", "plan_graph"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The links between agents, the faults, and the rule fitted to both: known before any message.

    topology: all links that exist in some round; schedule: which of them exist when, None where links stay; rule:
    fitted to this network; guarantee: how near it comes to the exact sum there; links: those that it uses.
    """

    topology: Topology
    schedule: Schedule | None
    faults: Faults
    rule: FusionRule
    guarantee: Guarantee
    links: Topology


class Placed(Protocol):
    """Who stands on the graph: names of agents, and where they are if that is known."""

    @property
    def agents(self) -> Sequence[str]: ...
    @property
    def positions(self) -> Array | None: ...


def plan(scenario: Scenario, dataset: Dataset, topology: Topology | None = None) -> Plan:
    """Plan the network of a run.

    topology: in place of what the scenario names. Raises ValueError where graph, faults, rule and agents do not fit,
    and ConfigError where the rule is asked for a fixed point that these faults do not leave it.
    """
    network, seed = scenario.network, scenario.run.seed
    rounds = scenario.run.learning_rounds(dataset.training.most, scenario.agents.batch_size) if network.speed else 0
    topology, schedule, faults = plan_graph(network, dataset, rounds, seed, topology)
    rule = chosen_rule(scenario.fusion, seed).fit(topology, faults)
    guarantee = rule.guarantee(topology, faults)
    check_fixed_point(scenario.fusion, faults, guarantee)
    _check_digits(scenario.agents, scenario.run)
    _check_extension(scenario.agents, faults, rule, scenario.fusion.rule)
    _check_forgetting(scenario.agents, rule, scenario.fusion.rule)
    _check_kept(scenario, faults, rule)
    return Plan(
        topology=topology,
        schedule=schedule,
        faults=faults,
        rule=rule,
        guarantee=guarantee,
        links=rule.links(topology),
    )


def plan_graph(
    network: NetworkSettings, dataset: Placed, rounds: int, seed: int, topology: Topology | None = None
) -> tuple[Topology, Schedule | None, Faults]:
    """The graph of a run of so many rounds, which links exist when (None where links stay), and what goes wrong.

    topology: in place of what the section names. Raises ValueError where graph and agents do not fit.
    """
    given = build_topology(network, dataset, seed) if topology is None else (topology.arranged(dataset.agents), None)
    topology, schedule = _moving(network, given[0], rounds, seed) if network.speed else given
    _check_connected(topology, network)
    return topology, schedule, faults_of(network, dataset.agents, moving=schedule is not None)


def build_topology(network: NetworkSettings, dataset: Placed, seed: int) -> tuple[Topology, Schedule | None]:
    """The graph of a scenario, its nodes in the order of the dataset's agents, and which links exist when.

    Raises ValueError for a file that cannot be read or does not name the agents.
    """
    if not network.is_file:
        size, positions = len(dataset.agents), dataset.positions
        return generate(network.topology, size, seed, positions, **network.graph_options), None
    if names_rounds(network.topology):
        return arranged(*read_schedule(network.topology), dataset.agents)
    return read_topology(network.topology).arranged(dataset.agents), None


def chosen_rule(fusion: FusionSettings, seed: int) -> FusionRule:
    """The scenario's rule with its options; one that draws at random does so from the run's seed."""
    seeded = {"seed": seed} if "seed" in (rule_options(fusion.rule) or {}) else {}
    return rule_named(fusion.rule, seeded | fusion.options)


def _moving(network: NetworkSettings, topology: Topology, rounds: int, seed: int) -> tuple[Topology, Schedule]:
    """The links of agents that walk about, from their positions in the topology."""
    positions = topology.position
    if positions is None:
        raise ConfigError(f"network.speed: agents that move need positions; {network.topology} has none")
    if not ((positions >= 0) & (positions <= 1)).all():
        positions = in_unit_square(positions)
    reach = network.reach or reach_for(topology.size, network.degree)
    every_link, schedule = moving(positions, reach, network.speed, rounds, seed)
    return replace(every_link, labels=topology.labels), schedule


def _check_connected(topology: Topology, network: NetworkSettings) -> None:
    """Refuse agents that never meet; in single rounds they may be apart."""
    try:
        require_connected(topology)
    except ValueError as problem:
        if not network.speed:
            raise
        why = "agents that move must all be joined by the links of all rounds taken together"
        raise ConfigError(f"network.speed: {why}: take a larger network.reach, or more rounds. {problem}") from None


def check_fixed_point(fusion: FusionSettings | ApartFusionSettings, faults: Faults, guarantee: Guarantee) -> None:
    """Refuse to wait for what may never come."""
    if fusion.rounds_per_step != "converge" or faults.perfect or not guarantee.messages:
        return
    if not faults.steady:
        why = "with agents or links that come and go there may be no fixed point"
    elif guarantee.kind == "approximate":
        why = f"with these faults {fusion.rule} need not reach its fixed point ({guarantee.why})"
    else:
        return
    raise ConfigError(f'fusion.rounds_per_step: {why}: give it a number, such as 20, in place of "converge"')


def _check_digits(agents: AgentsSettings, run: RunSettings) -> None:
    """Refuse sums from which no posterior could be formed."""
    if agents.coordinates == "kernel" and run.precision == "float32":
        why = "sums of plain kernel values lose more digits than single precision has"
        raise ConfigError(f'agents.coordinates: "kernel" needs run.precision = "float64": {why}')


def _check_forgetting(agents: AgentsSettings, rule: FusionRule, name: str) -> None:
    """Refuse to forget where a rule would remember."""
    if agents.forget < 1 and isinstance(rule, SeesData) and not forgets(rule):
        why = f"{name} keeps what it saw of the data, and cannot forget it"
        raise ConfigError(f"agents.forget: {why}; leave it out, or take another fusion.rule")


def _check_kept(scenario: Scenario, faults: Faults, rule: FusionRule) -> None:
    """Refuse questions for pictures that would change what else happens on the network."""
    if scenario.run.keep_predictions and not has_evidence(rule) and not faults.perfect:
        why = f"with {scenario.fusion.rule} agents ask each other to predict, and asking more changes what fails"
        raise ConfigError(f"run.keep_predictions: needs a network where nothing fails: {why}; leave it out")


def _check_extension(agents: AgentsSettings, faults: Faults, rule: FusionRule, name: str) -> None:
    """Refuse messages that may be about other inducing inputs than those before."""
    if agents.inducing_most is None and not agents.learn_inducing:
        return
    key, done = ("learn_inducing", "carried to others") if agents.learn_inducing else ("inducing_most", "extended")
    if isinstance(rule, SeesData):
        why = f"{name} has sums of its own, which cannot be {done}"
        raise ConfigError(f"agents.{key}: {why}; leave it out, or take another fusion.rule")
    if not faults.perfect:
        why = (
            "agents must agree on new inducing inputs in one round, and all messages of a round be about the same ones"
        )
        raise ConfigError(f"agents.{key}: needs a network where nothing fails: {why}; leave it out")
