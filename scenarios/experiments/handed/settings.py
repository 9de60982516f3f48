"""Settings of a fusion of models in files: sections [fusion], [network], [experts], from the command line alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field
from pydantic.fields import FieldInfo

from coolgp.agents.experts.expert import Expert
from coolgp.agents.experts.queries.black_box import BlackBox
from coolgp.fusion.apart.rule import ByQueries, LeavesOut
from coolgp.network.graphs.connectivity import require_connected
from coolgp.network.graphs.files import read_topology
from coolgp.network.graphs.generate import generate
from coolgp.network.graphs.topology import Topology
from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.config.constraints import Names
from coolgp.scenarios.config.loading import resolve_sections
from coolgp.scenarios.config.options import ChosenSettings, options_of
from coolgp.scenarios.config.section import Settings
from coolgp.scenarios.config.sections.experts import AskingSettings
from coolgp.scenarios.config.sections.network import NetworkSettings
from coolgp.scenarios.experiments.handed.registry import HANDED_RULES
from coolgp.scenarios.experiments.handed.rule import HandedRule
from coolgp.scenarios.records.asked import boxed

__all__ = ["SECTIONS", "FuseSettings", "fuse_settings", "owners_graph", "settings_from"]

GRAPH_KEYS = ("topology", "degree", "rewiring")


class RuleSettings(ChosenSettings):
    """How models in files become one; further keys are the fields of the chosen rule."""

    section: ClassVar[str] = "fusion"
    choice: ClassVar[str] = "rule"

    rule: Annotated[str, Names(lambda: tuple(HANDED_RULES))] = Field(
        default="pfnm", description="the rule that fuses models in files"
    )

    @classmethod
    def names(cls) -> Iterable[str]:
        """All rules of this kind."""
        return HANDED_RULES

    @classmethod
    def options_named(cls, name: str) -> dict[str, FieldInfo] | None:
        """The fields of a rule."""
        return options_of(HANDED_RULES[name]) if name in HANDED_RULES else None

    @classmethod
    def made(cls, name: str, options: Mapping[str, Any]) -> object:
        """The rule."""
        return HANDED_RULES[name](**options)


SECTIONS: Mapping[str, type[Settings]] = {
    "fusion": RuleSettings,
    "network": NetworkSettings,
    "experts": AskingSettings,
}


@dataclass(frozen=True)
class FuseSettings:
    """The name of the rule, the rule, the section [network] where a graph was named, and the section [experts]."""

    name: str
    rule: HandedRule
    network: NetworkSettings | None
    asking: AskingSettings

    def boxes(self, experts: Sequence[Expert]) -> list[BlackBox]:
        """The models as ones that are asked, and counted. Raises ConfigError where so many cannot be left out."""
        at_least = self.asking.at_least
        if at_least is not None and at_least > len(experts):
            raise ConfigError(f"experts.at_least: needed at most {len(experts)}, the number of models; got {at_least}")
        if at_least is not None and not isinstance(self.rule, LeavesOut):
            raise ConfigError(f"experts.at_least: {self.name} needs all models: leave it out")
        by_queries = isinstance(self.rule, ByQueries)
        return [boxed(self.asking, expert, by_queries=by_queries) for expert in experts]

    def graph(self, models: int, seed: int) -> Topology | None:
        """The graph of so many owners; None without one. Raises ValueError where it does not fit them."""
        return None if self.network is None else owners_graph(self.network, models, seed)


def owners_graph(network: NetworkSettings, models: int, seed: int) -> Topology:
    """The graph of so many owners, by name or from a file. Raises ValueError where it does not fit them."""
    named = network.topology
    read = network.is_file
    topology = read_topology(named) if read else generate(named, models, seed, None, **network.graph_options)
    if topology.size != models:
        raise ValueError(f"{named}: has {topology.size} nodes; needed one for each of {models} models")
    require_connected(topology)
    return topology


def settings_from(rule: str, graph: str | None, items: Iterable[str]) -> FuseSettings:
    """The settings of a rule by name and of a graph by name or file, with items ``section.key=value``.

    Raises ConfigError with every problem.
    """
    given = [f"fusion.rule={rule}", *([] if graph is None else [f"network.topology={graph}"]), *items]
    return fuse_settings(resolve_sections(SECTIONS, given, "coolgp fuse"))


def fuse_settings(sections: Mapping[str, Settings]) -> FuseSettings:
    """The same of resolved sections, those of `SECTIONS`. Raises ConfigError for a network that does not fit."""
    fusion, network, asking = sections["fusion"], sections["network"], sections["experts"]
    assert isinstance(asking, AskingSettings)
    assert isinstance(fusion, RuleSettings)
    assert isinstance(network, NetworkSettings)
    others = [key for key in sorted(network.model_fields_set) if key not in GRAPH_KEYS]
    if others:
        raise ConfigError(f"network.{others[0]}: files are fused without a network that could fail; leave it out")
    named = "topology" in network.model_fields_set
    if network.model_fields_set and not named:
        raise ConfigError("network: needed --graph, the name of a graph or a file, beside its settings")
    return FuseSettings(fusion.rule, HANDED_RULES[fusion.rule](**fusion.options), network if named else None, asking)
