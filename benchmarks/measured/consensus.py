"""Averaging over a graph: rounds a second of ``X ← WX`` with Metropolis weights, on one core."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from coolgp.agents.blocks import on_cores
from coolgp.fusion.registry import rule_named
from coolgp.network.links.faults import Faults
from coolgp.network.mixing import metropolis
from coolgp.network.serial import SerialTransport

from benchmarks import work
from benchmarks.limits import measure_limits
from benchmarks.peers import disropt
from benchmarks.plain import agents as plain
from benchmarks.results import Measurement, Row, Value, rate
from benchmarks.timing import Effort, contest

__all__ = ["measure", "ours", "start"]

NOTES = (
    "A round: every agent takes the average of its row of P numbers and its neighbours', with Metropolis weights on a "
    "small world of degree 4; float64, one core; `coolgp, 2 cores` is one process with two threads. coolgp makes its "
    "rounds in calls of 20, as a run does.",
    "`sparse product` is SciPy's `W @ X` on the whole matrix, a new one each round. The plain loop has one object an "
    "agent, and adds up its neighbours' rows in Python.",
    "DISROPT runs a process an agent under mpiexec, which the cores must share (a waiting agent spins; Open MPI can "
    "yield, MPICH does not): with as many agents as cores its rate is that of one exchange, and both are shown.",
    "gossipy is not here: `gossipy` on the Python index is a chat library, and `gossipy-dfl` 0.0.1, the simulator, has "
    "no all-to-all averaging yet.",
    "The limit reads and writes every number once a round at the measured rate of copying, 16NP bytes; where the rows "
    "fit the cache the machine can do more.",
)
CALL = 20
"""Rounds in one call."""


def measure(quick: bool) -> Measurement:
    """Time coolgp, a sparse product, the plain loop, and DISROPT where it is installed."""
    limits = measure_limits(quick)
    sizes = [(16, 10), (30, 10)] if quick else [(16, 1000), (1000, 1000), (1000, 5150), (10_000, 1000), (10_000, 5150)]
    effort = Effort(2, 0.005) if quick else Effort(5, 0.25)
    rows: list[Row] = []
    for size, width in sizes:
        print(f"consensus: {size} agents, {width} numbers", file=sys.stderr)
        rows += _contest({"N": size, "P": width}, limits, effort if size * width < 10**7 else replace(effort, runs=3))
    answers = disropt.measure([(2, sizes[0][1]), sizes[0]], 20 if quick else 200)
    rows += [rate(case, "DISROPT", "rounds", timing, 1) for case, timing in answers.timings]
    return Measurement(tuple(sorted(rows, key=lambda row: tuple(row.case.values()))), limits, NOTES, answers.refused)


def start(size: int, width: int) -> work.Array:
    """What agents begin with, ``[N, P]``."""
    return np.random.default_rng(0).standard_normal((size, width))


def ours(graph: Any, values: work.Array) -> tuple[Callable[[], None], Callable[[], work.Array | None]]:
    """coolgp's consensus on rows: a call makes 20 rounds; and what agents hold for the mean."""
    rule: Any = rule_named("consensus").fit(graph, Faults())
    transport = SerialTransport(rule.links(graph))
    mine = values[transport.shard.agents]  # a shard has its agents in an order of its own
    state = [rule.begin(mine, transport)]

    def rounds() -> None:
        state[0] = rule.rounds(state[0], mine, transport, CALL)

    return rounds, lambda: transport.gather(rule.sums(state[0]) / len(values))


def _contest(case: dict[str, Value], limits: dict[str, float], effort: Effort) -> list[Row]:
    size, width = int(case["N"]), int(case["P"])
    graph, values = work.graph(size), start(size, width)
    works: dict[str, Callable[[], object]] = {"coolgp": ours(graph, values)[0]}
    works["coolgp, 2 cores"] = partial(_on_two, works["coolgp"])
    works["sparse product"] = partial(_product, metropolis(graph), [values])
    if size * width <= 10**7:  # a loop over more takes its time and says nothing new
        works["plain loop"] = partial(plain.step, plain.nodes(values, pairs(graph)))
    with on_cores(1):
        times = contest(works, effort)
    best = limits["copy"] / (16.0 * size * width)
    return [
        rate(case, who, "rounds", timing, CALL if who.startswith("coolgp") else 1, best)
        for who, timing in times.items()
    ]


def _on_two(call: Callable[[], object]) -> None:
    with on_cores(2):
        call()


def pairs(graph: Any) -> list[tuple[int, int]]:
    """Links of a graph, each once."""
    return [(int(i), int(j)) for i, j in zip(graph.tail, graph.indices, strict=True) if i < j]


def _product(matrix: Any, values: list[work.Array]) -> None:
    values[0] = matrix @ values[0]
