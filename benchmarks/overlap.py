"""Averaging on ranks, with and without work while rows are on their way: run by mpiexec, the root prints JSON."""

from __future__ import annotations

import json
import sys
from time import perf_counter
from typing import Any

from benchmarks.threads import pin_blas

pin_blas()

import numpy as np  # noqa: E402  BLAS reads the number of its threads when it is loaded

from coolgp.fusion.sums.consensus import Consensus  # noqa: E402
from coolgp.network.base.arrays import Array  # noqa: E402
from coolgp.network.mpi import MPITransport, world  # noqa: E402
from coolgp.network.partition import partition  # noqa: E402
from coolgp.network.transport import Meanwhile  # noqa: E402

from benchmarks import work  # noqa: E402

__all__ = ["Afterwards", "main"]


class Afterwards(MPITransport):
    """What could be done while rows are on their way is done when they have come."""

    def halo(self, values: Array, out: Array | None = None, meanwhile: Meanwhile | None = None) -> Array:
        """See `Transport`."""
        rows = super().halo(values, out)
        if meanwhile is not None:
            meanwhile()
        return rows


def main(task: dict[str, Any]) -> None:
    """Time so many rounds of consensus in turns; the root prints a list of seconds a round for each way."""
    graph = work.graph(task["N"])
    owner, rule = partition(graph, world().size), Consensus()
    ways = {"during": MPITransport(graph, owner), "after": Afterwards(graph, owner)}
    spent: dict[str, list[float]] = {way: [] for way in ways}
    values = np.random.default_rng(0).normal(size=(task["N"], task["P"]))
    for _ in range(task["runs"] + 1):
        for way, transport in ways.items():
            mine = values[transport.shard.agents]
            state = rule.begin(mine, transport)
            transport.barrier()
            started = perf_counter()
            rule.rounds(state, mine, transport, task["rounds"])
            transport.barrier()
            spent[way].append((perf_counter() - started) / task["rounds"])
    if world().rank == 0:
        print(json.dumps({way: seconds[1:] for way, seconds in spent.items()}))  # the first run touches new memory


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
