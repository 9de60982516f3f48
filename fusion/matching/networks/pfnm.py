"""PFNM: fusing neural networks that were trained apart by matching their hidden units.

Hidden units have no order, so networks with different initialisations cannot be averaged entry by entry. PFNM takes
each unit for a noisy copy of a global one, matches the units of all networks from the last hidden layer down, and
returns one network whose widths follow from the match. Source: Yurochkin, Agarwal, Ghosh, Greenewald, Hoang & Khazaeni,
"Bayesian Nonparametric Federated Learning of Neural Networks", ICML 2019, and the authors' code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.experts.network import ACTIVATIONS, Network
from coolgp.fusion.matching.core.assignment import SOLVERS
from coolgp.fusion.matching.core.gains import Criterion
from coolgp.fusion.matching.core.merges import matched_along
from coolgp.fusion.matching.core.over_graph import tree_parents
from coolgp.fusion.matching.core.prior import BetaBernoulli
from coolgp.fusion.matching.core.sweeps import matched, renumbered
from coolgp.fusion.matching.networks.fused import FusedNetwork, MatchedUnits
from coolgp.fusion.matching.networks.head import head_sums, refitted_head
from coolgp.fusion.matching.networks.layers import (
    HasWeights,
    checked_networks,
    with_head,
)
from coolgp.fusion.matching.networks.read_out import fused_network
from coolgp.fusion.matching.networks.settings import GRID, Setting
from coolgp.fusion.matching.networks.shards import Shard, checked_shards, counted
from coolgp.fusion.matching.networks.shares import class_shares, powered
from coolgp.fusion.matching.networks.units import Units, units_of
from coolgp.network.graphs.given import Graph, checked_graph

__all__ = ["PFNM"]

HEADS, ABSENT = ("fused", "refit"), ("ignored", "zero")


@dataclass(frozen=True)
class PFNM:
    """Settings of PFNM; :meth:`fuse` is the method.

    settings: candidates, of which the owners' counts pick one; a single one needs no rows. slack: of the candidates
    that get at most this share of all rows less right than the best, take the one with the fewest units. head:
    "fused", or "refit" to fit the output layer afresh from sums over the shards. sweeps: at most, for each layer.
    activation: of the hidden units of networks that come as arrays. concentration: of the prior. absent: weights to
    units that a network does not have are "ignored", or taken for a "zero" as in the authors' code. marginal: integrate
    the global units out, as SPAHM does, in place of the maximum over them. seed: of the order of visits. solver:
    "greedy", a baseline, takes the pair that gains most first.
    """

    settings: tuple[Setting, ...] = GRID
    slack: float = 0.0
    head: Literal["fused", "refit"] = "fused"
    sweeps: int = 5
    activation: str = "relu"
    concentration: float = 1.0
    absent: Literal["ignored", "zero"] = "ignored"
    marginal: bool = False
    seed: int = 0
    solver: Literal["optimal", "greedy"] = "optimal"

    def fuse(
        self,
        models: Sequence[HasWeights],
        shards: Sequence[tuple[npt.ArrayLike, npt.ArrayLike]] | None = None,
        class_counts: npt.ArrayLike | None = None,
        graph: Graph | None = None,
        labels: Sequence[Sequence[Indices]] | None = None,
    ) -> FusedNetwork:
        """Fuse the networks of J models.

        models: fitted multilayer perceptrons of scikit-learn, also behind a scaler in a pipeline, records, arrays
        ``(W0 [D, L1], b0 [L1], W1, b1, ...)``, or paths of model files. shards: J pairs of inputs ``[n, D]`` and
        classes ``[n]``, by label or from 0 where the networks have no labels, what every owner trained on. Only counts
        of correct rows, and sums for the refitted head, are formed from them. class_counts ``[J, K]``: rows of each
        class; counted from the shards, or all equal, where they are not given. graph: of the owners, over which they
        match: merges along a spanning tree, then walks of a token in place of sweeps. labels: of an earlier fusion of
        networks of the same widths, to start from; not with a graph. Raises ValueError for models, shards or a graph
        that do not fit, and where candidates or the refitted head need shards.
        """
        self._check(shards)
        if graph is not None and labels is not None:
            raise ValueError("PFNM starts from earlier labels, or merges along a graph: give one of them")
        nets = checked_networks(models, self.activation)
        parents = None if graph is None else tree_parents(checked_graph(graph, len(nets)))
        classes = len(nets[0].biases[-1])
        rows = None if shards is None else checked_shards(shards, nets)
        counts = counted(rows, classes) if class_counts is None and rows is not None else class_counts
        shares = class_shares(counts, len(nets), classes)
        candidates, correct = self._candidates(nets, shares, rows, labels, parents)
        fused = candidates[_chosen(candidates, correct, self.slack * sum(len(y) for _, y in rows or []))]
        return replace(self._with_head(fused, rows), correct=correct)

    def candidates(
        self,
        models: Sequence[HasWeights],
        class_counts: npt.ArrayLike | None = None,
        labels: Sequence[Sequence[Indices]] | None = None,
    ) -> list[FusedNetwork]:
        """The fused network of every setting, for owners to count the rows that each gets right; see :meth:`fuse`."""
        nets = checked_networks(models, self.activation)
        shares = class_shares(class_counts, len(nets), len(nets[0].biases[-1]))
        return self._candidates(nets, shares, None, labels)[0]

    def match(
        self,
        networks: Sequence[Network],
        shares: Array,
        setting: Setting,
        labels: Sequence[Sequence[Indices]] | None = None,
        parents: Sequence[int] | None = None,
    ) -> MatchedUnits:
        """Match the hidden units of all networks, from the last hidden layer down; shares ``[J, K]`` of the classes.

        parents ``[J]``: of the networks in a tree along which they are merged, -1 for its root.
        """
        depth = len(networks[0].widths)
        units: list[Units] = []
        matches: list[tuple[Indices, ...]] = []
        objectives: list[Array] = []
        for layer, prior in reversed(list(enumerate(setting.layers(depth)))):
            above = matches[0] if matches else None
            own = units_of(networks, layer, prior, shares, above, zeros=self.absent == "zero")
            beta_bernoulli = BetaBernoulli(prior.mass, self.concentration)
            criterion = Criterion(beta_bernoulli, self.marginal, SOLVERS[self.solver])
            if parents is None:
                start = None if labels is None else labels[layer]
                partition, objective = matched(own.vectors, criterion, self.sweeps, self.seed, start)
            else:
                partition, objective = matched_along(own.vectors, criterion, parents, self.sweeps)
            units.insert(0, own)
            matches.insert(0, renumbered(partition.labels))
            objectives.insert(0, objective)
        return MatchedUnits(tuple(units), tuple(matches), tuple(objectives))

    def _candidates(
        self,
        networks: tuple[Network, ...],
        shares: Array,
        shards: list[Shard] | None,
        labels: Sequence[Sequence[Indices]] | None,
        parents: Sequence[int] | None = None,
    ) -> tuple[list[FusedNetwork], Indices]:
        """The fused network of every setting, and the rows ``[S]`` that it gets right."""
        matches: dict[Setting, MatchedUnits] = {}
        fused = []
        for setting in self.settings:
            prior = replace(setting, read_out="map")
            own_shares = powered(shares, setting.share_power)
            if prior not in matches:
                matches[prior] = self.match(networks, own_shares, prior, labels, parents)
            fused.append(self._fused(networks, matches[prior], own_shares, setting))
        if shards is None or len(fused) == 1:
            return fused, np.zeros(0, dtype=np.intp)
        correct = [sum(int((one.predict(x) == y).sum()) for x, y in shards) for one in fused]
        return fused, np.array(correct, dtype=np.intp)

    def _fused(
        self, networks: tuple[Network, ...], match: MatchedUnits, shares: Array, setting: Setting
    ) -> FusedNetwork:
        top = setting.layers(len(match.units))[-1]
        return FusedNetwork(
            network=fused_network(networks, match.units, match.labels, shares, top, setting.read_out),
            labels=match.labels,
            counts=tuple(np.bincount(np.concatenate(own)) for own in match.labels),
            objective=match.objective,
            setting=setting,
            correct=np.zeros(0, dtype=np.intp),
        )

    def _with_head(self, fused: FusedNetwork, shards: list[Shard] | None) -> FusedNetwork:
        if self.head == "fused" or shards is None:
            return fused
        network = fused.network
        sums = [head_sums(network.hidden(x), y, len(network.biases[-1])) for x, y in shards]
        return replace(fused, network=with_head(network, *refitted_head(sums)))

    def _check(self, shards: object) -> None:
        allowed = {"activation": ACTIVATIONS, "head": HEADS, "absent": ABSENT, "solver": SOLVERS}
        for name, values in allowed.items():
            if getattr(self, name) not in values:
                raise ValueError(f"PFNM needs {name} to be one of {', '.join(values)}; got {getattr(self, name)!r}")
        if not 0 <= self.slack < 1:
            raise ValueError(f"PFNM needs a slack from 0 and below 1, a share of the rows; got {self.slack}")
        if not self.settings:
            raise ValueError("PFNM needs at least one setting; got none")
        if shards is None and len(self.settings) > 1:
            raise ValueError(
                f"PFNM picks one of {len(self.settings)} settings by the rows that owners get right: give shards, or a "
                "single setting"
            )
        if shards is None and self.head == "refit":
            raise ValueError("Refitting the output layer needs rows: give shards")


def _chosen(candidates: Sequence[FusedNetwork], correct: Indices, slack: float) -> int:
    """The candidate that gets most rows right; with a slack the smallest that gets nearly as many right."""
    if not len(correct):
        return 0
    near = np.flatnonzero(correct >= correct.max() - slack)
    units = np.array([sum(candidates[place].network.widths) for place in near.tolist()])
    smallest = near[units == units.min()] if slack else near
    return int(smallest[correct[smallest].argmax()])
