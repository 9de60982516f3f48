"""What is counted of messages that leave, and what arrives of them.

Axes: `K` rows that arrived, `P` row length.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np

from coolgp.network.base.arrays import Array

__all__ = ["Delivery", "Meter"]


@dataclass
class Meter:
    """Counts what the agents of this rank send.

    Attributes:
        messages, bytes: from agent to agent, whether or not they cross ranks.
        lost: messages to agents of this rank that the channel lost.
        near_bytes: of `bytes`, what stayed on a rank: handed over in memory.
        far_bytes: of `bytes`, what this rank handed to MPI. Over all ranks, `near_bytes + far_bytes == bytes`.
        rounds: communication rounds, the same number on each rank.
    """

    messages: int = 0
    bytes: int = 0
    lost: int = 0
    near_bytes: int = 0
    far_bytes: int = 0
    rounds: int = 0

    def sent(self, messages: int, size: int) -> None:
        """Add so many messages of `size` bytes in all."""
        self.messages += int(messages)
        self.bytes += int(size)

    def moved(self, near: int, far: int = 0) -> None:
        """Add bytes that stayed on this rank, and bytes that went to others."""
        self.near_bytes += int(near)
        self.far_bytes += int(far)

    def __sub__(self, before: Meter) -> Meter:
        return Meter(*(now - then for now, then in zip(astuple(self), astuple(before), strict=True)))


@dataclass(frozen=True, eq=False)
class Delivery:
    """What reached the agents of this rank in one communication round.

    Attributes:
        edges: [K] the edges on whose slot a row arrived (from i to j on j's edge to i), ascending; an edge comes
            several times where several rows arrived on it, the oldest first.
        rows: [K,P].
    """

    edges: Array
    rows: Array

    def newest(self) -> Delivery:
        """Return only the newest row on each edge."""
        last = np.flatnonzero(np.append(self.edges[1:] != self.edges[:-1], True)[: len(self.edges)])
        return self if len(last) == len(self.edges) else Delivery(self.edges[last], self.rows[last])
