"""What becomes of messages on their way: lost, singly or in bursts; late; still waiting; or garbage from the start.

One random stream belongs to each tick, and each link takes from it the number at its own place in the whole network:
the fate of a message does not depend on the number of ranks, nor on what else is sent.

Axes: `A` agents and `E` links of this rank, `K` rows on these. They may have any trailing axes: [.., P].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np

from coolgp.network.base.arrays import Array
from coolgp.network.base.randomness import generator
from coolgp.network.delivery import Delivery
from coolgp.network.links.faults import Faults

__all__ = ["ChannelState", "InFlight", "Queue", "draw_delays", "draw_losses", "garbage"]

GARBAGE = 10.0  # times the norm of the true row
LARGEST_GARBAGE = 1e12  # norm; garbage that feeds on garbage would else grow until numbers end


@dataclass(frozen=True, eq=False)
class Queue:
    """Rows under way to the agents of this rank, by edge, the oldest first on each.

    Attributes:
        edges: [K] on whose slot the rows will arrive, ascending.
        due: [K] the tick in which they will.
        sent: [K] the tick in which they were sent; rows of one edge and tick are one message.
        rows: [K,P].
    """

    edges: Array
    due: Array
    sent: Array
    rows: Array

    @property
    def messages(self) -> int:
        """Number of messages under way."""
        first = (np.diff(self.edges, prepend=-1) != 0) | (np.diff(self.sent, prepend=-1) != 0)
        return int(np.count_nonzero(first))

    def parted(self, chosen: Array) -> tuple[Queue, Queue]:
        """Return the rows where the mask [K] is true, and the others; without copying where those are all or none."""
        if chosen.all():
            return self, self.taken(np.arange(0))
        if not chosen.any():
            return self.taken(np.arange(0)), self
        return self.taken(chosen), self.taken(~chosen)

    def taken(self, rows: Array) -> Queue:
        """Return the queue of some of the rows (places or a mask)."""
        return Queue(self.edges[rows], self.due[rows], self.sent[rows], self.rows[rows])

    @staticmethod
    def joined(queues: Sequence[Queue]) -> Queue:
        """Return one queue of several, at least one of them, which are older first on each edge."""
        if len(queues) == 1:
            return queues[0]
        columns = zip(*((queue.edges, queue.due, queue.sent, queue.rows) for queue in queues), strict=True)
        joined = Queue(*(np.concatenate(parts) for parts in columns))
        return joined.taken(np.argsort(joined.edges, kind="stable"))


@dataclass
class InFlight:
    """Messages of one tag on their way to the agents of one rank.

    Attributes:
        tick: communication rounds so far.
        bad: [E] the links that lost everything in the last tick; of use where losses come in bursts.
        busy: [E] the tick from which each edge takes a new message.
        last: [E] the tick in which the newest message on each slot is due.
        waiting: what is under way, sent in a few ticks, the oldest first.
    """

    tick: int
    bad: Array
    busy: Array
    last: Array
    waiting: tuple[Queue, ...] = ()

    @classmethod
    def empty(cls, edges: int) -> InFlight:
        """Return so many edges on which nothing was sent."""
        return cls(0, np.zeros(edges, dtype=bool), *np.zeros((2, edges), dtype=np.int64))

    def arrive(self, edges: Array, rows: Array, due: Array) -> Delivery:
        """Add rows [K,P] that arrive on slots [K] in the ticks due [E], and return what arrives in this one."""
        due = np.maximum(due, self.last)[edges]
        self.last[edges] = due
        new = Queue(edges, due, np.full(len(edges), self.tick), rows)
        self._check_alike(new)
        arrived = Queue.joined(self._part([*self.waiting, new], lambda queue: queue.due <= self.tick))
        return Delivery(arrived.edges, arrived.rows)

    def cut(self, leaving: Array, coming: Array) -> int:
        """Forget what is on edges that no longer carry [E] out or [E] in; return how many messages that loses."""
        self.busy[leaving], self.last[coming] = 0, 0
        return sum(queue.messages for queue in self._part(self.waiting, lambda queue: coming[queue.edges]))

    def _part(self, queues: Sequence[Queue], chosen: Callable[[Queue], Array]) -> list[Queue]:
        """Take the chosen rows out of the queues; the others wait on."""
        if not queues:
            return []
        taken, left = zip(*(queue.parted(chosen(queue)) for queue in queues), strict=True)
        # An empty one stays if no other does: it has the shape of the rows.
        self.waiting = tuple(queue for queue in left if len(queue.edges)) or left[-1:]
        return [queue for queue in taken if len(queue.edges)] or [taken[-1]]

    def _check_alike(self, new: Queue) -> None:
        for old in self.waiting:
            if len(old.edges) and (old.rows.shape[1:] != new.rows.shape[1:] or old.rows.dtype != new.rows.dtype):
                raise ValueError(
                    f"Rows of shape {list(old.rows.shape[1:])} of {old.rows.dtype} are still under way; rows of shape "
                    f"{list(new.rows.shape[1:])} of {new.rows.dtype} need a tag of their own"
                )


@dataclass(frozen=True)
class ChannelState:
    """All that a channel remembers, in arrays that can be dealt out to another number of ranks.

    Attributes:
        edges: by name, arrays [E,...] with a row for each edge of this rank.
        agents: by name, arrays [A,...] with a row for each agent of this rank.
        queues: by tag, the edges [K] of this rank (ascending) on which rows are under way, the oldest first on each,
            and by name arrays [K,...] with a row for each of these; the same tags on all ranks.
        numbers: the round and the ticks of each tag, the same on all ranks.
    """

    edges: dict[str, Array] = field(default_factory=dict)
    agents: dict[str, Array] = field(default_factory=dict)
    queues: dict[str, tuple[Array, dict[str, Array]]] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)


def draw_losses(faults: Faults, seed: int, tag: str, tick: int, bad: Array, place: Array, size: int) -> Array:
    """Return which links [E] lose everything in this tick.

    With `burst` each link is a Gilbert-Elliott chain that leaves its bad state with probability `1 / burst`, and is bad
    for a share `loss` of the time from the first tick on; without, ticks are independent. Source: E. N. Gilbert,
    "Capacity of a burst-noise channel", Bell System Technical Journal 39 (1960).

    Args:
        faults: loss and burst.
        seed: of the experiment.
        tag: of the messages, which have a random stream of their own.
        tick: from 0.
        bad: [E] what this function returned in the tick before.
        place: [E] each link's number among
        size: all that there are in the network.
    """
    if faults.lossless:
        return np.zeros(len(place), dtype=bool)
    draw = generator(seed, f"loss {tag}", 0, tick).random(size)[place]
    if faults.burst is None or tick == 0:
        return np.asarray(draw < faults.loss)
    leave = 1 / faults.burst
    enter = leave * faults.loss / (1 - faults.loss)
    return np.where(bad, draw >= leave, draw < enter)


def draw_delays(faults: Faults, seed: int, tag: str, tick: int, place: Array, size: int) -> Array:
    """Return the ticks [E] that a message sent now takes on each link beyond this one; arguments of `draw_losses`."""
    if faults.delays == "fixed" or not faults.delay:
        return np.full(len(place), int(faults.delay))
    draw = generator(seed, f"delay {tag}", 0, tick).geometric(1 / (1 + faults.delay), size)
    return np.asarray(draw[place] - 1)


def garbage(rows: Array, rng: np.random.Generator) -> Array:
    """Return normal numbers in place of rows [K,P], each row ten times as large; integers stay integers."""
    flat = rows.reshape(len(rows), prod(rows.shape[1:])).astype(np.float64)
    norm = np.linalg.norm(flat, axis=1, keepdims=True)
    large = np.minimum(GARBAGE * np.where(norm > 0, norm, 1.0), LARGEST_GARBAGE) / max(np.sqrt(flat.shape[1]), 1.0)
    drawn = (rng.normal(size=flat.shape) * large).reshape(rows.shape)
    if np.issubdtype(rows.dtype, np.floating):
        return np.asarray(drawn, dtype=rows.dtype)
    if rows.dtype == np.bool_:
        return np.asarray(drawn > 0)
    limit = np.iinfo(rows.dtype)
    return np.asarray(np.clip(np.rint(drawn), limit.min // 2, limit.max // 2), dtype=rows.dtype)
