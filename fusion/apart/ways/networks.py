"""Ways in which owners match networks: everybody all of them, or by messages along a tree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

from coolgp.agents.experts.network import Network
from coolgp.fusion.apart.handed_on import HandedOn, NetworkFlood, OwnedNetworks
from coolgp.fusion.apart.ways.common import MATCHING_FLOOD, ONE_BRANCH, ONE_ORDER
from coolgp.fusion.guarantee import Guarantee
from coolgp.fusion.matching.core.over_graph import tree_parents
from coolgp.fusion.matching.core.rooted import RootedTree, rooted_tree
from coolgp.fusion.matching.messages.matching import STARTS, Start
from coolgp.fusion.matching.messages.passes import TreeLinks, Underway
from coolgp.fusion.matching.networks.by_messages import NetworkOwners, candidates_by_messages
from coolgp.fusion.matching.networks.fused import FusedNetwork
from coolgp.fusion.matching.networks.pfnm import PFNM
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.transport import Transport

__all__ = ["NETWORK_MATCHINGS", "NetworkMatching", "ToMatch"]


@dataclass(frozen=True)
class ToMatch:
    """What is to be matched, as a rank knows it.

    pfnm: settings. earlier: the fusion of the round before, from whose labels to start.
    """

    owned: OwnedNetworks
    pfnm: PFNM
    earlier: FusedNetwork | None


class NetworkMatching(Protocol):
    """A way to match. Everything but `fit` and `guarantee` is collective."""

    @property
    def usual_sweeps(self) -> int:
        """How often owners match again at most, where the user does not say."""
        ...

    def fit(self, topology: Topology) -> NetworkMatching:
        """The way as it goes on this graph."""
        ...

    def guarantee(self, links: Topology, faults: Faults) -> Guarantee:
        """What it guarantees over these links."""
        ...

    def begin(self, matched: ToMatch, transport: Transport) -> Any:
        """State before the first message."""
        ...

    def rounds(self, state: Any, transport: Transport, count: int) -> Any:
        """The state after so many communication rounds."""
        ...

    def settle(self, state: Any, transport: Transport) -> Any:
        """The state once there is nothing left to send."""
        ...

    def candidates(self, state: Any, transport: Transport) -> list[FusedNetwork] | None:
        """The fused network of each setting, the same for all agents; None while messages are on their way."""
        ...

    def own_units(self, fused: FusedNetwork, transport: Transport) -> list[Network]:
        """The part of the fused network that each of this rank's owners was matched to ``[A]``."""
        ...


@dataclass(frozen=True)
class _Handed:
    """inner: which networks have reached whom."""

    matched: ToMatch
    inner: HandedOn


@dataclass(frozen=True)
class AmongAll:
    """Networks are handed on from neighbour to neighbour, and everybody matches all of them alike."""

    handing: NetworkFlood = field(default_factory=partial(NetworkFlood, MATCHING_FLOOD))
    usual_sweeps: int = 5

    def fit(self, topology: Topology) -> AmongAll:
        """See `NetworkMatching`."""
        return self

    def guarantee(self, links: Topology, faults: Faults) -> Guarantee:
        """What is matched are all networks, once they have reached everybody."""
        return self.handing.flood.guarantee(links, faults)

    def begin(self, matched: ToMatch, transport: Transport) -> _Handed:
        """See `NetworkMatching`."""
        return _Handed(matched, self.handing.begin(matched.owned, transport))

    def rounds(self, state: _Handed, transport: Transport, count: int) -> _Handed:
        """See `NetworkMatching`."""
        return replace(state, inner=self.handing.rounds(state.inner, transport, count))

    def settle(self, state: _Handed, transport: Transport) -> _Handed:
        """See `NetworkMatching`."""
        return replace(state, inner=self.handing.settle(state.inner, transport))

    def candidates(self, state: _Handed, transport: Transport) -> list[FusedNetwork] | None:
        """See `NetworkMatching`."""
        arrived, earlier = self.handing.arrived(state.inner, transport), state.matched.earlier
        labels = None if earlier is None else earlier.labels
        return None if arrived is None else state.matched.pfnm.candidates(*arrived, labels)

    def own_units(self, fused: FusedNetwork, transport: Transport) -> list[Network]:
        """See `NetworkMatching`."""
        parts = fused.sub_networks()
        return [parts[agent] for agent in transport.shard.agents.tolist()]


@dataclass(frozen=True)
class ByMessages:
    """Sums that units are known by travel along a tree, and no network leaves its owner.

    start: how units come to be matched, before a token improves that. why: what is guaranteed.
    """

    start: Start
    why: str
    tree: RootedTree | None = None
    usual_sweeps: int = 1

    def fit(self, topology: Topology) -> ByMessages:
        """See `NetworkMatching`."""
        return replace(self, tree=rooted_tree(tree_parents(topology)))

    def guarantee(self, links: Topology, faults: Faults) -> Guarantee:
        """All agents end with the same network; which units match depends on the order of the owners."""
        return Guarantee("approximate", self.why, messages=float(links.edge_count))

    def begin(self, matched: ToMatch, transport: Transport) -> Underway[list[FusedNetwork]]:
        """See `NetworkMatching`."""
        assert self.tree is not None  # fitted before
        owners = NetworkOwners(matched.owned.networks, matched.owned.counts, TreeLinks(self.tree, transport))
        return Underway(candidates_by_messages(matched.pfnm, owners, self.start, matched.earlier))

    def rounds(
        self, state: Underway[list[FusedNetwork]], transport: Transport, count: int
    ) -> Underway[list[FusedNetwork]]:
        """See `NetworkMatching`."""
        state.run(count)
        return state

    def settle(self, state: Underway[list[FusedNetwork]], transport: Transport) -> Underway[list[FusedNetwork]]:
        """See `NetworkMatching`."""
        state.settle()
        return state

    def candidates(self, state: Underway[list[FusedNetwork]], transport: Transport) -> list[FusedNetwork] | None:
        """See `NetworkMatching`."""
        return state.result

    def own_units(self, fused: FusedNetwork, transport: Transport) -> list[Network]:
        """See `NetworkMatching`."""
        return fused.sub_networks()


NETWORK_MATCHINGS: dict[str, Callable[[], NetworkMatching]] = {
    "everyone": AmongAll,
    "tree": partial(ByMessages, STARTS["tree"], ONE_BRANCH),
    "token": partial(ByMessages, STARTS["token"], ONE_ORDER),
}
