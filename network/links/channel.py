"""`FaultyTransport`: the transport of a network on which messages are lost, late or spoilt, and links come and go.

Messages leave through another transport and cross ranks as they do there; what the channel does to them follows from
(seed, tag, tick, edge) alone, so a run has the same bits on any number of ranks.

Axes: `A` agents on this rank, `E` directed edges that leave them, `K` rows on these.
"""

from __future__ import annotations

import numpy as np

from coolgp.network.base.arrays import Array, RowSource
from coolgp.network.base.randomness import generator
from coolgp.network.delivery import Delivery
from coolgp.network.links.dynamics import Dynamics, edge_keys
from coolgp.network.links.faults import Faults
from coolgp.network.links.in_flight import ChannelState, InFlight, Queue, draw_delays, draw_losses, garbage
from coolgp.network.route import Route
from coolgp.network.rows import check_rows, row_bytes
from coolgp.network.transport import Meanwhile, Transport

__all__ = ["ChannelState", "FaultyTransport"]


class FaultyTransport:
    """A transport whose `send` goes through a channel; everything else is done by another transport, without faults.

    `send` leaves out, on the sender's side, edges that are not up and those that are still busy with a message larger
    than `bandwidth`: a sender may offer them again. On the receiver's side messages are lost and delayed.
    Lines to a server (`reached`) know loss and presence only. Rows of byzantine agents become normal garbage ten times
    as large, under every tag; integers stay integers. Messages under way on a link that goes down are lost.

    Args:
        inner: the transport that moves messages; its graph may be a part of that of the dynamics.
        dynamics: who is there, and which edges carry messages.
        faults: what happens to messages.
        seed: of the experiment.

    Raises:
        ValueError: if the inner transport has agents or links that the dynamics does not know.

    >>> from coolgp.network.graphs.generate import generate
    >>> from coolgp.network.serial import SerialTransport
    >>> ring, faults = generate("ring", 100, seed=0), Faults(loss=0.3)
    >>> transport = FaultyTransport(SerialTransport(ring), Dynamics(ring, faults, seed=0), faults, seed=0)
    >>> delivery = transport.send(np.ones((200, 1)))
    >>> len(delivery.edges) + transport.meter.lost
    200
    """

    faultless = False

    def __init__(self, inner: Transport, dynamics: Dynamics, faults: Faults, seed: int) -> None:
        self.inner, self.dynamics, self.faults, self.seed = inner, dynamics, faults, seed
        self.shard, self.meter = inner.shard, inner.meter
        self._leaving, self._coming = _places(inner, dynamics)
        self._spoilers = np.flatnonzero(dynamics.byzantine[self.shard.agents])
        self._in_flight: dict[str, InFlight] = {}
        self._server_lines: dict[str, InFlight] = {}
        self._enter(0)

    def advance(self, round: int) -> None:
        """See `Transport`."""
        self._enter(round)
        for messages in self._in_flight.values():
            self.meter.lost += messages.cut(~self.up, ~self._dynamics_up[self._coming])

    def send(self, rows: Array, edges: Array | None = None, tag: str = "values") -> Delivery:
        """See `Transport`; raises ValueError where rows of another shape are still under way under the tag."""
        offered = np.arange(len(self.shard.tail)) if edges is None else np.asarray(edges)
        rows, line = check_rows("send", rows, len(offered)), self._messages(tag)
        takes = (self.up & (line.busy <= line.tick))[offered]
        rows, leaving = (rows, offered) if takes.all() else (rows[takes], offered[takes])
        if (np.diff(leaving) < 0).any():
            raise ValueError("send needs its edges in ascending order")
        line.busy[leaving] = line.tick + self._transmission(leaving, rows)[leaving]
        route = self._plan(edges is None, leaving)
        arrived = self.inner.swap(self._spoilt(rows, leaving, tag, line.tick), route)
        delivery = self._receive(tag, line, route.arrivals, arrived)
        line.tick += 1
        return delivery

    def reached(self, tag: str = "server") -> Array:
        """See `Transport`; what is lost here is not metered."""
        line = self._server_lines.setdefault(tag, InFlight.empty(len(self.shard.agents)))
        agents, size = self.shard.agents, self.shard.size
        line.bad = draw_losses(self.faults, self.seed, f"line {tag}", line.tick, line.bad, agents, size)
        line.tick += 1
        return np.asarray(self.present & ~line.bad)

    def state(self) -> ChannelState:
        """Return all that the channel remembers."""
        state = ChannelState(numbers={"round": self._round})
        for name, messages in self._in_flight.items():
            state.numbers[f"lane {name}"] = messages.tick  # "lane": the name under which checkpoints store it
            state.edges.update(
                {f"{column} {name}": getattr(messages, column).copy() for column in ("bad", "busy", "last")}
            )
            if messages.waiting:
                queue = Queue.joined(messages.waiting)
                state.queues[name] = (queue.edges, {"due": queue.due, "sent": queue.sent, "rows": queue.rows})
        for name, line in self._server_lines.items():
            state.numbers[f"line {name}"] = line.tick
            state.agents[f"bad {name}"] = line.bad.copy()
        return state

    def restore(self, state: ChannelState) -> None:
        """Go on from a state; rows must be those of this rank's edges and agents, whichever rank stored them."""
        self._in_flight, self._server_lines = {}, {}
        for key, tick in state.numbers.items():
            kind, _, name = key.partition(" ")
            if kind == "lane":
                bad, busy, last = (np.array(state.edges[f"{column} {name}"]) for column in ("bad", "busy", "last"))
                self._in_flight[name] = InFlight(tick=int(tick), bad=bad, busy=busy, last=last)
            elif kind == "line":
                self._server_lines[name] = InFlight.empty(len(self.shard.agents))
                self._server_lines[name].tick, self._server_lines[name].bad = (
                    int(tick),
                    np.array(state.agents[f"bad {name}"]),
                )
        for name, (edges, columns) in state.queues.items():
            self._in_flight[name].waiting = (Queue(edges, columns["due"], columns["sent"], columns["rows"]),)
        self._enter(int(state.numbers["round"]))

    def _enter(self, round: int) -> None:
        """Take up a round's links. The route over all of them is kept as long as they stay, anywhere in the network."""
        before = getattr(self, "_dynamics_up", None)
        self._round, self._dynamics_up = round, self.dynamics.up(round)
        if before is None or not np.array_equal(before, self._dynamics_up):
            self._whole: Route | None = None
        self.up = self._dynamics_up[self._leaving]
        self.present = self.dynamics.present(round)[self.shard.agents]

    def _messages(self, name: str) -> InFlight:
        return self._in_flight.setdefault(name, InFlight.empty(len(self.shard.tail)))

    def _plan(self, default: bool, leaving: Array) -> Route:
        """Routes are planned by all ranks together, so what is kept must not depend on one rank's busy edges."""
        if default and self._whole is not None:
            return self._whole
        route = self.inner.route(np.bincount(leaving, minlength=len(self.shard.tail)))
        if default and self.faults.bandwidth is None:
            self._whole = route
        return route

    def _transmission(self, edges: Array, rows: Array) -> Array:
        """[E] ticks for which the rows [K,P] on edges [K] keep each edge busy."""
        if self.faults.bandwidth is None:
            return np.ones(len(self.shard.tail), dtype=np.int64)
        size = np.bincount(edges, minlength=len(self.shard.tail)) * row_bytes(rows)
        return np.maximum(-(-size // self.faults.bandwidth), 1)

    def _spoilt(self, rows: Array, edges: Array, tag: str, tick: int) -> Array:
        """The rows with those of byzantine agents replaced; each of them draws from a stream of its own."""
        if not len(self._spoilers):
            return rows
        rows, sender = rows.copy(), self.shard.tail[edges]
        for agent in self._spoilers:
            mine = slice(*np.searchsorted(sender, [agent, agent + 1]))
            rng = generator(self.seed, f"garbage {tag}", int(self.shard.agents[agent]), tick)
            rows[mine] = garbage(rows[mine], rng)
        return rows

    def _receive(self, name: str, line: InFlight, edges: Array, rows: Array) -> Delivery:
        """What arrives now of rows [K,P] sent to slots [K]."""
        fate = (self.faults, self.seed, name, line.tick)
        size = len(self._dynamics_up)
        line.bad = draw_losses(*fate, line.bad, self._coming, size)
        if self.faults.timely and not line.bad.any():
            return Delivery(edges, rows)
        delivered = ~line.bad[edges]
        self.meter.lost += len(np.unique(edges[~delivered]))
        if self.faults.timely:
            return Delivery(edges[delivered], rows[delivered])
        late = draw_delays(*fate, self._coming, size) + self._transmission(edges, rows) - 1
        return line.arrive(edges[delivered], rows[delivered], line.tick + late)

    # What the channel leaves alone.

    @property
    def root(self) -> bool:
        """See `Transport`."""
        return self.inner.root

    @property
    def ranks(self) -> int:
        """See `Transport`."""
        return self.inner.ranks

    def route(self, edges: Array) -> Route:
        """See `Transport`."""
        return self.inner.route(edges)

    def swap(self, messages: Array, route: Route | None = None, out: Array | None = None) -> Array:
        """See `Transport`."""
        return self.inner.swap(messages, route, out)

    def forward(self, rows: Array, route: Route) -> Array:
        """See `Transport`."""
        return self.inner.forward(rows, route)

    def hand_on(self, count: int, like: Array) -> None:
        """See `Transport`."""
        self.inner.hand_on(count, like)

    def inform(self, values: Array, route: Route) -> Array:
        """See `Transport`."""
        return self.inner.inform(values, route)

    def halo(self, values: Array, out: Array | None = None, meanwhile: Meanwhile | None = None) -> Array:
        """See `Transport`."""
        return self.inner.halo(values, out, meanwhile)

    def allsum(self, values: RowSource) -> Array:
        """See `Transport`."""
        return self.inner.allsum(values)

    def gather(self, values: Array) -> Array | None:
        """See `Transport`."""
        return self.inner.gather(values)

    def gather_rows(self, values: Array, ids: Array) -> Array | None:
        """See `Transport`."""
        return self.inner.gather_rows(values, ids)

    def barrier(self) -> None:
        """See `Transport`."""
        self.inner.barrier()

    def total(self, counts: Array) -> Array:
        """See `Transport`."""
        return self.inner.total(counts)


def _places(inner: Transport, dynamics: Dynamics) -> tuple[Array, Array]:
    """For each edge of this rank its number in the dynamics [E], and that of the edge that its slot receives from."""
    shard, size, all_edges = inner.shard, dynamics.topology.size, edge_keys(dynamics.topology)
    if shard.size != size:
        raise ValueError(f"A channel for a dynamics of {size} agents needs a transport of as many; got {shard.size}")
    tail, head = shard.agents[shard.tail], shard.head_agent
    keys = np.stack([tail * size + head, head * size + tail])
    missing = ~np.isin(keys[0], all_edges)
    if missing.any():
        raise ValueError(
            f"The transport has {np.count_nonzero(missing)} edges that the dynamics does not know, such as "
            f"{tail[missing][0]} to {head[missing][0]}; build both on one graph, or the transport on a part of it"
        )
    leaving, coming = np.searchsorted(all_edges, keys)
    return leaving, coming
