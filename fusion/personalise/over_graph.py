"""Owners who learn their population by speaking to their neighbours alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from coolgp.agents.statistics import Evidence
from coolgp.fusion.personalise.learning import Learned, learn
from coolgp.fusion.sums.carrier import RepeatedSums
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.serial import SerialTransport
from coolgp.network.transport import Transport

__all__ = ["OverGraph"]


@dataclass(frozen=True)
class OverGraph:
    """Owners are the agents of a transport. rule: carries their sums, fitted to the network."""

    rule: RepeatedSums
    transport: Transport

    @staticmethod
    def along_tree(topology: Topology) -> OverGraph:
        """Sums travel along a spanning tree, in this process."""
        rule = RepeatedSums().fit(topology, Faults())
        return OverGraph(rule, SerialTransport(rule.links(topology)))

    def learn(self, evidence: Evidence) -> Learned:
        """What this rank's owners learn; evidence: of all owners, of which those of this rank are read. Collective.

        One population where all owners end with the same sums, else one for each of this rank's owners.
        """
        own = self.transport.shard.agents
        return learn(evidence[own], own, partial(self.rule.summed, transport=self.transport))
