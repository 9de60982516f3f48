"""Averaging with the neighbours, once, or several rounds in one pass over memory.

Columns are independent: a block of them that fits the cache goes through all rounds before the next block is
touched. Every column is multiplied by the same weights in the same order, so the bits are those of round after round.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.blocks import map_tasks
from coolgp.fusion.guarantee import FaultTolerance
from coolgp.network.links.faults import Faults, faults_present
from coolgp.network.mixing import Mixing, edge_sums
from coolgp.network.transport import Transport

__all__ = ["SYMMETRIC", "Average", "average_blocks", "column_blocks", "mix", "symmetric"]

Average: TypeAlias = Callable[[Array], Array]
BLOCK_BYTES = 1 << 22  # of a rank's rows of a block
NARROWEST, WIDEST = 32, 128  # columns: narrower ones waste cache lines, wider ones cores
LEAST_BYTES = 1 << 19  # of a block that is worth a call, or a message, of its own

WORKS_BOTH_WAYS = (
    "links work both ways or not at all, so the sum is kept, and reached as far as all stay linked in the end"
)
DRIFTS = "where a message is lost or late, one agent takes what no other gives: the mean drifts"
SYMMETRIC = FaultTolerance(
    reaches="asymptotic",
    why="symmetric weights keep the sum, and differences shrink in every round",
    stands=dict.fromkeys(("churn", "absence", "moving links"), WORKS_BOTH_WAYS),
    breaks={
        "byzantine agents": "one byzantine agent moves the mean of all: trim > 0 excludes it",
        **dict.fromkeys(("loss", "total loss", "delay", "bandwidth", "one-way links"), DRIFTS),
    },
)
"""What repeated averages with symmetric weights stand."""


def symmetric(faults: Faults) -> bool:
    """Whether what one agent takes, another gives in the same round."""
    return faults_present(faults).keys() <= SYMMETRIC.stands.keys()


def mix(values: Array, mixing: Mixing, transport: Transport, out: Array | None = None) -> Array:
    """One average with the neighbours, ``[A, P]``: where a neighbour's message is missing, its weight stays at home.

    On a faultless network agents with all neighbours on this rank are averaged while rows from other ranks are under
    way. out ``[A+H, P]``: room for these rows.
    """
    if transport.faultless:
        mean: list[Array] = []
        with_halo = transport.halo(values, out, lambda: mean.append(np.asarray(mixing.inner @ values)))
        if len(mixing.border):
            mean[0][mixing.border] = mixing.outer @ with_halo
        return mean[0]
    tail = transport.shard.tail
    delivery = transport.send(values[tail]).newest()
    at = tail[delivery.edges]
    apart = values[at]
    np.subtract(delivery.rows, apart, out=apart)
    return np.asarray(values + edge_sums(at, apart, len(values), mixing.pull[delivery.edges]))


def column_blocks(agents: int, columns: int, itemsize: int) -> list[slice]:
    """The columns of rows in blocks that go through several rounds in the cache; agents: of a rank, on average.

    >>> column_blocks(10_000, 100, 8)
    [slice(0, 48, None), slice(48, 96, None), slice(96, 100, None)]
    """
    row_bytes = max(agents, 1) * itemsize
    widest = max(WIDEST, LEAST_BYTES // row_bytes)
    width = min(max(BLOCK_BYTES // row_bytes // 8 * 8, NARROWEST), widest)
    return [slice(start, min(start + width, columns)) for start in range(0, columns, width)]


def average_blocks(
    work: Callable[[slice, Average], None], values: Array, mixing: Mixing, transport: Transport, rounds: int
) -> None:
    """Let ``work(columns, average)`` average each block of the columns of values ``[A, P]`` so many rounds. Collective.

    On a faultless network. The meter counts whole rows, as round after round would have sent them.
    """
    meter, messages = transport.meter, rounds * len(transport.shard.tail)
    agents = -(-transport.shard.size // transport.ranks)  # the same on all ranks, which exchange the same blocks
    blocks = column_blocks(agents, values.shape[1], values.itemsize)
    if transport.ranks == 1:
        map_tasks(lambda columns: work(columns, lambda block: np.asarray(mixing.matrix @ block)), blocks)
        size = messages * values.shape[1] * values.itemsize
        meter.sent(messages, size)
        meter.moved(size)
    else:  # one block after another, for ranks must exchange the same one
        before, with_halo = meter.messages, len(transport.shard.degree)
        for columns in blocks:
            room = np.empty((with_halo, columns.stop - columns.start), dtype=values.dtype)
            work(columns, partial(mix, mixing=mixing, transport=transport, out=room))
        meter.messages = before + messages  # the parts of a row are one message
    meter.rounds += rounds
