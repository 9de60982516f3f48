"""Rules that hand networks on from neighbour to neighbour until everybody has all, and then fuses all of them alike.

What only owners can say is summed: of each candidate the rows that it gets right, and the moments of the hidden
features for a refitted output layer. No row leaves its owner. Until all networks have reached everybody, agents predict
by their own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal, Self

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.network import Network
from coolgp.agents.experts.task import Task, with_network
from coolgp.fusion.apart.alone import sizes
from coolgp.fusion.apart.head import moments, with_refitted_head
from coolgp.fusion.apart.members import Fused, Members, asked, known_to_all, networks_of, require_perfect
from coolgp.fusion.apart.packing import Packing
from coolgp.fusion.guarantee import Guarantee
from coolgp.fusion.matching.networks.fused import FusedNetwork
from coolgp.fusion.matching.networks.layers import predicted_classes
from coolgp.fusion.sums.base import FITTED
from coolgp.fusion.sums.carrier import CarriedRule
from coolgp.fusion.sums.flood import Flood, FloodState
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.transport import Transport

__all__ = ["HandedOn", "NetworksHandedOn"]


@dataclass(frozen=True)
class HandedOn:
    """rows ``[A, P]``: packed networks; inner: what has reached whom.

    earlier: the fusion of the round before, where rounds go on from one another. result: of this round, once there.
    """

    rows: Array
    packing: Packing
    inner: FloodState
    earlier: FusedNetwork | None = None
    result: list[FusedNetwork] = field(default_factory=list)


@dataclass(frozen=True)
class NetworksHandedOn(CarriedRule, ABC):
    """A rule by which everybody fuses the same networks of all agents.

    head: "refit" fits the output layer afresh from sums over the owners' rows. via: the rule that carries the sums.
    handing: hands networks on. name: of the rule, for messages.
    """

    name: ClassVar[str]

    head: Literal["fused", "refit"] = "fused"
    via: Literal["tree", "flood"] = "tree"
    handing: Flood = field(default_factory=Flood, metadata=FITTED)

    @abstractmethod
    def network(
        self, networks: Sequence[Network], counts: Array, state: HandedOn, members: Members, transport: Transport
    ) -> Network:
        """The fused network of N networks and their owners' rows of each class ``[N, K]``. Collective."""

    def fit(self, topology: Topology, faults: Faults) -> Self:
        """See `ApartRule`. Raises ValueError on a network that fails: all owners must fuse the same networks."""
        require_perfect(self.name, faults)
        return super().fit(topology, faults)

    def guarantee(self, topology: Topology, faults: Faults) -> Guarantee:
        """What is fused are all networks, once they have reached everybody."""
        return self.handing.guarantee(self.links(topology), faults)

    def check(self, task: Task) -> None:
        """See `ApartRule`."""
        if not task.labels:
            raise ValueError(f'fusion.rule: "{self.name}" fuses classifiers; the data are of regression')

    def init(self, members: Members, transport: Transport) -> HandedOn:
        """See `ApartRule`."""
        networks = networks_of(members, transport, self.name)
        packing = _packing(networks, members.task, self.name, transport)
        counts = [rows.counts(packing.classes) for rows in members.rows]
        rows = np.stack([packing.packed(*both) for both in zip(networks, counts, strict=True)])
        return HandedOn(rows, packing, self.handing.begin(rows, transport))

    def exchange(self, state: HandedOn, members: Members, transport: Transport, rounds: int = 1) -> HandedOn:
        """See `ApartRule`."""
        return replace(state, inner=self.handing.rounds(state.inner, state.rows, transport, rounds), result=[])

    def converge(self, state: HandedOn, members: Members, transport: Transport) -> HandedOn:
        """See `ApartRule`."""
        return replace(state, inner=self.handing.settle(state.inner, state.rows, transport), result=[])

    def fused(self, state: HandedOn, members: Members, transport: Transport) -> Fused:
        """See `ApartRule`."""
        arrived = (state.inner.version > 0).sum(axis=1, keepdims=True)
        if transport.allsum(arrived)[0] < transport.shard.size**2:
            return Fused(members.answers, sizes(members))
        networks, counts = zip(*(state.packing.unpacked(row) for row in state.inner.values[0]), strict=True)
        network = self.network(networks, np.stack(counts), state, members, transport)
        experts = [with_network(expert, network) for expert in members.experts]
        return Fused(asked(experts[:1], members).repeat(len(experts), axis=0), np.full(len(experts), network.size))

    def best_of(self, candidates: Sequence[Network], members: Members, transport: Transport) -> int:
        """The candidate that gets most rows right, of all owners together. Collective."""
        if len(candidates) == 1:
            return 0
        right = [[float((predicted_classes(one, own.x) == own.y).sum()) for one in candidates] for own in members.rows]
        return int(self._summed(np.array(right), transport).argmax())

    def with_head(self, network: Network, members: Members, transport: Transport) -> Network:
        """The network, with an output layer that is fitted afresh where `head` says so. Collective."""
        if self.head == "fused":
            return network
        classes = members.task.columns
        total = self._summed(moments(network, members.rows, classes), transport)
        return with_refitted_head(network, total, classes)

    def _summed(self, rows: Array, transport: Transport) -> Array:
        """The sum over all agents of rows ``[A, P]``."""
        begun = self.carrier.begin(rows, transport)
        total: Array = self.carrier.sums(self.carrier.settle(begun, rows, transport))[0]
        return total


def _packing(networks: list[Network], task: Task, rule: str, transport: Transport) -> Packing:
    """How networks of this depth are packed; every agent's row is as long as that of the largest network."""
    depths = known_to_all([float(len(network.weights)) for network in networks], transport)
    if (depths != depths[0]).any():
        agent = int(np.flatnonzero(depths != depths[0])[0])
        raise ValueError(f'fusion.rule: "{rule}" needs equally many hidden layers; agent {agent} has another number')
    largest = known_to_all([float(network.size) for network in networks], transport).max()
    return Packing(like=networks[0], longest=int(largest), classes=task.columns)
