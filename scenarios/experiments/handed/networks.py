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
from coolgp.fusion.matching.networks.layers import checked_networks
from coolgp.fusion.matching.networks.pfnm import PFNM
from coolgp.fusion.matching.networks.settings import GRID, Setting
from coolgp.scenarios.base.formatting import counted
from coolgp.scenarios.experiments.handed.rule import Handed, Outcome, Rows, plain_label

__all__ = ["AveragedNetworks", "MatchedNetworks"]

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

    mass: Above | None = None
    noise_variance: Above | None = None
    prior_variance: Above | None = None
    read_out: Literal["map", "mean", "split"] | None = None
    head: Literal["fused", "refit"] = "fused"
    slack: Annotated[float, Field(ge=0, lt=1)] = 0.0
    sweeps: Annotated[int, Field(ge=0)] = 5

    def fuse(self, handed: Handed) -> Outcome:
        """See `HandedRule`."""
        networks = _networks(handed, "pfnm", least_hidden=1)
        shards = _shards(handed, networks)
        pfnm = PFNM(
            settings=self._settings(rows=bool(shards)),
            slack=self.slack,
            head=self.head,
            sweeps=self.sweeps,
            seed=handed.seed,
        )
        fused = pfnm.fuse(networks, shards or None, graph=handed.graph)
        remarks = list(_scores(networks, fused.network, shards))
        if not shards and not self._given:
            remarks.append(_unchosen(networks[0]))
        return Outcome(
            model=fused.network,
            sizes=[_size(network) for network in networks],
            fused_size=_size(fused.network),
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

    weights: Literal["uniform", "rows"] = "uniform"

    def fuse(self, handed: Handed) -> Outcome:
        """See `HandedRule`."""
        networks = _networks(handed, "average", least_hidden=0)
        for path, network in zip(handed.paths, networks, strict=True):
            if network.widths != networks[0].widths:
                raise ValueError(
                    f"{path}: has {_size(network)} and {handed.paths[0]} {_size(networks[0])}: average needs networks "
                    "of one shape; pfnm does not"
                )
        shards = _shards(handed, networks) if networks[0].classes is not None else []
        network = _weighted(networks, self._shares(handed))
        return Outcome(
            model=network,
            sizes=[_size(each) for each in networks],
            fused_size=_size(network),
            order="one sum, the same over any graph",
            remarks=list(_scores(networks, network, shards)),
            settings=asdict(self),
        )

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


def _networks(handed: Handed, rule: str, least_hidden: int) -> tuple[Network, ...]:
    """The networks behind the models. Raises ValueError, path first, for a model that has none."""
    networks = []
    for path, expert in zip(handed.paths, handed.experts, strict=True):
        if not isinstance(expert.parameters, Network):
            raise ValueError(
                f"{path}: {rule} fuses the weights of neural networks, and this model shows none: take --rule "
                "ensemble, which asks models for predictions alone"
            )
        networks.append(expert.parameters)
    try:
        return checked_networks(networks, "relu", least_hidden)
    except ValueError as problem:
        raise ValueError(_by_path(str(problem), handed.paths)) from problem


def _by_path(words: str, paths: Sequence[str]) -> str:
    """A message about models by number, with their paths."""
    for place in reversed(range(len(paths))):
        words = words.replace(f"network {place}", paths[place]).replace(f"Network {place}", paths[place])
    return words


def _shards(handed: Handed, networks: Sequence[Network]) -> list[tuple[Array, Array]]:
    """The owners' rows with the classes as the networks name them, or by number."""
    if handed.shards and len(networks[0].biases[-1]) == 1:
        raise ValueError("--shards: rows of classes choose and weigh; networks with one output have no classes")
    return [(rows.x, _labels(rows, networks[0])) for rows in handed.shards]


def _labels(rows: Rows, network: Network) -> Array:
    labels = range(len(network.biases[-1])) if network.classes is None else network.classes.tolist()
    by_text = {plain_label(label): label for label in labels}
    foreign = [label for label in np.unique(rows.y).tolist() if label not in by_text]
    if foreign:
        raise ValueError(f"--shards: has a class {foreign[0]!r} that the models do not have: {', '.join(by_text)}")
    return np.array([by_text[label] for label in rows.y.tolist()])


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


def _size(network: Network) -> str:
    if not network.widths:
        return "no hidden units"
    return f"{' + '.join(map(str, network.widths))} hidden units"


def _scores(networks: Sequence[Network], fused: Network, shards: Sequence[tuple[Array, Array]]) -> list[str]:
    """How many rows of all owners the networks get right, in words."""
    if not shards:
        return []
    x = np.concatenate([rows for rows, _ in shards])
    y = np.concatenate([labels for _, labels in shards])
    own, after = [_right(network, x, y) for network in networks], _right(fused, x, y)
    local = f"{np.mean(own):.1%} in the mean, {min(own):.1%} of the worst model"
    return [f"of the {counted(len(y), 'row')} of all owners the models get right {local}; the fused one {after:.1%}"]


def _right(network: Network, x: Array, y: Array) -> float:
    numbers = network.outputs(x).argmax(axis=1)
    labels = numbers if network.classes is None else network.classes[numbers]
    return float((labels == y).mean())
