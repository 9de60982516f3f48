"""Networks averaged after their hidden units were put in the order of one of them.

Ainsworth, Hayase & Srinivasa, "Git Re-Basin: merging models modulo permutation symmetries", ICLR 2023, section 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.network import Network
from coolgp.fusion.apart.average import Average, shapes_of
from coolgp.fusion.apart.members import Members, require_perfect
from coolgp.fusion.apart.packing import flat, shaped
from coolgp.fusion.matching.networks.baselines import aligned
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.transport import Transport

__all__ = ["ReBasin"]


@dataclass(frozen=True)
class ReBasin(Average):
    """Networks of one shape averaged once their units are in the order of those of the first agent (re-basin).

    The first agent's network is handed to all as a sum to which the others add nothing. weights, local_epochs: as of
    "average".
    """

    def fit(self, topology: Topology, faults: Faults) -> ReBasin:
        """Fit what carries the sums. Raises ValueError on a network that fails: all must align to the same network."""
        require_perfect("re-basin", faults)
        return super().fit(topology, faults)

    def prepared(self, networks: list[Network], members: Members, transport: Transport) -> list[Network]:
        """The networks with their units in the order of the first agent's."""
        first = (transport.shard.agents == 0)[:, None]
        rows = np.where(first, np.stack([flat(network) for network in networks]), 0.0)
        sums: Array = self.carrier.sums(self.carrier.settle(self.carrier.begin(rows, transport), rows, transport))
        reference = shaped(sums[0], shapes_of(networks[0]), networks[0])
        return [aligned(network, reference) for network in networks]
