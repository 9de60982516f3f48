"""Ways in which owners match inducing inputs: everybody all of them, or by messages along a tree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import numpy as np

from coolgp.agents.sparse.gp import SparseGP
from coolgp.fusion.apart.members import known_to_all
from coolgp.fusion.apart.ways.common import MATCHING_FLOOD, ONE_BRANCH, ONE_ORDER
from coolgp.fusion.matching.core.over_graph import tree_parents
from coolgp.fusion.matching.core.rooted import RootedTree, rooted_tree
from coolgp.fusion.matching.gps.by_messages import GPOwners, matched_inputs
from coolgp.fusion.matching.gps.fused import Form
from coolgp.fusion.matching.gps.outline import Outline, outline_of, packed, packed_size, unpacked
from coolgp.fusion.matching.gps.selection import Selection, Selector
from coolgp.fusion.matching.messages.matching import STARTS, Start
from coolgp.fusion.matching.messages.passes import TreeLinks, Underway
from coolgp.fusion.matching.sets.spahm import SPAHM
from coolgp.fusion.sums.flood import Flood
from coolgp.network.graphs.topology import Topology
from coolgp.network.transport import Transport

__all__ = ["GP_MATCHINGS", "AmongAll", "GPMatching", "GPsToMatch"]


@dataclass(frozen=True)
class GPsToMatch:
    """owners: of this rank ``[A]``; form: of the fusion; matcher: settings; selector: where everybody has all."""

    owners: list[SparseGP]
    form: Form
    matcher: SPAHM
    selector: Selector


class GPMatching(Protocol):
    """A way to match."""

    @property
    def usual_sweeps(self) -> int:
        """How often owners match again at most, where the user does not say."""
        ...

    @property
    def why(self) -> str:
        """What the result depends on besides the models; empty where on nothing."""
        ...

    def fit(self, topology: Topology) -> GPMatching:
        """The way as it goes on this graph."""
        ...

    def selected(self, gps: GPsToMatch, transport: Transport) -> tuple[Selection, list[SparseGP]]:
        """What is matched, and the priors from which the common one follows. Collective."""
        ...


@dataclass(frozen=True)
class AmongAll:
    """Outlines are handed on from neighbour to neighbour, and everybody matches all of them alike."""

    flood: Flood = MATCHING_FLOOD
    usual_sweeps: int = 100
    why: str = ""

    def fit(self, topology: Topology) -> AmongAll:
        """See `GPMatching`."""
        return self

    def selected(self, gps: GPsToMatch, transport: Transport) -> tuple[Selection, list[SparseGP]]:
        """See `GPMatching`."""
        outlines = self._handed(gps, transport)
        columns, priors = [outline.columns for outline in outlines], [outline.prior for outline in outlines]
        return gps.selector.selected(columns, priors, gps.matcher), priors

    def _handed(self, gps: GPsToMatch, transport: Transport) -> list[Outline]:
        """What all agents hand over ``[N]``, by global id."""
        outlines = [outline_of(owner, gps.form) for owner in gps.owners]
        length = int(known_to_all([float(packed_size(outline)) for outline in outlines], transport).max())
        rows = np.stack([packed(outline, length) for outline in outlines])
        state = self.flood.settle(self.flood.begin(rows, transport), rows, transport)
        inputs, kernel = len(gps.owners[0].parameters.lengthscale), gps.owners[0].kernel
        return [unpacked(row, inputs, gps.form, kernel) for row in state.values[0]]


@dataclass(frozen=True)
class ByMessages:
    """Sums that matched inducing inputs are known by travel along a tree. start, why: as of networks."""

    start: Start
    why: str
    tree: RootedTree | None = None
    usual_sweeps: int = 1

    def fit(self, topology: Topology) -> ByMessages:
        """See `GPMatching`."""
        return replace(self, tree=rooted_tree(tree_parents(topology)))

    def selected(self, gps: GPsToMatch, transport: Transport) -> tuple[Selection, list[SparseGP]]:
        """See `GPMatching`."""
        assert self.tree is not None  # fitted before
        owners = GPOwners(gps.owners, TreeLinks(self.tree, transport))
        selection, prior = Underway(matched_inputs(owners, gps.form, gps.matcher, self.start)).settle()
        return selection, [prior]


GP_MATCHINGS: dict[str, Callable[[], GPMatching]] = {
    "everyone": AmongAll,
    "tree": partial(ByMessages, STARTS["tree"], ONE_BRANCH),
    "token": partial(ByMessages, STARTS["token"], ONE_ORDER),
}
