"""An exact sum at every agent: two passes over a spanning tree."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from scipy.sparse.csgraph import breadth_first_order

from coolgp.agents.blocks import on_cores
from coolgp.fusion.registry import rule_named
from coolgp.network.links.faults import Faults
from coolgp.network.serial import SerialTransport

from benchmarks import work
from benchmarks.limits import measure_limits
from benchmarks.measured.consensus import start
from benchmarks.plain import agents as plain
from benchmarks.results import Measurement, Row, Value, seconds
from benchmarks.timing import Effort, contest

__all__ = ["measure", "ours", "planned"]

NOTES = (
    "Every agent holds a row of P numbers, float64, and ends with the sum of all rows: up a spanning tree of a small "
    "world of degree 4 and down again. One core. Who speaks when is found once, before, and is not in it.",
    "The plain loop adds each agent's row to its parent's, children first, and then hands the sum down, a copy each.",
    "The limit reads every row and writes every sum once, 16NP bytes, at the measured rate of copying.",
)


def measure(quick: bool) -> Measurement:
    """Time coolgp and the plain loop."""
    limits = measure_limits(quick)
    sizes = [(20, 10), (50, 10)] if quick else [(1000, 1000), (1000, 5150), (10_000, 1000), (100_000, 1000)]
    effort = Effort(2, 0.005) if quick else Effort(5, 0.25)
    rows: list[Row] = []
    for size, width in sizes:
        print(f"tree: {size} agents, {width} numbers", file=sys.stderr)
        rows += _contest({"N": size, "P": width}, limits, effort)
    return Measurement(tuple(rows), limits, NOTES)


def ours(graph: Any, values: work.Array) -> Callable[[], work.Array]:
    """coolgp's tree on rows ``[N, P]``: a call makes the sums of all agents."""
    rule: Any = rule_named("tree").fit(graph, Faults())
    transport = SerialTransport(rule.links(graph))
    mine = values[transport.shard.agents]  # a shard has its agents in an order of its own
    state = rule.begin(mine, transport)
    return lambda: rule.sums(rule.settle(state, mine, transport))


def planned(graph: Any) -> tuple[list[int], list[int]]:
    """The parent of each agent on a spanning tree (-1 for the root's), and parents before children."""
    order, parent = breadth_first_order(graph.matrix(), 0, directed=False)
    return np.where(parent < 0, -1, parent).tolist(), order.tolist()


def _contest(case: dict[str, Value], limits: dict[str, float], effort: Effort) -> list[Row]:
    size, width = int(case["N"]), int(case["P"])
    graph, values = work.graph(size), start(size, width)
    works: dict[str, Callable[[], object]] = {
        "coolgp": ours(graph, values),
        "plain loop": partial(plain.sums_on_tree, values, *planned(graph)),
    }
    with on_cores(1):
        times = contest(works, effort)
    best = 16.0 * size * width / limits["copy"]
    return [seconds(case, who, "sum at all agents", timing, best) for who, timing in times.items()]
