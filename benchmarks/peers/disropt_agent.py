"""One DISROPT agent, a rank of mpiexec: averages with its neighbours; the first prints seconds a round."""

from __future__ import annotations

import json
import sys
from time import perf_counter

import numpy as np
from disropt.agents import Agent
from disropt.algorithms.consensus import Consensus
from mpi4py import MPI

from benchmarks.work import graph

RUNS = 3


def main(size: int, width: int, rounds: int) -> None:
    """Time ``rounds`` rounds, several times over; all agents wait for one another before and after."""
    world = MPI.COMM_WORLD
    if world.size != size:
        raise SystemExit(f"needed {size} agents under mpiexec; got {world.size}")
    links = [(0, 1), (1, 0)] if size == 2 else _links(size)
    degree = np.bincount([i for i, _ in links], minlength=size)
    mine = [j for i, j in links if i == world.rank]
    weights = {j: 1.0 / (1.0 + max(degree[world.rank], degree[j])) for j in mine}
    agent = Agent(in_neighbors=mine, out_neighbors=mine, in_weights=weights)
    algorithm = Consensus(agent, np.random.default_rng(world.rank).standard_normal((width, 1)))
    algorithm.run(iterations=2)
    seconds = []
    for _ in range(RUNS):
        world.Barrier()
        started = perf_counter()
        algorithm.run(iterations=rounds)
        world.Barrier()
        seconds.append((perf_counter() - started) / rounds)
    if world.rank == 0:
        print(json.dumps([{"seconds": seconds}]))


def _links(size: int) -> list[tuple[int, int]]:
    topology = graph(size)
    return [(int(i), int(j)) for i, j in zip(topology.tail, topology.indices, strict=True)]


if __name__ == "__main__":
    task = json.loads(sys.argv[1])
    main(task["N"], task["P"], task["rounds"])
