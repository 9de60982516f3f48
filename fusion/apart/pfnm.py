"""PFNM over a graph: networks are handed on from neighbour to neighbour, and everybody matches all of them alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.network import Network
from coolgp.fusion.apart.handed_on import HandedOn, NetworksHandedOn
from coolgp.fusion.apart.members import Members
from coolgp.fusion.matching.networks.pfnm import PFNM
from coolgp.fusion.matching.networks.settings import GRID, Setting
from coolgp.network.transport import Transport

__all__ = ["MatchedNetworks"]

Above = Annotated[float, Field(gt=0)]


@dataclass(frozen=True)
class MatchedNetworks(NetworksHandedOn):
    """Networks whose hidden units are matched to one another before they are averaged (PFNM).

    mass, noise_variance, prior_variance: of the prior, 1 where one of them alone is given; without any of them the
    owners choose among a grid by the rows that they count as right. read_out: "map", "mean" or "split"; by default
    "map" of a prior that is given, and of the grid "map" and "split". head: "refit" fits the output layer afresh from
    sums over the owners' rows. sweeps: of the matching, at most. solver: of each assignment; "greedy", a baseline,
    takes the pair that gains most first. local_epochs: passes that each agent trains on from its units of the fused
    network after each round but the last. via: the rule that carries the sums. handing: hands networks on.
    """

    name: ClassVar[str] = "pfnm"

    mass: Above | None = None
    noise_variance: Above | None = None
    prior_variance: Above | None = None
    read_out: Literal["map", "mean", "split"] | None = None
    sweeps: Annotated[int, Field(ge=0)] = 5
    solver: Literal["optimal", "greedy"] = "optimal"
    local_epochs: Annotated[int, Field(ge=0)] = 0

    def again(self, state: HandedOn, members: Members, transport: Transport) -> HandedOn:
        """See `TrainsFurther`."""
        return replace(self.init(members, transport), earlier=state.result[0])

    def further(self, state: HandedOn, members: Members, transport: Transport, round: int) -> Members:
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

    def network(
        self, networks: Sequence[Network], counts: Array, state: HandedOn, members: Members, transport: Transport
    ) -> Network:
        """The network of the candidate that gets most of the owners' rows right."""
        earlier = state.earlier
        settings = self._settings if earlier is None else (earlier.setting,)
        labels = None if earlier is None else earlier.labels
        matching = PFNM(settings=settings, sweeps=self.sweeps, solver=self.solver)
        candidates = matching.candidates(networks, counts, labels)
        best = candidates[self.best_of([one.network for one in candidates], members, transport)]
        state.result[:] = [replace(best, network=self.with_head(best.network, members, transport))]
        return state.result[0].network

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
