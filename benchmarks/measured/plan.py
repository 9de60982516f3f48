"""What `coolgp plan` says of a run beside what the run takes: memory and time, each in processes of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.limits import measure_limits
from benchmarks.peers.call import ROOT
from benchmarks.results import Measurement, Result, Row, Value, single
from benchmarks.whole_runs import whole_run

__all__ = ["measure", "off"]

NOTES = (
    "`sensors` with an exact sum along a spanning tree in every round, B = 20, 1 rank, 1 thread, from the start of the "
    "process to its end, figures and report included. said: by `coolgp plan`, right before the run; seen: most memory "
    "held at once, and seconds of the whole process.",
)
MIB = 2**20
SHAPES = [(1000, 50, 20), (20_000, 50, 5), (200_000, 16, 2)]
"""Agents, inducing inputs, rounds."""


def measure(quick: bool) -> Measurement:
    """Ask `coolgp plan` about three sizes and run them."""
    limits = measure_limits(quick)
    rows: list[Row] = []
    for agents, inducing, rounds in [(64, 8, 2)] if quick else SHAPES:
        print(f"plan: {agents} agents, m = {inducing}, {rounds} rounds", file=sys.stderr)
        rows += _rows({"N": agents, "m": inducing, "rounds": rounds}, figures=not quick)
    return Measurement(tuple(rows), limits, NOTES)


def off(result: Result, what: str) -> float | None:
    """By which factor what was said is off what was seen, either way, at worst."""
    seen = [row for row in result.measurement.rows if row.what == f"{what}, seen"]
    planned = [result.pick(what=f"{what}, said", **row.case) for row in seen]
    factors = [row.value / other.value for row, other in zip(seen, planned, strict=True) if other]
    return max((max(factor, 1 / factor) for factor in factors), default=None)


def _rows(case: dict[str, Value], *, figures: bool) -> list[Row]:
    overrides = [
        f"agents.count={case['N']}",
        f"agents.inducing={case['m']}",
        f"run.rounds={case['rounds']}",
        "agents.batch_size=20",
    ]
    planned = _planned(overrides)
    with TemporaryDirectory() as folder:
        seen = whole_run("sensors", None, overrides, out=Path(folder, "run"), figures=figures)
    return [
        single(case, "coolgp", "memory, said", "MiB", planned["rank_bytes"] / MIB),
        single(case, "coolgp", "memory, seen", "MiB", seen.peak / MIB),
        single(case, "coolgp", "time, said", "s", planned["seconds"]),
        single(case, "coolgp", "time, seen", "s", seen.process),
    ]


def _planned(overrides: list[str]) -> Mapping[str, Any]:
    """What `coolgp plan` says, as JSON; raises RuntimeError with its last words where it fails."""
    sets = [word for override in overrides for word in ("--set", override)]
    done = subprocess.run(
        [sys.executable, "-m", "coolgp.scenarios", "plan", "sensors", "--json", *sets],
        cwd=ROOT,
        env={**os.environ, "COOLGP_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"coolgp plan ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    answer: Mapping[str, Any] = json.loads(done.stdout)
    return answer
