"""The keys of a scenario: their meaning, defaults and allowed values, as frozen records that refuse anything else.

These are records of plain values; `coolgp.scenarios.config.loading` reads them from TOML and writes the messages.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import tomli_w
from pydantic import BaseModel, ConfigDict, Field

from coolgp.scenarios.config.section import AddedLater, Settings, added_later
from coolgp.scenarios.config.sections.agents import AgentsSettings
from coolgp.scenarios.config.sections.beside import BesideSettings
from coolgp.scenarios.config.sections.classes import (
    ClassAgentsSettings,
    ClassDataSettings,
    ClassFusionSettings,
    ClassRunSettings,
)
from coolgp.scenarios.config.sections.data import DataSettings
from coolgp.scenarios.config.sections.experts import ExpertsDataSettings, ExpertsRunSettings, ExpertsSettings
from coolgp.scenarios.config.sections.few_shot import FewShotRunSettings, FewShotSettings
from coolgp.scenarios.config.sections.fusion import ApartFusionSettings, FusionSettings, SumsSettings
from coolgp.scenarios.config.sections.network import GraphSettings, NetworkSettings
from coolgp.scenarios.config.sections.run import RunSettings
from coolgp.scenarios.config.sections.tasks import HeadsRunSettings, HeadsSettings, TasksRunSettings, TasksSettings
from coolgp.scenarios.config.sections.vectors import MatchingSettings, VectorsRunSettings, VectorsSettings

__all__ = [
    "DEFAULT_KIND",
    "SCENARIOS",
    "SECTIONS",
    "AgentsSettings",
    "ClassesScenario",
    "DataSettings",
    "ExpertsScenario",
    "FewShotScenario",
    "FusionSettings",
    "HeadsScenario",
    "NetworkSettings",
    "RunSettings",
    "Scenario",
    "SideBySideScenario",
    "TasksScenario",
    "VectorsScenario",
]


DEFAULT_KIND = "rounds"
"""The loop of rounds."""


class Scenario(BaseModel):
    """Everything that determines a run, resolved.

    A kind of scenario with sections of its own has a record of its own: a subclass with a field for each. One that does
    without a section of the loop of rounds gives that field a default and ``exclude=True``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    counted_by: ClassVar[str] = "agents.count"
    """The key with the number of agents."""

    name: str = Field(min_length=1, description="what the run folder is called after")
    kind: str = Field(default=DEFAULT_KIND, exclude=True, description="what runs it, see coolgp.scenarios.experiments")
    data: DataSettings
    agents: AgentsSettings = AgentsSettings()
    network: NetworkSettings = NetworkSettings()
    fusion: FusionSettings = FusionSettings()
    run: RunSettings = RunSettings()

    @classmethod
    def sections(cls) -> dict[str, type[Settings]]:
        """The sections that a scenario of this kind is written in, by name.

        >>> list(Scenario.sections())
        ['data', 'agents', 'network', 'fusion', 'run']
        """
        records = {name: field.annotation for name, field in cls.model_fields.items() if not field.exclude}
        return {
            name: record
            for name, record in records.items()
            if isinstance(record, type) and issubclass(record, Settings)
        }

    @classmethod
    def implied(cls, mapping: Mapping[str, Any]) -> bool:
        """Whether a scenario that does not say its kind is of this one: it has a section that only this kind has."""
        return bool(set(mapping) & (set(cls.sections()) - set(Scenario.sections())))

    @property
    def data_source(self) -> str | None:
        """The name of the data source; None of a kind that reads no data."""
        return self.data.source

    @property
    def agent_count(self) -> int | None:
        """How many agents there are, None where the data say so: a run has at most as many ranks."""
        return self.agents.count if self.data.agent is None else None

    def hash8(self) -> str:
        """Eight hexadecimal digits of the contents; the name is not part of them."""
        settings = self.model_dump(mode="json", exclude={"name", *self._unhashed()})
        for section in settings:
            for key in getattr(self, section).unhashed():
                del settings[section][key]
            settings[section] |= getattr(self, section).hashed_as()
        contents = json.dumps(self._kind() | settings, sort_keys=True)
        return hashlib.sha256(contents.encode()).hexdigest()[:8]

    def to_toml(self) -> str:
        """Every key with its value, as TOML that loads to an equal scenario; keys without a value are left out.

        >>> Scenario(name="one", data=DataSettings(source="airline")).to_toml().splitlines()[2:5]
        ['[data]', 'source = "airline"', 'target = "arr_delay"']
        """
        return tomli_w.dumps(self._kind() | self.model_dump(mode="json", exclude_none=True))

    def _unhashed(self) -> set[str]:
        """The sections that are not part of a scenario's hash."""
        return {name for name, field in type(self).model_fields.items() if added_later(field, getattr(self, name))}

    def _kind(self) -> dict[str, str]:
        """The kind, where it is not the default: files and hashes of the loop of rounds do without it."""
        return {} if self.kind == DEFAULT_KIND else {"kind": self.kind}


SECTIONS = Scenario.sections()
"""Those of the loop of rounds."""


class SideBySideScenario(Scenario):
    """A run, and a study beside it."""

    beside: BesideSettings = BesideSettings()


class ClassesScenario(Scenario):
    """Agents that learn two classes online."""

    data: ClassDataSettings
    agents: ClassAgentsSettings = ClassAgentsSettings()
    fusion: ClassFusionSettings = ClassFusionSettings()
    run: ClassRunSettings = ClassRunSettings()

    @classmethod
    def implied(cls, mapping: Mapping[str, Any]) -> bool:
        """By the task, where no section says that models are trained apart."""
        data = mapping.get("data")
        return isinstance(data, Mapping) and data.get("task") == "classification"


class ExpertsScenario(Scenario):
    """Models that are trained apart and then fused."""

    counted_by: ClassVar[str] = "experts.count"

    data: ExpertsDataSettings
    agents: AgentsSettings = Field(default=AgentsSettings(), exclude=True)
    experts: ExpertsSettings = ExpertsSettings()
    fusion: ApartFusionSettings = ApartFusionSettings()  # type: ignore[assignment]  # other rules
    run: ExpertsRunSettings = ExpertsRunSettings()  # type: ignore[assignment]  # no rounds of learning

    @property
    def agent_count(self) -> int | None:
        """See `Scenario`."""
        return self.experts.agents if self.data.agent is None else None


class InOnePlaceScenario(Scenario):
    """What has neither a network nor rows of the section [data]."""

    data: DataSettings = Field(default=DataSettings(source="synthetic"), exclude=True)  # read by nobody
    agents: AgentsSettings = Field(default=AgentsSettings(), exclude=True)
    network: NetworkSettings = Field(default=NetworkSettings(), exclude=True)
    fusion: FusionSettings = Field(default=FusionSettings(), exclude=True)

    @property
    def data_source(self) -> str | None:
        """See `Scenario`."""
        return None

    @property
    def agent_count(self) -> int | None:
        """See `Scenario`."""
        return None


class VectorsScenario(InOnePlaceScenario):
    """Sets of vectors that groups bring, matched in one place."""

    vectors: VectorsSettings = VectorsSettings()
    matching: MatchingSettings = MatchingSettings()
    run: VectorsRunSettings = VectorsRunSettings()  # type: ignore[assignment]  # draws in place of rounds


class TasksScenario(InOnePlaceScenario):
    """Tasks of owners, who have models and are the agents of a graph, and of newcomers with few rows."""

    counted_by: ClassVar[str] = "tasks.owners"

    tasks: TasksSettings = TasksSettings()
    network: Annotated[GraphSettings, AddedLater()] = GraphSettings()  # type: ignore[assignment]  # what owners stand
    fusion: Annotated[SumsSettings, AddedLater()] = SumsSettings()  # type: ignore[assignment]  # only sums travel
    run: TasksRunSettings = TasksRunSettings()  # type: ignore[assignment]  # draws in place of rounds

    @property
    def agent_count(self) -> int | None:
        """The owners."""
        return int(self.tasks.tasks.owners)


class FewShotScenario(InOnePlaceScenario):
    """Tasks that nobody has seen, by experts that only answer queries."""

    few_shot: FewShotSettings = FewShotSettings()
    run: FewShotRunSettings = FewShotRunSettings()  # type: ignore[assignment]  # draws in place of rounds


class HeadsScenario(InOnePlaceScenario):
    """Networks of owners, and newcomers who refit an output layer."""

    heads: HeadsSettings = HeadsSettings()
    run: HeadsRunSettings = HeadsRunSettings()  # type: ignore[assignment]  # draws in place of rounds


SCENARIOS: dict[str, type[Scenario]] = {
    DEFAULT_KIND: Scenario,
    "timing": Scenario,
    "side-by-side": SideBySideScenario,
    "experts": ExpertsScenario,
    "vectors": VectorsScenario,
    "newcomers": TasksScenario,
    "few-shot": FewShotScenario,
    "heads": HeadsScenario,
    "two-classes": ClassesScenario,
}
"""How each kind of scenario is written, by its name; what a kind does stands in `coolgp.scenarios.experiments`."""
