"""The airline scenario, from loaded data to report: what its parts take on one core and on two."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.limits import measure_limits
from benchmarks.results import Measurement, Row, Value, seconds
from benchmarks.timing import Timing
from benchmarks.whole_runs import Seen, whole_run

__all__ = ["PARTS", "measure"]

NOTES = (
    "`coolgp run airline` as it comes: 1,000 agents, 13 rounds of 20 flights each, learned hyper-parameters, m = 100, "
    "an exact sum along a spanning tree in every round, 20 probes evaluated on 10,000 flights, figures and report. The "
    "flights are loaded before the clock starts; starting Python and MPI is not in it.",
    "setup: pilot sample, inducing inputs, graph, partition. evaluation and records: all else until the report begins.",
)
PARTS = ("whole run", "setup", "learning and fusion", "evaluation and records", "report")
QUICK = ("agents.count=8", "agents.inducing=8", "agents.pilot=50", "run.rounds=2", "run.probes=2", "data.test_count=50")


def measure(quick: bool) -> Measurement:
    """Time the run on 1 rank with 1 thread, 1 rank with 2 threads, and 2 ranks, in turns."""
    limits = measure_limits(quick)
    shapes = [(1, 1), (1, 2), (2, 1)]
    seen: dict[tuple[int, int], list[dict[str, float]]] = {shape: [] for shape in shapes}
    for turn in range(1 if quick else 3):
        for ranks, threads in shapes:
            print(f"airline: run {turn + 1} on {ranks} ranks x {threads} threads", file=sys.stderr)
            seen[ranks, threads].append(_run(quick, ranks, threads))
    return Measurement(tuple(row for shape, runs in seen.items() for row in _rows(shape, runs)), limits, NOTES)


def _run(quick: bool, ranks: int, threads: int) -> dict[str, float]:
    overrides = QUICK if quick else ()
    with TemporaryDirectory() as folder:
        out = Path(folder, "run")
        run = whole_run("airline", None, overrides, ranks=ranks, threads=threads, out=out, figures=True)
        return _parts(run, json.loads((out / "env.json").read_text(encoding="utf-8")))


def _parts(run: Seen, environment: dict[str, float]) -> dict[str, float]:
    setup, until_report = environment["seconds_setup"], environment["seconds_total"]
    parts = (run.total, setup, run.learning, until_report - setup - run.learning, run.total - until_report)
    return dict(zip(PARTS, parts, strict=True))


def _rows(shape: tuple[int, int], runs: list[dict[str, float]]) -> list[Row]:
    case: dict[str, Value] = {"ranks": shape[0], "threads": shape[1]}
    return [seconds(case, "coolgp", phase, Timing(tuple(run[phase] for run in runs))) for phase in PARTS]
