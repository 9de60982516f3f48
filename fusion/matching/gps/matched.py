"""Matching rows of owners in units that they agree on, in an order that follows from their numbers alone.

So names and places of owners and of inducing inputs change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.fusion.matching.core.over_graph import tree_parents
from coolgp.fusion.matching.core.sweeps import renumbered
from coolgp.fusion.matching.gps.agreement import common_units
from coolgp.network.graphs.topology import Topology

__all__ = ["Match", "Matcher", "matched", "standardised"]


class Match(Protocol):
    """What a matcher returns."""

    @property
    def labels(self) -> tuple[Indices, ...]:
        """J arrays ``[M_j]``."""
        ...

    @property
    def objective(self) -> Array:
        """``[T]``, at the start and after each sweep."""
        ...


class Matcher(Protocol):
    """A method that matches rows of J groups: :class:`coolgp.fusion.matching.sets.spahm.SPAHM`."""

    def match(self, groups: Sequence[Array], *, labels: Sequence[Indices] | None = None) -> Match:
        """Match J groups ``[M_j, E]``, from labels where given."""
        ...

    def merged_labels(self, groups: Sequence[Array], parents: Sequence[int]) -> list[Indices]:
        """The labels that merges along a tree end with."""
        ...


def matched(
    columns: Sequence[Array], matcher: Matcher, topology: Topology | None = None
) -> tuple[tuple[Indices, ...], Array]:
    """Labels, J arrays ``[M_j]``, and the objective of a matching of J arrays ``[M_j, E]`` in original units.

    topology: of the owners, along whose spanning tree matches are merged before they are improved.
    """
    rows = [np.lexsort(own.T) for own in columns]
    ordered = standardised([own[order] for own, order in zip(columns, rows, strict=True)])
    if topology is None:
        groups = sorted(range(len(columns)), key=lambda group: ordered[group].tolist())
        match = matcher.match([ordered[group] for group in groups])
    else:
        groups = list(range(len(columns)))
        match = matcher.match(ordered, labels=matcher.merged_labels(ordered, tree_parents(topology)))
    labels = [np.zeros(0, dtype=np.intp)] * len(columns)
    for group, own in zip(groups, match.labels, strict=True):
        labels[group] = own[np.argsort(rows[group])]
    return renumbered(labels), match.objective


def standardised(columns: Sequence[Array]) -> list[Array]:
    """The columns of all owners, J arrays ``[M_j, E]``, in units that they agree on."""
    units = common_units(columns)
    return [units.standardised(rows) for rows in columns]
