"""Hidden units of all owners' networks clustered by k-means, in place of matching: what PFNM is measured against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.network import Network
from coolgp.fusion.apart.handed_on import NetworksHandedOn
from coolgp.fusion.apart.members import Members
from coolgp.fusion.matching.networks.baselines import cluster_widths, clusterings
from coolgp.fusion.matching.networks.shares import class_shares
from coolgp.network.transport import Transport

__all__ = ["ClusteredNetworks"]


@dataclass(frozen=True)
class ClusteredNetworks(NetworksHandedOn):
    """Networks whose hidden units are clustered by k-means, layer by layer; a cluster is a unit of the fused network.

    Unlike matching it puts several units of one network into one cluster, and needs their number. units: of each hidden
    layer of the fused network; by default the owners choose among a quarter, half, three quarters and all of the units
    that there are, by the rows that they count as right. seed: of k-means; default the run's. head: "refit" fits the
    output layer afresh from sums over the owners' rows. via: the rule that carries the sums. handing: of networks.
    """

    name: ClassVar[str] = "k-means"

    units: Annotated[int, Field(ge=1)] | None = None
    seed: Annotated[int, Field(ge=0)] = 0

    def network(self, networks: Sequence[Network], counts: Array, members: Members, transport: Transport) -> Network:
        """The network of the candidate that gets most of the owners' rows right."""
        widths = cluster_widths(networks, self.units)
        candidates = clusterings(networks, class_shares(counts, *counts.shape), widths, self.seed)
        return self.with_head(candidates[self.best_of(candidates, members, transport)], members, transport)
