"""Messages between agents: the `Transport` protocol.

Axes: `A` agents on this rank, `H` halo, `E` directed edges that leave them, `K` rows on these, `N` agents in all.
Values may have any trailing axes; [.., P] stands for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from coolgp.network.base.arrays import Array, RowSource
from coolgp.network.delivery import Delivery, Meter
from coolgp.network.route import Route
from coolgp.network.shard import Shard

__all__ = ["Meanwhile", "Transport"]

Meanwhile: TypeAlias = Callable[[], object]


class Transport(Protocol):
    """What a fusion rule may use: the same calls and the same results on one rank and on many."""

    shard: Shard
    meter: Meter

    @property
    def faultless(self) -> bool:
        """Whether every message arrives in the round in which it is sent, over links that never change."""

    @property
    def up(self) -> Array:
        """[E] the edges over which this rank's agents can send now: an agent knows which of its links work."""

    @property
    def present(self) -> Array:
        """[A] the agents that are in the network now."""

    def advance(self, round: int) -> None:
        """Begin a round of learning, from 0: agents and links come and go. Collective."""

    def send(self, rows: Array, edges: Array | None = None, tag: str = "values") -> Delivery:
        """One communication round through the channel: rows [K,P] leave on `edges` [K]. Collective.

        Args:
            rows: numbers; the channel may lose them, delay them, or spoil those of an agent that is not honest.
            edges: ascending; rows on one edge are one message and share its fate. Default one row on each of the E.
                Edges that are not up are left out.
            tag: messages of one tag keep their order on a link; those of other tags are lost or late by themselves.
        """

    def reached(self, tag: str = "server") -> Array:
        """[A] whether a message between each agent and a server got through this time. Collective."""

    @property
    def root(self) -> bool:
        """Whether this rank writes; for the recorder and the command line only."""

    @property
    def ranks(self) -> int:
        """The number of ranks."""

    def route(self, edges: Array) -> Route:
        """Prepare exchanges over the edges where the mask [E] is true, or of so many rows [E] each. Collective."""

    def swap(self, messages: Array, route: Route | None = None, out: Array | None = None) -> Array:
        """Deliver [E,P] -> [E,P]: what i sends j arrives on j's edge to i. With a route, [K,P] -> [K',P]."""

    def inform(self, values: Array, route: Route) -> Array:
        """Deliver [K,P] -> [K',P] without metering: for plans of the simulator, which are no messages of agents."""

    def forward(self, rows: Array, route: Route) -> Array:
        """Deliver to other ranks alone: rows leave on ``route.edges[route.far_out]``, arrive on those of `far_in`."""

    def hand_on(self, count: int, like: Array) -> None:
        """Count messages that stay on this rank, each of one row like those of `like`, whose rows need not be moved."""

    def halo(self, values: Array, out: Array | None = None, meanwhile: Meanwhile | None = None) -> Array:
        """Append the neighbours' values: [A,P] -> [A+H,P].

        Without a halo and without `out` these are the values themselves. What is done `meanwhile`, once and without
        communication, overlaps with the transfer of rows from other ranks.
        """

    def allsum(self, values: RowSource) -> Array:
        """Sum over all agents: [A,P] -> [P], with the same bits for any number of ranks.

        values: the rows, or what returns those of some agents, which is called for a few at a time.
        """

    def gather(self, values: Array) -> Array | None:
        """Return all agents' rows [N,P] by global id on the root, None elsewhere."""

    def gather_rows(self, values: Array, ids: Array) -> Array | None:
        """Return all ranks' rows [K,P] in the order of their global ids [K] on the root, None elsewhere."""

    def barrier(self) -> None:
        """Wait for all ranks."""

    def total(self, counts: Array) -> Array:
        """Sum integers over the ranks, exactly."""
