"""PFNM over a graph: networks are handed on to everybody, or their units are matched by messages along a tree."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field

from coolgp.fusion.apart.handed_on import OneNetwork
from coolgp.fusion.apart.members import Fused, Members
from coolgp.fusion.apart.ways.common import Matching
from coolgp.fusion.apart.ways.networks import NETWORK_MATCHINGS, AmongAll, NetworkMatching, ToMatch
from coolgp.fusion.guarantee import Guarantee
from coolgp.fusion.matching.networks.fused import FusedNetwork
from coolgp.fusion.matching.networks.pfnm import PFNM
from coolgp.fusion.matching.networks.settings import GRID, Setting
from coolgp.fusion.sums.base import FITTED
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.transport import Transport

__all__ = ["MatchedNetworks"]

Above = Annotated[float, Field(gt=0)]


@dataclass(frozen=True)
class Underway:
    """inner: what the way to match keeps. result: the fused network, once there is one."""

    inner: Any
    result: list[FusedNetwork] = field(default_factory=list)


@dataclass(frozen=True)
class MatchedNetworks(OneNetwork):
    """Networks whose hidden units are matched to one another before they are averaged (PFNM).

    mass, noise_variance, prior_variance: of the prior, 1 where one of them alone is given; without any of them the
    owners choose among a grid by the rows that they count as right. read_out: "map", "mean" or "split"; by default
    "map" of a prior that is given, and of the grid "map" and "split". head: "refit" fits the output layer afresh from
    sums over the owners' rows. matching: "everyone" matches all networks; along a "tree" agents merge what their
    branches found; a "token" goes from agent to agent, who match in turn. sweeps: how often units are matched again, at
    most; by default 5 for "everyone", and 1, a walk of a token, for the others. solver: of each assignment; "greedy", a
    baseline, takes the pair that gains most first. local_epochs: passes that each agent trains on from its units of the
    fused network after each round but the last. via: the rule that carries the sums. way: how units are matched, fitted
    to the network.
    """

    name: ClassVar[str] = "pfnm"

    mass: Above | None = None
    noise_variance: Above | None = None
    prior_variance: Above | None = None
    read_out: Literal["map", "mean", "split"] | None = None
    matching: Matching = "everyone"
    sweeps: Annotated[int, Field(ge=0)] | None = None
    solver: Literal["optimal", "greedy"] = "optimal"
    local_epochs: Annotated[int, Field(ge=0)] = 0
    way: NetworkMatching = field(default_factory=AmongAll, metadata=FITTED)

    def fit(self, topology: Topology, faults: Faults) -> Self:
        """See `ApartRule`. Raises ValueError on a network that fails: all owners must match the same networks."""
        return replace(super().fit(topology, faults), way=NETWORK_MATCHINGS[self.matching]().fit(topology))

    def guarantee(self, topology: Topology, faults: Faults) -> Guarantee:
        """That of the way to match."""
        return self.way.guarantee(self.links(topology), faults)

    def init(self, members: Members, transport: Transport) -> Underway:
        """See `ApartRule`."""
        return self._begun(members, transport, self._settings, None)

    def again(self, state: Underway, members: Members, transport: Transport) -> Underway:
        """See `TrainsFurther`."""
        earlier = state.result[0]
        return self._begun(members, transport, (earlier.setting,), earlier)

    def exchange(self, state: Underway, members: Members, transport: Transport, rounds: int = 1) -> Underway:
        """See `ApartRule`."""
        return Underway(self.way.rounds(state.inner, transport, rounds))

    def converge(self, state: Underway, members: Members, transport: Transport) -> Underway:
        """See `ApartRule`."""
        return Underway(self.way.settle(state.inner, transport))

    def fused(self, state: Underway, members: Members, transport: Transport) -> Fused:
        """The network of the candidate that gets most of the owners' rows right."""
        candidates = self.way.candidates(state.inner, transport)
        if candidates is None:
            return self.predicted(None, members)
        best = candidates[self.best_of([one.network for one in candidates], members, transport)]
        state.result[:] = [replace(best, network=self.with_head(best.network, members, transport))]
        return self.predicted(state.result[0].network, members)

    def further(self, state: Underway, members: Members, transport: Transport, round: int) -> Members:
        """See `TrainsFurther`."""
        assert members.trained_on is not None  # looked at where the run is put together
        if not state.result:
            raise ValueError(
                "fusion.local_epochs: needs networks that were fused, and their units are not all matched yet: take "
                'fusion.rounds_per_step = "converge"'
            )
        own = self.way.own_units(state.result[0], transport)
        experts = [members.trained_on(place, network, self.local_epochs, round) for place, network in enumerate(own)]
        return replace(members, experts=tuple(experts))

    def _begun(
        self, members: Members, transport: Transport, settings: tuple[Setting, ...], earlier: FusedNetwork | None
    ) -> Underway:
        """earlier: the fusion of the round before, from whose labels this one starts."""
        sweeps = self.way.usual_sweeps if self.sweeps is None else self.sweeps
        pfnm = PFNM(settings=settings, sweeps=sweeps, solver=self.solver)
        return Underway(self.way.begin(ToMatch(self.owned(members, transport), pfnm, earlier), transport))

    @property
    def _settings(self) -> tuple[Setting, ...]:
        numbers = {
            "mass": self.mass,
            "noise_variance": self.noise_variance,
            "prior_variance": self.prior_variance,
        }
        given: dict[str, Any] = {name: number for name, number in numbers.items() if number is not None}
        if given:
            return (Setting(**given, read_out=self.read_out or "map"),)
        if self.read_out is None:
            return GRID
        return tuple(dict.fromkeys(replace(setting, read_out=self.read_out) for setting in GRID))
