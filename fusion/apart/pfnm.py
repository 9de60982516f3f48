"""PFNM over a graph: networks are handed on from neighbour to neighbour, and everybody matches all of them alike.

What only owners can say is summed: of each candidate setting the rows that it gets right, and the moments of the hidden
features for a refitted output layer. No row leaves its owner. Until all networks have reached everybody, agents predict
by their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.network import Network
from coolgp.agents.experts.task import Task, with_network
from coolgp.fusion.apart.alone import sizes
from coolgp.fusion.apart.head import moments, with_refitted_head
from coolgp.fusion.apart.members import Fused, Members, asked, known_to_all, networks_of, require_perfect
from coolgp.fusion.apart.packing import Packing
from coolgp.fusion.guarantee import Guarantee
from coolgp.fusion.matching.networks.fused import FusedNetwork
from coolgp.fusion.matching.networks.pfnm import PFNM
from coolgp.fusion.matching.networks.settings import GRID, Setting
from coolgp.fusion.sums.base import FITTED
from coolgp.fusion.sums.carrier import CarriedRule
from coolgp.fusion.sums.flood import Flood, FloodState
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.transport import Transport

__all__ = ["MatchedNetworks"]

Above = Annotated[float, Field(gt=0)]


@dataclass(frozen=True)
class Handed:
    """rows ``[A, P]``: packed networks; inner: what has reached whom.

    earlier: the fusion of the round before, from whose labels and setting this one starts.
    """

    rows: Array
    packing: Packing
    inner: FloodState
    earlier: FusedNetwork | None = None
    result: list[FusedNetwork] = field(default_factory=list)


@dataclass(frozen=True)
class MatchedNetworks(CarriedRule):
    """Networks whose hidden units are matched to one another before they are averaged (PFNM).

    mass, noise_variance, prior_variance: of the prior, 1 where one of them alone is given; without any of them the
    owners choose among a grid by the rows that they count as right. read_out: "map", "mean" or "split", with a prior
    that is given. head: "refit" fits the output layer afresh from sums over the owners' rows. sweeps: of the matching,
    at most. solver: of each assignment; "greedy", a baseline, takes the pair that gains most first. local_epochs:
    passes that each agent trains on from its units of the fused network after each round but the last. via: the rule
    that carries the sums. handing: hands networks on.
    """

    mass: Above | None = None
    noise_variance: Above | None = None
    prior_variance: Above | None = None
    read_out: Literal["map", "mean", "split"] = "map"
    head: Literal["fused", "refit"] = "fused"
    sweeps: Annotated[int, Field(ge=0)] = 5
    solver: Literal["optimal", "greedy"] = "optimal"
    local_epochs: Annotated[int, Field(ge=0)] = 0
    via: Literal["tree", "flood"] = "tree"
    handing: Flood = field(default_factory=Flood, metadata=FITTED)

    def fit(self, topology: Topology, faults: Faults) -> Self:
        """See `ApartRule`. Raises ValueError on a network that fails: all owners must match the same networks."""
        require_perfect("pfnm", faults)
        return super().fit(topology, faults)

    def guarantee(self, topology: Topology, faults: Faults) -> Guarantee:
        """What is matched are all networks, once they have reached everybody."""
        return self.handing.guarantee(self.links(topology), faults)

    def check(self, task: Task) -> None:
        """See `ApartRule`."""
        if not task.labels:
            raise ValueError('fusion.rule: "pfnm" fuses classifiers; the data are of regression')

    def init(self, members: Members, transport: Transport) -> Handed:
        """See `ApartRule`."""
        networks = networks_of(members, transport, "pfnm")
        packing = _packing(networks, members.task, transport)
        counts = [rows.counts(packing.classes) for rows in members.rows]
        rows = np.stack([packing.packed(*both) for both in zip(networks, counts, strict=True)])
        return Handed(rows, packing, self.handing.begin(rows, transport))

    def again(self, state: Handed, members: Members, transport: Transport) -> Handed:
        """See `TrainsFurther`."""
        return replace(self.init(members, transport), earlier=state.result[0])

    def exchange(self, state: Handed, members: Members, transport: Transport, rounds: int = 1) -> Handed:
        """See `ApartRule`."""
        return replace(state, inner=self.handing.rounds(state.inner, state.rows, transport, rounds), result=[])

    def converge(self, state: Handed, members: Members, transport: Transport) -> Handed:
        """See `ApartRule`."""
        return replace(state, inner=self.handing.settle(state.inner, state.rows, transport), result=[])

    def fused(self, state: Handed, members: Members, transport: Transport) -> Fused:
        """See `ApartRule`."""
        arrived = (state.inner.version > 0).sum(axis=1, keepdims=True)
        if transport.allsum(arrived)[0] < transport.shard.size**2:
            return Fused(members.answers, sizes(members))
        fused = self._matched(state, members, transport)
        state.result[:] = [fused]
        experts = [with_network(expert, fused.network) for expert in members.experts]
        return Fused(
            asked(experts[:1], members).repeat(len(experts), axis=0), np.full(len(experts), fused.network.size)
        )

    def further(self, state: Handed, members: Members, transport: Transport, round: int) -> Members:
        """See `TrainsFurther`."""
        assert members.trained_on is not None  # looked at where the run is put together
        if not state.result:
            raise ValueError(
                "fusion.local_epochs: needs networks that were fused, and not all have reached everybody: take "
                'fusion.rounds_per_step = "converge"'
            )
        own = state.result[0].sub_networks()
        agents = transport.shard.agents.tolist()
        experts = [
            members.trained_on(place, own[agent], self.local_epochs, round) for place, agent in enumerate(agents)
        ]
        return replace(members, experts=tuple(experts))

    def _matched(self, state: Handed, members: Members, transport: Transport) -> FusedNetwork:
        """The fused network, the same for all agents: each has all networks and all sums."""
        networks, counts = zip(*(state.packing.unpacked(row) for row in state.inner.values[0]), strict=True)
        earlier = state.earlier
        settings = self._settings if earlier is None else (earlier.setting,)
        labels = None if earlier is None else earlier.labels
        matching = PFNM(settings=settings, sweeps=self.sweeps, solver=self.solver)
        candidates = matching.candidates(networks, np.stack(counts), labels)
        chosen = candidates[self._chosen(candidates, members, transport)]
        return self._with_head(chosen, members, transport) if self.head == "refit" else chosen

    @property
    def _settings(self) -> tuple[Setting, ...]:
        numbers = {
            "mass": self.mass,
            "noise_variance": self.noise_variance,
            "prior_variance": self.prior_variance,
        }
        given: dict[str, Any] = {name: number for name, number in numbers.items() if number is not None}
        return (Setting(**given, read_out=self.read_out),) if given else GRID

    def _chosen(self, candidates: Sequence[FusedNetwork], members: Members, transport: Transport) -> int:
        """The candidate that gets most rows right, of all owners together."""
        if len(candidates) == 1:
            return 0
        right = [[float((one.predict(rows.x) == rows.y).sum()) for one in candidates] for rows in members.rows]
        return int(self._summed(np.array(right), transport).argmax())

    def _with_head(self, fused: FusedNetwork, members: Members, transport: Transport) -> FusedNetwork:
        network, classes = fused.network, members.task.columns
        total = self._summed(moments(network, members.rows, classes), transport)
        return replace(fused, network=with_refitted_head(network, total, classes))

    def _summed(self, rows: Array, transport: Transport) -> Array:
        """The sum over all agents of rows ``[A, P]``."""
        begun = self.carrier.begin(rows, transport)
        total: Array = self.carrier.sums(self.carrier.settle(begun, rows, transport))[0]
        return total


def _packing(networks: list[Network], task: Task, transport: Transport) -> Packing:
    """How networks of this depth are packed; every agent's row is as long as that of the largest network."""
    depths = known_to_all([float(len(network.weights)) for network in networks], transport)
    if (depths != depths[0]).any():
        agent = int(np.flatnonzero(depths != depths[0])[0])
        raise ValueError(f'fusion.rule: "pfnm" needs equally many hidden layers; agent {agent} has another number')
    largest = known_to_all([float(network.size) for network in networks], transport).max()
    return Packing(like=networks[0], longest=int(largest), classes=task.columns)
