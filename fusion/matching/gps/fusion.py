"""Fusing sparse Gaussian processes: select inducing inputs, then carry and add, in one place or over a graph."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coolgp.agents.sparse.gp import SparseGP
from coolgp.fusion.matching.core.over_graph import summed
from coolgp.fusion.matching.gps.agreement import common_prior
from coolgp.fusion.matching.gps.evidence import Noise, evidence_rows, fused_from_row
from coolgp.fusion.matching.gps.fused import Form, FusedGP, columns_of, fused_evidence, fused_pairs
from coolgp.fusion.matching.gps.matched import Matcher
from coolgp.fusion.matching.gps.selection import Selector
from coolgp.network.graphs.given import Graph, checked_graph

__all__ = ["fused"]


def fused(
    owners: Sequence[SparseGP],
    matcher: Matcher,
    selector: Selector,
    graph: Graph | None = None,
    form: Form = "evidence",
    leftover: bool = False,
    nugget: float = 1e-3,
    noise: Noise = "own",
) -> FusedGP:
    """One model of J; see :meth:`coolgp.fusion.matching.sets.spahm.SPAHM.fuse`."""
    if not 0 < nugget < np.inf:
        raise ValueError(f"A nugget is a finite number above 0; got {nugget!r}")
    topology = None if graph is None else checked_graph(graph, len(owners))
    selection = selector.selected([columns_of(owner, form) for owner in owners], owners, matcher, topology)
    if form == "published":
        model = fused_pairs(owners, selection.rows, nugget)
    elif topology is None:
        model = fused_evidence(owners, selection.rows, leftover, noise)
    else:
        union = common_prior(owners, selection.rows)
        model = fused_from_row(union, summed(evidence_rows(owners, union, leftover, noise), topology))
    names = np.concatenate(selection.labels)
    return FusedGP(model, selection.labels, np.bincount(names[names >= 0]), selection.objective, form)
