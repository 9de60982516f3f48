"""From a thousand agents to a million: seconds and bytes for an agent and round, and memory."""

from __future__ import annotations

import sys
from typing import Any

from benchmarks.limits import measure_limits
from benchmarks.results import Measurement, Row, Value, seconds, single
from benchmarks.timing import Timing
from benchmarks.whole_runs import Seen, whole_run

__all__ = ["measure", "settings"]

NOTES = (
    "Sensors on a random geometric graph (8 neighbours in the mean) read a field anew, B = 20 rows each in every "
    "round; fixed hyper-parameters, an exact sum along a spanning tree in every round, 20 probes evaluated. Each "
    "size runs in processes of its own, one thread a rank.",
    "learning and fusion: of one agent in one round, the median over rounds. whole process: "
    "from start to end, Python, graph, partition and evaluation included. peak memory: over all ranks together.",
)
GIB = 2**30
SHAPES = [
    *((1000, 16, 20, 1), (10_000, 16, 20, 1), (100_000, 16, 10, 1), (1_000_000, 16, 3, 1)),
    *((100_000, 50, 10, 1), (1_000_000, 16, 1, 2)),
]
"""Agents, inducing inputs, rounds, ranks."""


def measure(quick: bool) -> Measurement:
    """Run all sizes, the dearest last; a size that fails is left out with its last words."""
    limits = measure_limits(quick)
    shapes = [(64, 8, 2, 1), (128, 8, 2, 2)] if quick else SHAPES
    rows: list[Row] = []
    skipped = {}
    for agents, inducing, rounds, ranks in shapes:
        print(f"scale: {agents} agents, m = {inducing}, {rounds} rounds on {ranks} ranks", file=sys.stderr)
        case: dict[str, Value] = {"N": agents, "m": inducing, "rounds": rounds, "ranks": ranks}
        try:
            rows += _rows(case, whole_run("scale", settings(agents, inducing, rounds), ranks=ranks))
        except RuntimeError as failure:
            skipped[f"{agents} agents"] = str(failure)
    return Measurement(tuple(rows), limits, NOTES, skipped)


def settings(agents: int, inducing: int, rounds: int, topology: str = "geometric") -> dict[str, Any]:
    """Sensors that read a field anew in every round."""
    return {
        "data": {"source": "sensors"},
        "agents": {"count": agents, "inducing": inducing, "batch_size": 20, "hyperparameters": "fixed"},
        "network": {"topology": topology, "degree": 8},
        "fusion": {"rule": "tree", "rounds_per_step": "converge"},
        "run": {"rounds": rounds, "probes": 20},
    }


def _rows(case: dict[str, Value], run: Seen) -> list[Row]:
    agent_rounds = int(case["N"]) * int(case["rounds"])
    each = Timing(tuple(1e6 * second / int(case["N"]) for second in run.rounds))
    learning = Row(
        case, "coolgp", "learning and fusion", "µs per agent-round", each.median, *each.spread, len(run.rounds)
    )
    return [
        learning,
        seconds(case, "coolgp", "whole process", Timing((run.process,))),
        single(case, "coolgp", "sent", "bytes per agent-round", sum(run.sent) / agent_rounds),
        single(case, "coolgp", "peak memory", "GiB", run.peak / GIB),
    ]
