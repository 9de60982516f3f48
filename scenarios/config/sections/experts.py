"""The sections of scenarios whose models are trained apart: [experts], and [data] and [run] as they are there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field
from pydantic.fields import FieldInfo

from coolgp.agents.experts.models.registry import MODEL_REFERENCES
from coolgp.network.base.lazy_table import LazyTable
from coolgp.scenarios.config.constraints import Names, Paths
from coolgp.scenarios.config.options import ChosenSettings, options_of
from coolgp.scenarios.config.section import AddedLater, Columns, Count, Positive, Settings
from coolgp.scenarios.config.sections.data import DataSettings
from coolgp.scenarios.config.sources import source_named

if TYPE_CHECKING:
    from coolgp.agents.experts.models.base import TrainedModel

__all__ = ["BY_CLASS", "MODELS", "AskingSettings", "ExpertsDataSettings", "ExpertsRunSettings", "ExpertsSettings"]

BY_CLASS = "dirichlet-classes"
"""The partition by shares of each class."""
CONCENTRATION = 0.5


MODELS: LazyTable[type[TrainedModel]] = LazyTable(MODEL_REFERENCES)
"""All kinds of models that can be trained, by name."""


class AskingSettings(Settings):
    """How often models are asked, for how long, and how many may fail."""

    queries: Annotated[Count | None, AddedLater()] = Field(
        default=None,
        description="rows that a model is asked for at most, never exceeded; default 10000 for programs and servers, "
        "and under rules that know models by queries alone",
    )
    time_limit: Annotated[Positive | None, AddedLater()] = Field(
        default=None,
        description="seconds for a call of a model; default 60 for programs and servers, none for models in this "
        "process",
    )
    at_least: Annotated[Count | None, AddedLater()] = Field(
        default=None,
        description="how many models must be left where some fail (raise an error, take too long, answer what cannot "
        "be); default all: a run ends where one fails",
    )


class ExpertsSettings(AskingSettings, ChosenSettings):
    """The models that are trained apart, one by each agent; further keys are the settings of the chosen model."""

    section: ClassVar[str] = "experts"
    choice: ClassVar[str] = "model"

    model: Annotated[str, Names(lambda: tuple(MODELS))] = Field(
        default="mlp", description="what every agent trains on its own rows"
    )
    count: Count = Field(
        default=5, description="number of agents; ignored where data.agent names a column or files are given"
    )
    files: Annotated[Columns | None, Paths()] = Field(
        default=None,
        description="models, one an agent, in place of those that are trained here: files (.safetensors, .npz, .skops, "
        ".onnx), run folders of coolgp, descriptions of programs and servers (.toml), addresses (http://...)",
    )

    @classmethod
    def names(cls) -> Iterable[str]:
        """All kinds of models."""
        return MODELS

    @classmethod
    def options_named(cls, name: str) -> dict[str, FieldInfo] | None:
        """The settings of a kind of model."""
        return options_of(MODELS[name]) if name in MODELS else None

    @classmethod
    def made(cls, name: str, options: Mapping[str, Any]) -> Any:
        """The kind of model with these settings."""
        return MODELS[name](**options)

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Refuse settings of a model beside files."""
        options = [key for key in values if key not in cls.model_fields]
        if values.get("files") and options:
            return [(options[0], "a setting of training, and experts.files are trained: leave one out")]
        return super().conflicts(values)

    @property
    def kind(self) -> Any:
        """The kind of model with the settings that were given."""
        return self.made(self.model, self.options)

    @property
    def agents(self) -> int:
        """How many agents there are where no column names them."""
        return len(self.files) if self.files else self.count


class ExpertsDataSettings(DataSettings):
    """Where the rows come from, which columns are used, and which agent has which row."""

    classifies: ClassVar[bool] = True

    partition: Literal["random", "kmeans", "dirichlet", "dirichlet-classes"] | None = Field(  # type: ignore[assignment]
        default=None,  # more than without classes
        description="how rows are dealt to agents where no column names them: evenly at random (the default), by "
        "k-means clusters of the inputs, in random order with shares from a flat Dirichlet distribution, or each class "
        "with Dirichlet shares of its own",
    )
    concentration: Positive | None = Field(
        default=None,
        description='of partition = "dirichlet-classes": the smaller, the fewer classes an agent has; default 0.5',
    )
    task: Literal["regression", "classification"] = Field(
        default="regression",
        description="whether the target is a number, or the name or number of a class; known for the package's sources",
    )

    labelled_count: Annotated[Count | None, AddedLater()] = Field(
        default=None,
        description="rows set aside with their targets, which all agents know and none trains on: for rules that learn "
        "how to combine answers",
    )
    unlabelled_count: Annotated[Count | None, AddedLater()] = Field(
        default=None,
        description="rows set aside without their targets: inputs that all agents know, for rules that imitate models",
    )

    @property
    def classified(self) -> bool:
        """See `DataSettings`."""
        return self.task == "classification"

    @property
    def set_aside(self) -> tuple[int, int]:
        """See `DataSettings`."""
        return self.labelled_count or 0, self.unlabelled_count or 0

    @classmethod
    def completed(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Fill in the task of the package's own sources, inputs that need no scaling, and the concentration."""
        name = values.get("source")
        source = source_named(name if isinstance(name, str) else "")
        if source.classes:
            values.setdefault("task", "classification")
        if source.unit_inputs:
            values.setdefault("standardize", False)
        if values.get("partition") == BY_CLASS and values.get("concentration") is None:
            values["concentration"] = CONCENTRATION
        return super().completed(values)

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Refuse classes of a source of numbers, and a partition by classes without them."""
        conflicts = super().conflicts(values)
        name, classification = values.get("source"), values.get("task") == "classification"
        source = source_named(name if isinstance(name, str) else "")
        if source.target is not None and source.classes != classification:
            needed = "classification" if source.classes else "regression"
            conflicts.append(("task", f'needed "{needed}", for "{name}"'))
        if source.endless:
            conflicts.append(("source", f'"{name}" has new rows in every round, and models here are trained once'))
        aside = ("labelled_count", "unlabelled_count") if source.generated else ()
        why = f'not for "{name}", which makes its own agents and rows: leave it out'
        conflicts += [(key, why) for key in aside if values.get(key) is not None]
        if values.get("order") == "file":
            conflicts.append(("order", "models are trained on all their rows at once: leave it out"))
        if values.get("partition") == BY_CLASS and not classification:
            conflicts.append(("partition", f'"{BY_CLASS}" needs classes: task = "classification"'))
        if values.get("concentration") is not None and values.get("partition") != BY_CLASS:
            conflicts.append(("concentration", f'only for partition = "{BY_CLASS}": leave it out'))
        return conflicts


class ExpertsRunSettings(Settings):
    """How many rounds of fusion, and the seed."""

    rounds: Count = Field(
        default=1, description="rounds: models are fused over the graph, and everyone is evaluated after each of them"
    )
    seed: int = Field(default=0, ge=0, description="everything random follows from it")
