"""Experts whose owners are in one process, the graph between them, and the contract of what fuses them.

Axes: ``N`` experts, ``Q`` queries, ``D`` inputs, ``K`` classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from coolgp.agents.base.arrays import Array, Booleans
from coolgp.agents.experts.queries.black_box import BlackBox
from coolgp.agents.experts.task import Task
from coolgp.network.base.lazy_table import LazyTable
from coolgp.network.graphs.topology import Topology

__all__ = ["METHODS", "Group", "GroupAnswer", "GroupPredictor", "Method"]


@dataclass(frozen=True)
class Group:
    """boxes: N experts; topology: of their owners, in their order; task: what they all predict."""

    boxes: tuple[BlackBox, ...]
    topology: Topology
    task: Task


@dataclass(frozen=True)
class GroupAnswer:
    """What a group predicts at queries: of numbers, or with ``probabilities [Q, K]``, of classes.

    answers ``[N, Q]``: of every owner. mean, std ``[Q]``: of the group. consensus ``[Q]``: whether owners agree. trace:
    of each sum that was formed, what it took up to then and how far owners were apart. remarks: for the user.
    """

    mean: Array
    std: Array
    answers: Array
    consensus: Booleans
    probabilities: Array = field(default_factory=lambda: np.empty((0, 0)))
    trace: tuple[Mapping[str, float], ...] = ()
    remarks: tuple[str, ...] = ()


class GroupPredictor(Protocol):
    """A group that is fused, or fuses what it is asked about when it is asked."""

    def answer(self, x: Array) -> GroupAnswer:
        """What the group predicts at x ``[Q, D]``."""
        ...

    def summed(self, rows: Array) -> Array:
        """The sum ``[P]`` of rows ``[N, P]`` of all owners, over their graph."""
        ...


Method = Callable[[Group, Array, Mapping[str, Any]], GroupPredictor]
"""From a group, inputs without targets ``[U, D]`` and the method's settings to the fused group.

Raises ValueError for settings that the method does not have, or not so, and for experts that do not fit it.
"""
METHODS: LazyTable[Method] = LazyTable(
    {
        "cigar": "coolgp.fusion.blackbox.online:online_group",
        "colbi": "coolgp.fusion.blackbox.imitation.group:imitated_group",
        "colbi-parameters": "coolgp.fusion.blackbox.imitation.one:one_surrogate_group",
    }
)
"""All methods by name: each a function in a module of its own, and a line here."""
