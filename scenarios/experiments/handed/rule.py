"""The contract of a rule that fuses models in files: what it is handed, and what comes out of it.

A rule is a frozen dataclass of its settings. A new one is a class in a module beside this one, and a line in
``registry``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, runtime_checkable

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.expert import Expert
from coolgp.agents.experts.queries.black_box import BlackBox
from coolgp.network.graphs.topology import Topology

__all__ = [
    "PREDICTIONS",
    "Handed",
    "HandedRule",
    "InFolder",
    "Outcome",
    "Rows",
    "TakesInputs",
    "UsesRowsOfClasses",
    "leaves_predictions",
    "plain_label",
]

PREDICTIONS = ".csv"
"""The ending of the table that a rule leaves in place of a model."""


@dataclass(frozen=True)
class Rows:
    """Rows of an owner: inputs x ``[n, D]`` and targets y ``[n]``; labels of classes are those of `plain_label`."""

    x: Array
    y: Array


def plain_label(label: object) -> str:
    """A label of a class as a text, in which whole numbers have no decimals: tables often give them some.

    >>> plain_label("3.0"), plain_label(3), plain_label("cat")
    ('3', '3', 'cat')
    """
    text = str(label)
    return text.removesuffix(".0") if text.removesuffix(".0").lstrip("-").isdigit() else text


@dataclass(frozen=True)
class Handed:
    """What a rule fuses.

    paths, experts: J of them. shards: the owners' rows, one for each model, or none. queries ``[Q, D]``: inputs to
    predict at. graph: of the owners. seed: of what a rule draws. boxes: what may be asked of the experts, which count
    it, J of them. at_least: how many of them must be left where some fail, None for all.
    """

    paths: Sequence[str]
    experts: Sequence[Expert]
    shards: Sequence[Rows] = ()
    queries: Array | None = None
    graph: Topology | None = None
    seed: int = 0
    boxes: Sequence[BlackBox] = ()
    at_least: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What fusion leaves.

    model: for a model file, or a table of predictions, column by column. sizes: of each model and of the fused one, in
    words. order: in which models were fused, in words. remarks: for the user. settings: as they were used.
    """

    model: Any
    sizes: Sequence[str]
    fused_size: str
    order: str
    remarks: Sequence[str] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


class HandedRule(Protocol):
    """A rule that fuses models in files. leaves: endings of the file that it leaves, the default first."""

    leaves: ClassVar[tuple[str, ...]]

    def fuse(self, handed: Handed) -> Outcome:
        """Fuse. Raises ValueError, path first, for a model that the rule cannot take."""
        ...


def leaves_predictions(rule: HandedRule) -> bool:
    """Whether the rule leaves what models predict together at given inputs, and no model."""
    return PREDICTIONS in rule.leaves


@runtime_checkable
class InFolder(Protocol):
    """A rule whose file may be put into a folder of its own, as ``model.npz``: ``in_folder = True``."""

    in_folder: ClassVar[bool]


@runtime_checkable
class TakesInputs(Protocol):
    """A rule that asks models at rows without targets: ``takes_inputs = True``."""

    takes_inputs: ClassVar[bool]


@runtime_checkable
class UsesRowsOfClasses(Protocol):
    """A rule that takes no rows of numbers, for they choose and weigh by classes: ``uses_rows_of_classes = True``."""

    uses_rows_of_classes: ClassVar[bool]
