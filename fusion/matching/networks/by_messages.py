"""PFNM where nobody has all networks: units are matched by messages between owners, one hidden layer after another.

Owners need to know one another's rows of each class only in sum. What comes back are the sums that matched units are
known by, from which everybody reads out the same network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.experts.network import Network
from coolgp.fusion.matching.core.assignment import SOLVERS
from coolgp.fusion.matching.core.gains import Criterion
from coolgp.fusion.matching.core.prior import BetaBernoulli
from coolgp.fusion.matching.messages.matching import MatchedApart, Owners, Start, kept_labels, matched_by_messages
from coolgp.fusion.matching.messages.passes import Rounds, TreeLinks, summed
from coolgp.fusion.matching.networks.fused import FusedNetwork
from coolgp.fusion.matching.networks.pfnm import PFNM
from coolgp.fusion.matching.networks.read_out import network_of_sums
from coolgp.fusion.matching.networks.settings import Setting
from coolgp.fusion.matching.networks.units import Units, units_of

__all__ = ["NetworkOwners", "candidates_by_messages"]


@dataclass(frozen=True)
class NetworkOwners:
    """This rank's owners.

    networks ``[A]``, with counts ``[A, K]`` of their rows of each class.
    """

    networks: Sequence[Network]
    counts: Array
    links: TreeLinks


@dataclass(frozen=True)
class _Candidate:
    """A prior on its way: what is matched up to now, from the last hidden layer down to the first.

    shares ``[A, K]``: of this rank's owners. bias ``[K]``: the mean of all output biases, weighted by shares.
    """

    prior: Setting
    shares: Array
    bias: Array
    units: tuple[tuple[Units, ...], ...] = ()
    matched: tuple[MatchedApart, ...] = ()


def candidates_by_messages(
    pfnm: PFNM, owners: NetworkOwners, start: Start, earlier: FusedNetwork | None = None
) -> Rounds[list[FusedNetwork]]:
    """The fused network of every setting of ``pfnm``, whose labels are of this rank's owners alone.

    start: how atoms come to be. earlier: a fusion of networks of the same widths, from whose labels to start instead.
    """
    candidates = yield from _candidates(pfnm.settings, owners)
    depth = len(owners.networks[0].widths)
    for layer in reversed(range(depth)):
        units = [_units(one, owners, layer, depth) for one in candidates]
        vectors = [[own.vectors for own in each] for each in units]
        begin = start if earlier is None else _from_labels(earlier, layer)
        criteria = [_criterion(pfnm, one.prior, layer, depth) for one in candidates]
        matched = yield from matched_by_messages(Owners(vectors, criteria, owners.links), begin, pfnm.sweeps)
        candidates = [
            replace(one, units=(tuple(own), *one.units), matched=(match, *one.matched))
            for one, own, match in zip(candidates, units, matched, strict=True)
        ]
    of_prior = {one.prior: one for one in candidates}
    return [_fused(of_prior[_prior(setting)], setting, owners.networks[0]) for setting in pfnm.settings]


def _candidates(settings: Sequence[Setting], owners: NetworkOwners) -> Rounds[list[_Candidate]]:
    """A candidate for each prior, with class shares that follow from sums over all owners."""
    shares = yield from _shares(owners)
    powers = sorted({setting.share_power for setting in settings})
    raised = [shares**power for power in powers]
    biases = np.stack([network.biases[-1] for network in owners.networks])
    rows = np.hstack([part for own in raised for part in (own, own * biases)])
    totals = yield from summed(rows, owners.links)
    of_power = {
        power: (own / total, bias / total)
        for power, own, (total, bias) in zip(powers, raised, totals.reshape(len(powers), 2, -1), strict=True)
    }
    priors = dict.fromkeys(map(_prior, settings))
    return [_Candidate(prior, *of_power[prior.share_power]) for prior in priors]


def _shares(owners: NetworkOwners) -> Rounds[Array]:
    """Shares ``[A, K]`` of all rows of each class; equal ones of a class that nobody has."""
    totals = yield from summed(owners.counts, owners.links)
    equal = 1.0 / owners.links.transport.shard.size
    return np.where(totals > 0, owners.counts / np.where(totals > 0, totals, 1.0), equal)


def _units(one: _Candidate, owners: NetworkOwners, layer: int, depth: int) -> tuple[Units, ...]:
    """The units of a layer of each network ``[A]``."""
    above = one.matched[0] if one.matched else None
    prior = one.prior.layers(depth)[layer]
    return tuple(
        units_of([network], layer, prior, share[None], None)
        if above is None
        else units_of([network], layer, prior, share[None], [above.labels[place]], size=len(above.atoms.counts))
        for place, (network, share) in enumerate(zip(owners.networks, one.shares, strict=True))
    )


def _criterion(pfnm: PFNM, prior: Setting, layer: int, depth: int) -> Criterion:
    mass = prior.layers(depth)[layer].mass
    return Criterion(BetaBernoulli(mass, pfnm.concentration), pfnm.marginal, SOLVERS[pfnm.solver])


def _from_labels(earlier: FusedNetwork, layer: int) -> Start:
    labels: Sequence[Indices] = earlier.labels[layer]
    return kept_labels([labels], [len(earlier.counts[layer])])


def _fused(one: _Candidate, setting: Setting, like: Network) -> FusedNetwork:
    atoms = [match.atoms for match in one.matched]
    layers, top = [own[0] for own in one.units], setting.layers(len(atoms))[-1]
    return FusedNetwork(
        network=network_of_sums(like, layers, atoms, one.bias, top, setting.read_out),
        labels=tuple(match.labels for match in one.matched),
        counts=tuple(own.counts for own in atoms),
        objective=(),
        setting=setting,
        correct=np.zeros(0, dtype=np.intp),
    )


def _prior(setting: Setting) -> Setting:
    return replace(setting, read_out="map")
