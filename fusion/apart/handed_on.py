"""Rules by which all agents end with one network, mostly because networks are handed on until everybody has all.

What only owners can say is summed: of each candidate the rows that it gets right, and the moments of the hidden
features for a refitted output layer. No row leaves its owner. Until there is a fused network, agents predict by their
own.
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
from coolgp.fusion.matching.networks.layers import predicted_classes
from coolgp.fusion.sums.base import FITTED
from coolgp.fusion.sums.carrier import CarriedRule
from coolgp.fusion.sums.flood import Flood, FloodState
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.transport import Transport

__all__ = ["HandedOn", "NetworkFlood", "NetworksHandedOn", "OneNetwork", "OwnedNetworks"]

FLOOD = Flood(instead='fusion.rule = "ensemble", under which models stay where they are')


@dataclass(frozen=True)
class HandedOn:
    """rows ``[A, P]``: packed networks; inner: what has reached whom."""

    rows: Array
    packing: Packing
    inner: FloodState


@dataclass(frozen=True)
class NetworkFlood:
    """Networks with their owners' rows of each class, handed on from neighbour to neighbour."""

    flood: Flood = FLOOD

    def begin(self, owned: OwnedNetworks, transport: Transport) -> HandedOn:
        """State before the first message; each agent has its own network."""
        rows = np.stack([owned.packing.packed(*both) for both in zip(owned.networks, owned.counts, strict=True)])
        return HandedOn(rows, owned.packing, self.flood.begin(rows, transport))

    def rounds(self, state: HandedOn, transport: Transport, count: int) -> HandedOn:
        """The state after so many communication rounds. Collective."""
        return replace(state, inner=self.flood.rounds(state.inner, state.rows, transport, count))

    def settle(self, state: HandedOn, transport: Transport) -> HandedOn:
        """The state once all networks have reached everybody. Collective."""
        return replace(state, inner=self.flood.settle(state.inner, state.rows, transport))

    def arrived(self, state: HandedOn, transport: Transport) -> tuple[list[Network], Array] | None:
        """All N networks, with the counts ``[N, K]``; None until all have reached everybody. Collective."""
        versions = (state.inner.version > 0).sum(axis=1, keepdims=True)
        if transport.allsum(versions)[0] < transport.shard.size**2:
            return None
        unpacked = [state.packing.unpacked(row) for row in state.inner.values[0]]
        return [network for network, _ in unpacked], np.stack([counts for _, counts in unpacked])


@dataclass(frozen=True)
class OwnedNetworks:
    """This rank's networks ``[A]``, with counts ``[A, K]`` of their owners' rows; packing: of a network as a row."""

    networks: list[Network]
    counts: Array
    packing: Packing


@dataclass(frozen=True)
class OneNetwork(CarriedRule):
    """A rule by which all agents end with the same network.

    head: "refit" fits the output layer afresh from sums over the owners' rows. via: the rule that carries the sums.
    name: of the rule, for messages.
    """

    name: ClassVar[str]

    head: Literal["fused", "refit"] = "fused"
    via: Literal["tree", "flood"] = "tree"

    def fit(self, topology: Topology, faults: Faults) -> Self:
        """See `ApartRule`. Raises ValueError on a network that fails: all owners must fuse the same networks."""
        require_perfect(self.name, faults)
        return super().fit(topology, faults)

    def check(self, task: Task) -> None:
        """See `ApartRule`."""
        if not task.labels:
            raise ValueError(f'fusion.rule: "{self.name}" fuses classifiers; the data are of regression')

    def owned(self, members: Members, transport: Transport) -> OwnedNetworks:
        """The networks of this rank. Raises ValueError, on all ranks, for models that do not fit. Collective."""
        networks = networks_of(members, transport, self.name)
        packing = _packing(networks, members.task, self.name, transport)
        return OwnedNetworks(networks, np.stack([rows.counts(packing.classes) for rows in members.rows]), packing)

    def predicted(self, network: Network | None, members: Members) -> Fused:
        """What agents predict by the fused network, or each by its own while there is none."""
        if network is None:
            return Fused(members.answers, sizes(members))
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


@dataclass(frozen=True)
class NetworksHandedOn(OneNetwork, ABC):
    """A rule by which everybody fuses the same networks of all agents. handing: hands networks on."""

    handing: NetworkFlood = field(default_factory=NetworkFlood, metadata=FITTED)

    @abstractmethod
    def network(self, networks: Sequence[Network], counts: Array, members: Members, transport: Transport) -> Network:
        """The fused network of N networks and their owners' rows of each class ``[N, K]``. Collective."""

    def guarantee(self, topology: Topology, faults: Faults) -> Guarantee:
        """What is fused are all networks, once they have reached everybody."""
        return self.handing.flood.guarantee(self.links(topology), faults)

    def init(self, members: Members, transport: Transport) -> HandedOn:
        """See `ApartRule`."""
        return self.handing.begin(self.owned(members, transport), transport)

    def exchange(self, state: HandedOn, members: Members, transport: Transport, rounds: int = 1) -> HandedOn:
        """See `ApartRule`."""
        return self.handing.rounds(state, transport, rounds)

    def converge(self, state: HandedOn, members: Members, transport: Transport) -> HandedOn:
        """See `ApartRule`."""
        return self.handing.settle(state, transport)

    def fused(self, state: HandedOn, members: Members, transport: Transport) -> Fused:
        """See `ApartRule`."""
        arrived = self.handing.arrived(state, transport)
        return self.predicted(arrived and self.network(*arrived, members, transport), members)


def _packing(networks: list[Network], task: Task, rule: str, transport: Transport) -> Packing:
    """How networks of this depth are packed; every agent's row is as long as that of the largest network."""
    depths = known_to_all([float(len(network.weights)) for network in networks], transport)
    if (depths != depths[0]).any():
        agent = int(np.flatnonzero(depths != depths[0])[0])
        raise ValueError(f'fusion.rule: "{rule}" needs equally many hidden layers; agent {agent} has another number')
    largest = known_to_all([float(network.size) for network in networks], transport).max()
    return Packing(like=networks[0], longest=int(largest), classes=task.columns)
