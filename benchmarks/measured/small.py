"""Small runs: ten agents that observe one row a round, where what a round costs is Python rather than arithmetic."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.limits import measure_limits
from benchmarks.results import Measurement, Row, Value, seconds
from benchmarks.timing import Timing
from benchmarks.whole_runs import Seen, whole_run

__all__ = ["measure"]

NOTES = (
    "Ten agents on a small world of degree 4 observe one row each in a round, fixed hyper-parameters, m features, and "
    "average with their neighbours once a round (consensus). All ten are evaluated on 100 rows, before and after "
    "fusion, in every so many rounds; tables are written, figures are not. One core.",
    "972 rounds with 96 inputs and 100 random features is the shape of the runs of DRFGP.",
    "a round: all rounds from the start of the first, evaluation and tables included, divided by their number. whole "
    "run: from loaded data, with the pilot sample's hyper-parameters.",
    "The limit of a round adds up what cannot be left out: sums, contributions and averages read and written once at "
    "the rate of copying; where agents are evaluated, for each two Cholesky factors, two triangular inverses and two "
    "variances of 100 rows, at the rate of gemm.",
)
AGENTS, NEIGHBOURS, TEST_ROWS, PILOT = 10, 4, 100, 300
CASES: tuple[dict[str, Value], ...] = (
    {"features": "random", "inputs": 2, "m": 100, "rounds": 300, "evaluated every": 300},
    {"features": "inducing", "inputs": 2, "m": 100, "rounds": 300, "evaluated every": 300},
    {"features": "random", "inputs": 2, "m": 100, "rounds": 300, "evaluated every": 10},
    {"features": "random", "inputs": 2, "m": 100, "rounds": 300, "evaluated every": 1},
    {"features": "random", "inputs": 96, "m": 100, "rounds": 972, "evaluated every": 10},
)
QUICK: tuple[dict[str, Value], ...] = ({"features": "random", "inputs": 3, "m": 8, "rounds": 4, "evaluated every": 2},)


def measure(quick: bool) -> Measurement:
    """Time each run three times, in turns."""
    limits = measure_limits(quick)
    cases = QUICK if quick else CASES
    seen: list[list[tuple[float, float]]] = [[] for _ in cases]
    with TemporaryDirectory() as folder:
        for case in cases:
            _write_table(Path(folder), int(case["inputs"]), AGENTS * int(case["rounds"]) + TEST_ROWS)
        for turn in range(1 if quick else 3):
            for runs, case in zip(seen, cases, strict=True):
                print(f"small: run {turn + 1} of {case}", file=sys.stderr)
                runs.append(_run(Path(folder), case))
    return Measurement(
        tuple(row for case, runs in zip(cases, seen, strict=True) for row in _rows(case, runs, limits)), limits, NOTES
    )


def _run(folder: Path, case: dict[str, Value]) -> tuple[float, float]:
    """Seconds of a round, and of the whole run."""
    out = folder / "run"
    settings = _settings(_table(folder, int(case["inputs"])), case)
    run: Seen = whole_run("small", settings, ["run.evaluate_every=" + str(case["evaluated every"])], out=out)
    environment = json.loads((out / "env.json").read_text(encoding="utf-8"))
    rounds = environment["seconds_total"] - environment["seconds_setup"]
    for file in out.iterdir():
        file.unlink()
    return rounds / int(case["rounds"]), run.total


def _settings(table: Path, case: dict[str, Value]) -> dict[str, Any]:
    return {
        "data": {"source": str(table), "target": "y", "test_count": TEST_ROWS},
        "agents": {
            "count": AGENTS,
            "basis": "rff" if case["features"] == "random" else "inducing",
            "inducing": case["m"],
            "batch_size": 1,
            "hyperparameters": "fixed",
            "pilot": min(PILOT, AGENTS * int(case["rounds"])),
        },
        "network": {"topology": "small-world", "degree": NEIGHBOURS},
        "fusion": {"rule": "consensus", "rounds_per_step": 1},
        "run": {"rounds": case["rounds"], "probes": AGENTS},
    }


def _rows(case: dict[str, Value], runs: list[tuple[float, float]], limits: dict[str, float]) -> list[Row]:
    each, whole = (Timing(tuple(part)) for part in zip(*runs, strict=True))
    return [
        seconds(case, "coolgp", "a round", each, _shortest(case, limits)),
        seconds(case, "coolgp", "whole run", whole),
    ]


def _shortest(case: dict[str, Value], limits: dict[str, float]) -> float:
    """Seconds that a round needs at least."""
    m, every = int(case["m"]), int(case["evaluated every"])
    row_bytes = 8 * (m * (m + 1) // 2 + m)
    moved = AGENTS * row_bytes * (2 + 2 + 1 + NEIGHBOURS + 1)  # sums, contributions, averages
    formed = 2 * AGENTS * (2 * m**3 / 3 + 2 * m**2 * TEST_ROWS)
    return moved / limits["copy"] + formed / every / limits["dgemm"]


def _table(folder: Path, inputs: int) -> Path:
    return folder / f"table{inputs}.csv"


def _write_table(folder: Path, inputs: int, rows: int) -> None:
    """A smooth function of three directions of standard normal inputs, with noise."""
    random = np.random.default_rng(0)
    x = random.standard_normal((rows, inputs))
    y = np.sin(x @ random.standard_normal((inputs, 3)) / np.sqrt(inputs)).sum(1) + 0.1 * random.standard_normal(rows)
    names = [*(f"x{column}" for column in range(inputs)), "y"]
    np.savetxt(_table(folder, inputs), np.column_stack([x, y]), "%.6g", ",", header=",".join(names), comments="")
