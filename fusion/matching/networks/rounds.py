"""Several communication rounds of PFNM: fuse, hand every owner its units, train, match again from the last labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from coolgp.agents.experts.network import Network
from coolgp.fusion.matching.networks.fused import FusedNetwork
from coolgp.fusion.matching.networks.pfnm import PFNM
from coolgp.fusion.matching.networks.shards import Shard

__all__ = ["communication_rounds"]

Further = Callable[[Network, Shard, int], Network]


def communication_rounds(
    pfnm: PFNM, networks: Sequence[Network], shards: Sequence[Shard], further: Further, rounds: int
) -> Iterator[FusedNetwork]:
    """The fused network after each of so many rounds; the first one picks the setting for all.

    networks: J, with the shards that they were trained on. further: ``(network, shard, round)`` to a network of the
    same widths, the owner's training; it starts from the fused units that the owner's were matched to.
    """
    fused = pfnm.fuse(networks, shards)
    yield fused
    settled = replace(pfnm, settings=(fused.setting,))
    for round in range(1, rounds):
        owned = zip(fused.sub_networks(), shards, strict=True)
        networks = [further(network, shard, round) for network, shard in owned]
        fused = settled.fuse(networks, shards, labels=fused.labels)
        yield fused
