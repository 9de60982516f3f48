"""Networks in files, fused by matching their units (PFNM) or averaged weight by weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.network import Network
from coolgp.fusion.matching.networks.baselines import averaged
from coolgp.fusion.matching.networks.pfnm import PFNM
from coolgp.fusion.matching.networks.settings import GRID, Setting
from coolgp.scenarios.experiments.handed.network_files import class_rows, networks_behind, scores, size_words
from coolgp.scenarios.experiments.handed.rule import Handed, Outcome

__all__ = ["ENDINGS", "AveragedNetworks", "MatchedNetworks"]

Above = Annotated[float, Field(gt=0)]
ENDINGS = (".npz", ".safetensors", ".skops")
UNCHOSEN = Setting(mass=50.0, noise_variance=0.5)
"""What is used where no rows choose: units are merged where they are close, so that little is lost."""


@dataclass(frozen=True)
class MatchedNetworks:
    """Networks whose hidden units are matched to one another before they are averaged (PFNM).

    mass, noise_variance, prior_variance: of the prior, 1 where one of them alone is given; without any of them the
    owners' rows choose among a grid. read_out: "map", "mean" or "split", with a prior that is given. head: "refit" fits
    the output layer afresh from sums over the owners' rows. slack: of the candidates that get at most this share of all
    rows less right than the best, take the one with the fewest units. sweeps: of the matching, at most.
    """

    leaves: ClassVar[tuple[str, ...]] = ENDINGS
    uses_rows_of_classes: ClassVar[bool] = True

    mass: Above | None = None
    noise_variance: Above | None = None
    prior_variance: Above | None = None
    read_out: Literal["map", "mean", "split"] | None = None
    head: Literal["fused", "refit"] = "fused"
    slack: Annotated[float, Field(ge=0, lt=1)] = 0.0
    sweeps: Annotated[int, Field(ge=0)] = 5

    def fuse(self, handed: Handed) -> Outcome:
        """See `HandedRule`."""
        networks = networks_behind(handed, "pfnm", least_hidden=1)
        shards = class_rows(handed, networks)
        pfnm = PFNM(
            settings=self._settings(rows=bool(shards)),
            slack=self.slack,
            head=self.head,
            sweeps=self.sweeps,
            seed=handed.seed,
        )
        fused = pfnm.fuse(networks, shards or None, graph=handed.graph)
        remarks = list(scores(networks, fused.network, shards))
        if not shards and not self._given:
            remarks.append(_unchosen(networks[0]))
        return Outcome(
            model=fused.network,
            sizes=[size_words(network) for network in networks],
            fused_size=size_words(fused.network),
            order="all at once" if handed.graph is None else "along a spanning tree of the graph, then by a token",
            remarks=remarks,
            settings=asdict(fused.setting) | {"head": self.head, "slack": self.slack, "sweeps": self.sweeps},
        )

    @property
    def _given(self) -> dict[str, Any]:
        names = ("mass", "noise_variance", "prior_variance", "read_out")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    def _settings(self, *, rows: bool) -> tuple[Setting, ...]:
        if self._given:
            return (Setting(**self._given),)
        return GRID if rows else (UNCHOSEN,)


@dataclass(frozen=True)
class AveragedNetworks:
    """Networks of one shape averaged weight by weight, though units of networks trained apart have no common order.

    weights: "uniform", or by the number of each owner's "rows".
    """

    leaves: ClassVar[tuple[str, ...]] = ENDINGS
    name: ClassVar[str] = "average"
    least_hidden: ClassVar[int] = 0
    order: ClassVar[str] = "one sum, the same over any graph"

    weights: Literal["uniform", "rows"] = "uniform"

    def fuse(self, handed: Handed) -> Outcome:
        """See `HandedRule`."""
        networks = networks_behind(handed, self.name, self.least_hidden)
        for path, network in zip(handed.paths, networks, strict=True):
            if network.widths != networks[0].widths:
                raise ValueError(
                    f"{path}: has {size_words(network)} and {handed.paths[0]} {size_words(networks[0])}: "
                    f"{self.name} needs networks of one shape; pfnm does not"
                )
        shards = class_rows(handed, networks) if networks[0].classes is not None else []
        network = _weighted(self.prepared(networks), self._shares(handed))
        return Outcome(
            model=network,
            sizes=[size_words(each) for each in networks],
            fused_size=size_words(network),
            order=self.order,
            remarks=list(scores(networks, network, shards)),
            settings=asdict(self),
        )

    def prepared(self, networks: Sequence[Network]) -> Sequence[Network]:
        """The networks as they are averaged."""
        return networks

    def _shares(self, handed: Handed) -> Array:
        if self.weights == "uniform":
            return np.full(len(handed.paths), 1.0 / len(handed.paths))
        if not handed.shards:
            raise ValueError('fusion.weights: "rows" needs --shards, the rows of each owner')
        numbers = np.array([float(len(rows.y)) for rows in handed.shards])
        return np.asarray(numbers / numbers.sum())


def _unchosen(network: Network) -> str:
    """What would choose a prior."""
    if len(network.biases[-1]) == 1:
        return "no prior was given: more fusion.noise_variance makes more units match, and a smaller network"
    return (
        "no rows chose the prior: with --shards, the rows of each owner, a better and often smaller network is found, "
        "and classes weigh by who has seen them"
    )


def _weighted(networks: Sequence[Network], shares: Array) -> Network:
    """The sum of all weights, each network's times its share."""
    scaled = [
        replace(
            network,
            weights=tuple(len(networks) * share * weight for weight in network.weights),
            biases=tuple(len(networks) * share * bias for bias in network.biases),
        )
        for network, share in zip(networks, shares, strict=True)
    ]
    return averaged(scaled)
