"""The sections of scenarios with tasks of owners and of newcomers: [tasks], [heads], and [run] as it is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, Strict
from pydantic.fields import FieldInfo

from coolgp.network.base.lazy_table import LazyTable
from coolgp.scenarios.config.constraints import Names
from coolgp.scenarios.config.options import ChosenSettings, options_of
from coolgp.scenarios.config.section import Count, Settings
from coolgp.scenarios.config.sources import image_sources

__all__ = ["TASK_SOURCES", "HeadsRunSettings", "HeadsSettings", "TasksRunSettings", "TasksSettings"]

TASK_SOURCES: LazyTable[Any] = LazyTable(
    {
        "relations": "coolgp.scenarios.experiments.newcomers.relations:RelatedTasks",
        "airports": "coolgp.scenarios.experiments.newcomers.airports:Airports",
    }
)
"""Where tasks come from, by name: records whose fields are keys of [tasks]; a new source is a line."""
Counts = Annotated[tuple[Count, ...], Strict(False), Field(min_length=1)]  # TOML has lists, no tuples


class TasksSettings(ChosenSettings):
    """Where the tasks of owners and newcomers come from; further keys are the settings of that source."""

    section: ClassVar[str] = "tasks"
    choice: ClassVar[str] = "source"

    source: Annotated[str, Names(lambda: tuple(TASK_SOURCES))] = Field(
        default="relations", description="tasks that are drawn with a known relation, or airports of the flights data"
    )
    examples: Counts = Field(
        default=(5, 20, 100), description="rows that a newcomer has; a row of metrics.csv for each, and each relation"
    )

    @classmethod
    def names(cls) -> Iterable[str]:
        """All sources of tasks."""
        return TASK_SOURCES

    @classmethod
    def options_named(cls, name: str) -> dict[str, FieldInfo] | None:
        """The settings of a source."""
        return options_of(TASK_SOURCES[name]) if name in TASK_SOURCES else None

    @classmethod
    def made(cls, name: str, options: Mapping[str, Any]) -> Any:
        """The source with these settings."""
        return TASK_SOURCES[name](**options)

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Refuse numbers of rows that do not grow."""
        examples = list(values.get("examples", ()))
        grow = examples == sorted(set(examples))
        own = [] if grow else [("examples", f"needed each number once, the smallest first; got {examples}")]
        return own + super().conflicts(values)

    @property
    def tasks(self) -> Any:
        """The source with the settings that were given."""
        return self.made(self.source, self.options)


class TasksRunSettings(Settings):
    """How many draws, and the seed."""

    repeats: Count = Field(default=8, description="draws of owners and newcomers; metrics.csv has means over them")
    seed: int = Field(
        default=0, ge=0, description="everything random follows from it; runs of different seeds share no draw"
    )


class HeadsSettings(Settings):
    """Networks of owners, and newcomers with few images of a task that is related to theirs."""

    source: Annotated[str, Names(image_sources)] = Field(
        default="digits", description="labelled images, of owners and of newcomers"
    )
    situations: Annotated[
        tuple[Literal["alike", "skewed", "renamed", "transposed"], ...], Strict(False), Field(min_length=1)
    ] = Field(
        default=("alike", "skewed", "renamed", "transposed"),
        description="how the newcomer's task is related to the owners'",
    )
    examples: Counts = Field(
        default=(5, 20, 100), description="images that a newcomer has; a row of metrics.csv for each, in each situation"
    )
    owners: Annotated[int, Field(ge=2)] = Field(default=5, description="owners of networks")
    rows: Annotated[int, Field(ge=10)] = Field(default=160, description="images that each owner has")

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Refuse what is given twice, and numbers of images that do not grow."""
        examples, situations = list(values.get("examples", ())), list(values.get("situations", ()))
        grow = examples == sorted(set(examples))
        twice = len(set(situations)) < len(situations)
        return [
            *([] if grow else [("examples", f"needed each number once, the smallest first; got {examples}")]),
            *([("situations", f"needed each once; got {situations}")] if twice else []),
        ]


class HeadsRunSettings(Settings):
    """How many draws, and the seed."""

    repeats: Count = Field(default=5, description="draws of owners and of a newcomer; metrics.csv has means over them")
    seed: int = Field(default=0, ge=0, description="everything random follows from it")
