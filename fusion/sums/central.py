"""The oracle that pools everything: what a central server would know."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.fusion.guarantee import FaultTolerance, Guarantee, Rows
from coolgp.fusion.sums.base import SumRule
from coolgp.network.graphs.topology import Topology
from coolgp.network.links.faults import Faults
from coolgp.network.transport import Transport

__all__ = ["Central"]

LINK_FAULTS = ("loss", "total loss", "delay", "bandwidth", "moving links", "one-way links", "byzantine agents")
STANDS = FaultTolerance(
    reaches="exact",
    why="a server that nothing is lost on the way to adds up",
    stands=dict.fromkeys((*LINK_FAULTS, "churn", "absence"), ""),
)


@dataclass(frozen=True)
class Central(SumRule):
    """Every agent reports to a server, which adds up and answers all: two messages an agent and round."""

    def begin(self, values: Array, transport: Transport) -> Array:
        """Own contributions."""
        return values

    def round(self, state: Array, values: Array, transport: Transport) -> Array:
        """One report up and one answer down for every agent."""
        transport.meter.sent(2 * len(values), 2 * values.nbytes)
        transport.meter.moved(2 * values.nbytes)  # a server is no rank: its lines are simulated in memory
        return np.broadcast_to(transport.allsum(values), values.shape)

    def settle(self, state: Array, values: Array, transport: Transport) -> Array:
        """One round suffices."""
        transport.meter.rounds += 1
        return self.round(state, values, transport)

    def stands(self) -> FaultTolerance:
        """The oracle's lines to the agents never fail."""
        return STANDS

    def guarantee(self, topology: Topology, faults: Faults) -> Guarantee:
        """Exact at once: the reference for other rules."""
        kind, why = self.stands().under(faults)
        rows = Rows(2.0)  # contributions, of two rounds
        return Guarantee(kind, why, rounds=1, messages=2.0 * topology.size, exchanging=rows, settling=rows)

    def sums(self, state: Array) -> Array:
        """The server's sum."""
        return state
