"""A run on the nodes of a cluster: how many it needs, whether it fits, and what sending between them takes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from coolgp.network.partition import block_count
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.config.sections.fusion import FusionSettings
from coolgp.scenarios.planning.crossing import Crossing, Links
from coolgp.scenarios.planning.duration import Duration
from coolgp.scenarios.planning.machine import Ranks
from coolgp.scenarios.planning.memory import Estimate, estimate_of

__all__ = ["Cluster", "OnNodes", "bytes_of", "check_dealt", "on_nodes", "turns_of"]

SHARED_BYTES, LATENCY = 4e9, 30e-6
"""Bytes a second between the ranks of a node, through memory; seconds until a message over a network arrives."""
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT])(?:i?B)?", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Nodes of one kind. ranks: of the run; cores: of each rank; node_bytes: memory of a node, None where not known.

    gbits: Gbit/s that a node sends.
    """

    ranks: int
    ranks_per_node: int
    cores: int = 1
    node_bytes: float | None = None
    gbits: float = 10.0

    @property
    def nodes(self) -> int:
        """As many as the ranks fill."""
        return -(-self.ranks // self.ranks_per_node)

    @property
    def place(self) -> Ranks:
        """The ranks, with cores of their own."""
        return Ranks(self.ranks, self.cores)


@dataclass(frozen=True, kw_only=True)
class OnNodes:
    """A run on a cluster. crossing: what leaves ranks and nodes; working, sending: seconds of a round of learning.

    sending is None where nobody knows how many communication rounds a round of learning takes; each: seconds of one.
    """

    cluster: Cluster
    needs: Estimate
    crossing: Crossing
    working: float
    sending: float | None
    each: float

    @property
    def node_bytes(self) -> float:
        """Memory that a full node needs."""
        return min(self.cluster.ranks, self.cluster.ranks_per_node) * self.needs.peak.bytes

    @property
    def fits(self) -> bool | None:
        """Whether a node has that memory; None where it is not known."""
        return None if self.cluster.node_bytes is None else self.node_bytes <= self.cluster.node_bytes

    @property
    def share(self) -> float | None:
        """Of the seconds of a round, those of sending."""
        return None if self.sending is None else self.sending / max(self.working + self.sending, 1e-12)


def bytes_of(text: str, option: str) -> float:
    """A size in bytes, with SLURM's units of 1024. Raises ValueError for what is none.

    >>> bytes_of("64G", "--memory-per-node"), bytes_of("1.5 MiB", "--memory-per-node")
    (68719476736.0, 1572864.0)
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None or float(found[1]) <= 0:
        raise ValueError(f"{option} needs a size above 0 with a unit, such as 64G or 900M; got {text!r}")
    return float(found[1]) * 1024.0 ** ("KMGT".index(found[2].upper()) + 1)


def check_dealt(agents: int, ranks: int) -> None:
    """Refuse more ranks than there are blocks of agents to deal to them. Raises ValueError."""
    most = block_count(agents)
    if ranks > most:
        raise ValueError(
            f"{ranks} ranks need as many blocks of agents, and {agents} agents make {most}: take at most {most} ranks"
        )


def turns_of(fusion: FusionSettings, duration: Duration) -> int | None:
    """Communication rounds of a round of learning; None where nobody knows."""
    if isinstance(fusion.rounds_per_step, int):
        return fusion.rounds_per_step
    return 1 if duration.each is None else duration.turns


def on_nodes(scenario: Scenario, cluster: Cluster, needs: Estimate, duration: Duration, links: Links) -> OnNodes:
    """What a run needs and takes on a cluster.

    needs, duration: of the run on any number of ranks with cores of their own: what agents do is shared alike by all.
    """
    shape, turns = needs.shape, turns_of(scenario.fusion, duration)
    crosses = links.crossing(cluster.ranks, cluster.ranks_per_node)
    each = _sending(cluster, crosses, needs.exchange_bytes)
    working = duration.parts["learning and fusion"] / shape.rounds * needs.ranks / cluster.ranks
    return OnNodes(
        cluster=cluster,
        needs=estimate_of(scenario, shape, cluster.place),
        crossing=crosses,
        working=working,
        sending=None if turns is None else turns * each / scenario.fusion.every,
        each=each,
    )


def _sending(cluster: Cluster, crosses: Crossing, sent: float) -> float:
    """Seconds of a communication round in which all agents send so many bytes, until the slowest node is done."""
    between = sent * crosses.busiest / (cluster.gbits * 1e9 / 8)
    within = sent * (crosses.ranks - crosses.nodes) / cluster.nodes / SHARED_BYTES
    return float(between + within + LATENCY * crosses.partners)
