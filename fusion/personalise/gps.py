"""A Gaussian process of one's own from those of others: their evidence, their population, and the rows of a newcomer.

Owners' inducing inputs and hyper-parameters differ. Their evidence is carried into inducing inputs that all share,
under common hyper-parameters (`coolgp.fusion.matching.gps.evidence`); there each is an observation of its task.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.features.inducing import kmeans
from coolgp.agents.sparse.gp import SparseGP
from coolgp.agents.statistics import Evidence
from coolgp.fusion.matching.gps.agreement import common_prior, sparse_gps
from coolgp.fusion.matching.gps.evidence import evidence_rows
from coolgp.fusion.personalise.learning import Learned, learn
from coolgp.fusion.personalise.mixture import PersonalGP
from coolgp.fusion.personalise.over_graph import OverGraph
from coolgp.fusion.personalise.starting import Learner, StartingPoint
from coolgp.network.graphs.given import Graph, checked_graph

__all__ = ["PersonalisedGPs", "common_inputs", "learner_over"]

ROOM = 2
"""Common inducing inputs, as a multiple of those of the owner that has most."""


@dataclass(frozen=True)
class PersonalisedGPs:
    """How models of owners become a start for a newcomer.

    n_inducing: common inducing inputs at most; twice as many as the largest owner has where None. Where owners have no
    more than that between them, all of them are kept, and else centres of k-means clusters. experts: each owner's own
    posterior takes part as a prior too. leftover: see :func:`coolgp.fusion.matching.gps.evidence.carried`. seed: of
    k-means.
    """

    n_inducing: int | None = None
    experts: bool = False
    leftover: bool = True
    seed: int = 0

    def start(self, models: Sequence[Any], graph: Graph | None = None) -> tuple[PersonalGP, Learned]:
        """The newcomer's model before its first row, and what was learned of the population.

        models: J fitted sparse GPs, as :meth:`coolgp.SPAHM.fuse` takes them. graph: of the owners, over which sums
        travel along a spanning tree. Raises ValueError for models or a graph that do not fit.
        """
        start, learned = self.starting_point(models, graph)
        return start.newcomer(self.experts), learned

    def starting_point(
        self, models: Sequence[Any], graph: Graph | None = None, learner: Learner | None = None
    ) -> tuple[StartingPoint, Learned]:
        """What newcomers start from, and how it was learned; see :meth:`start`. learner: in place of a graph."""
        owners = sparse_gps(models)
        learner = learner or learner_over(graph, len(owners))
        limit = self.n_inducing or ROOM * max(len(owner.shift) for owner in owners)
        union = common_prior(owners, common_inputs(owners, limit, self.seed))
        rows = evidence_rows(owners, union, self.leftover)
        evidence = Evidence.unpack(rows, len(union.shift)).clipped()
        learned = learner(evidence)
        return StartingPoint(union, evidence, learned), learned


def common_inputs(owners: Sequence[SparseGP], limit: int, seed: int) -> Array:
    """Inducing inputs ``[L, D]`` for all owners: the distinct ones of all, or as many k-means centres as the limit.

    Distances are in units of the owners' median lengthscales; the owners' order changes nothing.
    """
    inputs = np.unique(np.concatenate([owner.parameters.inducing_inputs for owner in owners]), axis=0)
    if len(inputs) <= limit:
        return inputs
    lengthscale = common_prior(owners, inputs).parameters.lengthscale
    centres: Array = kmeans(inputs / lengthscale, limit, np.random.default_rng(seed)) * lengthscale
    return centres


def learner_over(graph: Graph | None, owners: int) -> Learner:
    """What learns a population of so many owners: along a spanning tree of their graph, or, without one, in one place.

    Raises ValueError for a graph that does not fit them.
    """
    return learn if graph is None else OverGraph.along_tree(checked_graph(graph, owners)).learn
