"""What matching networks in files is compared with: re-basin, k-means of units, and random units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from coolgp.agents.experts.network import Network
from coolgp.fusion.matching.networks.baselines import aligned, cluster_widths, clusterings, random_features
from coolgp.fusion.matching.networks.head import head_sums, refitted_head
from coolgp.fusion.matching.networks.layers import predicted_classes, with_head
from coolgp.fusion.matching.networks.shards import Shard, checked_shards, counted
from coolgp.fusion.matching.networks.shares import class_shares
from coolgp.scenarios.base.formatting import percent
from coolgp.scenarios.experiments.handed.classes import labels_of, numbered_rows
from coolgp.scenarios.experiments.handed.network_files import class_rows, networks_behind, scores, size_words
from coolgp.scenarios.experiments.handed.networks import ENDINGS, AveragedNetworks
from coolgp.scenarios.experiments.handed.rule import Handed, Outcome

__all__ = ["AlignedNetworks", "ClusteredNetworks", "RandomUnits"]


@dataclass(frozen=True)
class AlignedNetworks(AveragedNetworks):
    """Networks of one shape averaged once their hidden units are in the order of those of the first (re-basin).

    weights: "uniform", or by the number of each owner's "rows".
    """

    name: ClassVar[str] = "re-basin"
    least_hidden: ClassVar[int] = 1
    order: ClassVar[str] = "units in the order of the first network, then one sum"

    def prepared(self, networks: Sequence[Network]) -> Sequence[Network]:
        """The networks with their units in the order of the first one's."""
        return [aligned(network, networks[0]) for network in networks]


@dataclass(frozen=True)
class ClusteredNetworks:
    """Networks whose hidden units are clustered by k-means, layer by layer: a baseline of matching.

    units: of each hidden layer of the fused network; without them the owners' rows choose among a quarter, half, three
    quarters and all of the units that there are. head: "refit" fits the output layer afresh from sums over their rows.
    """

    leaves: ClassVar[tuple[str, ...]] = ENDINGS
    uses_rows_of_classes: ClassVar[bool] = True

    units: Annotated[int, Field(ge=1)] | None = None
    head: Literal["fused", "refit"] = "fused"

    def fuse(self, handed: Handed) -> Outcome:
        """See `HandedRule`."""
        networks = networks_behind(handed, "k-means", least_hidden=1)
        if self.units is None and not handed.shards:
            raise ValueError("k-means needs fusion.units, or --shards, the rows of each owner, which choose them")
        if self.head == "refit" and not handed.shards:
            raise ValueError("Refitting the output layer needs rows: give --shards")
        rows = class_rows(handed, networks)
        shards = checked_shards(rows, networks) if rows else []
        network = self._clustered(networks, shards, handed.seed)
        return Outcome(
            model=network,
            sizes=[size_words(each) for each in networks],
            fused_size=size_words(network),
            order="all at once",
            remarks=scores(networks, network, rows),
            settings=asdict(self) | {"units": list(network.widths)},
        )

    def _clustered(self, networks: Sequence[Network], shards: Sequence[Shard], seed: int) -> Network:
        classes = len(networks[0].biases[-1])
        shares = class_shares(counted(list(shards), classes) if shards else None, len(networks), classes)
        widths = cluster_widths(networks, self.units)
        candidates = clusterings(networks, shares, widths, seed)
        best = max(candidates, key=lambda one: _right(one, shards))
        if self.head == "fused":
            return best
        return with_head(best, *refitted_head([head_sums(best.hidden(x), y, classes) for x, y in shards]))


@dataclass(frozen=True)
class RandomUnits:
    """A network of random hidden units whose output layer follows from sums over the owners' rows.

    Of the models only their classes are used: what fusing trained units has to beat. units: how many.
    """

    leaves: ClassVar[tuple[str, ...]] = ENDINGS

    units: Annotated[int, Field(ge=1)] = 250

    def fuse(self, handed: Handed) -> Outcome:
        """See `HandedRule`."""
        labels = labels_of(handed.experts)
        if not labels:
            raise ValueError(f"{handed.paths[0]}: is a regressor; random-features leaves a classifier")
        if not handed.shards:
            raise ValueError("random-features needs --shards, the rows of each owner: no model is used")
        shards = [(rows.x, numbered_rows(rows, list(labels)).y.astype(np.intp)) for rows in handed.shards]
        network = random_features(shards, self.units, len(labels), handed.seed)
        network = replace(network, classes=np.array(list(labels.values())))
        return Outcome(
            model=network,
            sizes=["not used"] * len(handed.experts),
            fused_size=size_words(network),
            order="one sum, the same over any graph",
            remarks=[_score(network, shards)],
            settings=asdict(self),
        )


def _right(network: Network, shards: Sequence[Shard]) -> int:
    return sum(int((predicted_classes(network, x) == y).sum()) for x, y in shards)


def _score(network: Network, shards: Sequence[Shard]) -> str:
    total = sum(len(y) for _, y in shards)
    return f"of the {total} rows of all owners the network gets {percent(_right(network, shards) / total)} right"
