"""The section [data] of a scenario: where rows come from, and who observes which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from coolgp.scenarios.config.constraints import Names
from coolgp.scenarios.config.section import Columns, Count, Positive, Settings

__all__ = ["GENERATED_SOURCES", "PLACED_SOURCES", "SOURCE_TARGETS", "TABLE_SUFFIXES", "DataSettings"]

SOURCE_TARGETS = {"airline": "arr_delay", "synthetic": "y", "field": "value", "sensors": "value", "road": "speed"}
"""The data sources that come with the package, and what each predicts."""
GENERATED_SOURCES = ("synthetic", "field", "sensors")
"""Sources that are drawn from the seed: they deal their own rows to their own agents."""
PLACED_SOURCES = ("field", "sensors")
"""Generated sources whose agents sit at places in the coordinates of the inputs."""
REFUSED_BY_SOURCE = {
    "field": {"test_count": "which is tested on a regular grid"},
    "sensors": {
        "test_count": "which is tested on a regular grid",
        "observations": "which draws a batch for each agent in every round",
        "first_agent_rows": "which draws a batch for each agent in every round",
    },
}
"""Keys of the section [data] that a generated source has no use for, and why."""
TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".pq")


class DataSettings(Settings):
    """Where the rows come from, which columns are used, and which agent observes which row."""

    source: Annotated[str, Names(lambda: tuple(SOURCE_TARGETS), TABLE_SUFFIXES)] = Field(
        description="a CSV or Parquet file, or a source that comes with the package"
    )
    target: str | None = Field(
        default=None, description="column to predict; must be named for a file, known for the package's own sources"
    )
    features: Columns | None = Field(default=None, description="input columns; default every other numeric column")
    agent: str | None = Field(
        default=None, description="column whose values name the agents; agents.count is then ignored"
    )
    partition: Literal["random", "kmeans", "dirichlet"] | None = Field(
        default=None,
        description="how rows are dealt to agents where no column names them: evenly at random (the default), by "
        "k-means clusters of the inputs, or in random order with shares from a flat Dirichlet distribution",
    )
    order: Literal["random", "file"] | None = Field(
        default=None,
        description="in which agents observe their rows: shuffled (the default), or as they stand in the file, with a "
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
    first_agent_rows: Count | None = Field(
        default=None,
        description="training rows that the first agent keeps of its own; the others keep all of theirs",
    )

    @classmethod
    def completed(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Fill in the target of the package's own sources, and the random partition where rows must be dealt."""
        source = values.get("source")
        if values.get("target") is None and isinstance(source, str) and source in SOURCE_TARGETS:
            values["target"] = SOURCE_TARGETS[source]
        if values.get("agent") is None and values.get("partition") is None and source not in GENERATED_SOURCES:
            values["partition"] = "random"
        return values

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return the keys that contradict one another or the source."""
        source, target, features = values.get("source"), values.get("target"), values.get("features") or ()
        found = []
        if values.get("agent") is not None and values.get("partition") is not None:
            found.append(("partition", "not together with data.agent, which already deals the rows: leave one out"))
        if target is not None and target in features:
            found.append(("features", f'the target "{target}" cannot be a feature as well'))
        if len(set(features)) < len(features):
            twice = sorted({name for name in features if list(features).count(name) > 1})
            found.append(("features", f"named more than once: {', '.join(twice)}"))
        if target is not None and target == values.get("agent"):
            found.append(("agent", f'the target "{target}" cannot name the agents as well'))
        if source is None:
            return found
        own = SOURCE_TARGETS.get(source)
        if own is None and "target" in values and target is None:
            found.append(("target", "missing; needed the name of the column to predict"))
        if own is not None and target not in (None, own):
            found.append(("target", f'needed "{own}", which is what "{source}" predicts; got "{target}"'))
        if source in GENERATED_SOURCES:
            refused = [key for key in ("agent", "partition", "features", "order") if values.get(key) is not None]
            found += [
                (key, f'not for "{source}", which makes its own agents and inputs: leave it out') for key in refused
            ]
        elif values.get("observations") is not None:
            found.append(("observations", f"only for {_either(GENERATED_SOURCES)}, which are generated: leave it out"))
        if values.get("width") is not None and source != "synthetic":
            found.append(("width", 'only for "synthetic", whose inputs are drawn from a cube: leave it out'))
        for key, why in REFUSED_BY_SOURCE.get(source, {}).items():
            if values.get(key) is not None:
                found.append((key, f'not for "{source}", {why}: leave it out'))
        return found


def _either(names: Iterable[str]) -> str:
    return " | ".join(f'"{name}"' for name in names)
