"""The section [data] of a scenario: where rows come from, and who observes which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from coolgp.scenarios.config.constraints import Names
from coolgp.scenarios.config.section import AddedLater, Columns, Count, Positive, Settings
from coolgp.scenarios.config.sources import SOURCES, TABLE_SUFFIXES, source_conflicts, source_named

__all__ = ["DataSettings"]


class DataSettings(Settings):
    """Where the rows come from, which columns are used, and which agent observes which row."""

    classifies: ClassVar[bool] = False
    """Whether the target may be a class."""

    source: Annotated[str, Names(lambda: tuple(SOURCES), TABLE_SUFFIXES)] = Field(
        description="a CSV or Parquet file, or a source that comes with the package"
    )
    target: str | None = Field(
        default=None, description="column to predict; must be named for a file, known for the package's own sources"
    )
    features: Columns | None = Field(
        default=None,
        description="input columns; default every other numeric column. A column c of time stamps has c.seconds, "
        "c.hour, c.weekday and c.yearday",
    )
    agent: str | None = Field(
        default=None, description="column whose values name the agents; agents.count is then ignored"
    )
    missing: Annotated[Literal["drop"] | None, AddedLater()] = Field(
        default=None,
        description='"drop" leaves the rows of a file out in which the target, an input or the agent has no value, and '
        "says how many; default they are refused",
    )
    partition: Literal["random", "kmeans", "dirichlet"] | None = Field(
        default=None,
        description="how rows are dealt to agents where no column names them: evenly at random (the default), by "
        "k-means clusters of the inputs, or in random order with shares from a flat Dirichlet distribution",
    )
    order: Literal["random", "file"] | None = Field(
        default=None,
        description="in which agents observe their rows: shuffled (the default), or in the order of the file, with a "
        "pilot of the first rows: for data whose domain drifts",
    )
    test_fraction: float = Field(
        default=0.1, gt=0, lt=1, description="share of the rows held out; not used by generated sources"
    )
    test_count: Count | None = Field(default=None, description="number of rows held out, in place of test_fraction")
    standardize: bool = Field(
        default=True, description="scale inputs and target to zero mean and unit variance (pilot sample)"
    )
    observations: Count | None = Field(
        default=None,
        description="training rows to generate for all agents together (synthetic, field); default what the run uses",
    )
    width: Positive | None = Field(
        default=None, description="side of the cube that the inputs of synthetic are drawn from; default 1"
    )
    drift: Annotated[Positive | None, AddedLater()] = Field(
        default=None,
        description="how fast the field of sensors changes: fields n rounds apart correlate by exp(-(n drift)²/2), and "
        "test rows are of the field in the last round; default it stays",
    )
    first_agent_rows: Count | None = Field(
        default=None,
        description="training rows of the first agent, without the rest of its own; the others have all of theirs",
    )

    @property
    def classified(self) -> bool:
        """Whether the target is a class."""
        return False

    @property
    def set_aside(self) -> tuple[int, int]:
        """Rows that nobody trains on or is tested on: with their targets, and without."""
        return 0, 0

    @classmethod
    def hint(cls, key: str, values: Mapping[str, Any]) -> str:
        """Where a task is said."""
        if key != "task":
            return ""
        return 'makes a scenario another kind: write task = "classification" into its file, and no settings of numbers'

    @classmethod
    def completed(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Fill in the target of the package's own sources, and the random partition where rows must be dealt."""
        name = values.get("source")
        source = source_named(name if isinstance(name, str) else "")
        if values.get("target") is None and source.target is not None:
            values["target"] = source.target
        if values.get("agent") is None and values.get("partition") is None and not source.generated:
            values["partition"] = "random"
        return values

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return the keys that contradict one another or the source."""
        source = values.get("source")
        if source is None:
            return _column_conflicts(values)
        return [*_column_conflicts(values), *cls._class_conflicts(source), *source_conflicts(source, values)]

    @classmethod
    def _class_conflicts(cls, source: str) -> list[tuple[str, str]]:
        """Refuse classes where a number is learned."""
        if cls.classifies or not source_named(source).classes:
            return []
        return [("source", f'"{source}" has classes, which models trained apart learn: needed a section [experts]')]


def _column_conflicts(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Complaints about columns that are named twice, and agents that are given twice."""
    target, features, agent = values.get("target"), values.get("features") or (), values.get("agent")
    conflicts = []
    if agent is not None and values.get("partition") is not None:
        conflicts.append(("partition", "not together with data.agent, which already deals the rows: leave one out"))
    if target is not None and target in features:
        conflicts.append(("features", f'the target "{target}" cannot be a feature as well'))
    if len(set(features)) < len(features):
        twice = sorted({name for name in features if list(features).count(name) > 1})
        conflicts.append(("features", f"named more than once: {', '.join(twice)}"))
    if target is not None and target == agent:
        conflicts.append(("agent", f'the target "{target}" cannot name the agents as well'))
    return conflicts
