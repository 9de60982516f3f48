"""Fusing sparse Gaussian processes: match, then carry and add, in one place or over a graph.

Owners and inducing inputs are put in an order that follows from their numbers alone before they are matched, so that
their names and places change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.sparse.gp import SparseGP
from coolgp.fusion.matching.core.over_graph import Graph, checked_graph, summed, tree_parents
from coolgp.fusion.matching.core.sweeps import renumbered
from coolgp.fusion.matching.gps.agreement import common_prior
from coolgp.fusion.matching.gps.evidence import evidence_rows, fused_from_row
from coolgp.fusion.matching.gps.fused import (
    Form,
    FusedGP,
    columns_of,
    fused_evidence,
    fused_pairs,
    matched_means,
    standardised,
)
from coolgp.network.graphs.topology import Topology

__all__ = ["Match", "Matcher", "fused", "matched"]


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


def fused(
    owners: Sequence[SparseGP],
    matcher: Matcher,
    graph: Graph | None = None,
    form: Form = "evidence",
    leftover: bool = False,
    nugget: float = 1e-3,
) -> FusedGP:
    """One model of J; see :meth:`coolgp.fusion.matching.sets.spahm.SPAHM.fuse`."""
    if not 0 < nugget < np.inf:
        raise ValueError(f"A nugget is a finite number above 0; got {nugget!r}")
    topology = None if graph is None else checked_graph(graph, len(owners))
    columns = [columns_of(owner, form) for owner in owners]
    labels, objective = matched(columns, matcher, topology)
    means = matched_means(columns, labels)
    if form == "published":
        model = fused_pairs(owners, means, nugget)
    elif topology is None:
        model = fused_evidence(owners, means, leftover)
    else:
        union = common_prior(owners, means)
        model = fused_from_row(union, summed(evidence_rows(owners, union, leftover), topology))
    return FusedGP(model, labels, np.bincount(np.concatenate(labels)), objective, form)


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
