"""Ranks: the same work on more of them, more work on more of them, overlap, and the same bits on any number."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.limits import measure_limits
from benchmarks.measured.scale import settings
from benchmarks.peers.call import ROOT
from benchmarks.results import Measurement, Row, Value, seconds, single
from benchmarks.timing import Timing
from benchmarks.whole_runs import launch_words, whole_run

__all__ = ["differences", "measure"]

NOTES = (
    "Sensors as in `scale`, 1 thread a rank: learning and fusion of all rounds together. strong: 10,000 agents on 1 "
    "rank and on 2. weak: 5,000 agents a rank. m = 50, B = 20, 10 rounds.",
    "same answer: of all metrics, hyper-parameters and predictions of a run on so many ranks, the share that has the "
    "bits of the run on 1 rank. 4 ranks are more than there are cores: this shows that it works, not how fast.",
    "overlap: rounds of consensus on 2 ranks, P = 1,000, on a small world of degree 4, both ways in turns in one run. "
    "`coolgp` averages agents without neighbours elsewhere while rows from the other rank are on their way; `coolgp, "
    "after` waits for them first.",
)


def measure(quick: bool) -> Measurement:
    """Time strong and weak scaling in turns, and compare what runs leave on 1, 2 and 4 ranks."""
    limits = measure_limits(quick)
    agents, inducing, rounds = (64, 8, 2) if quick else (10_000, 50, 10)
    shapes: list[dict[str, Value]] = [{"scaling": "strong", "ranks": ranks, "N": agents} for ranks in (1, 2)]
    shapes += [{"scaling": "weak", "ranks": ranks, "N": ranks * agents // 2} for ranks in (1, 2)]
    spent: list[list[float]] = [[] for _ in shapes]
    for turn in range(1 if quick else 3):
        for case, seconds_spent in zip(shapes, spent, strict=True):
            print(f"ranks: run {turn + 1}, {case}", file=sys.stderr)
            chosen = settings(int(case["N"]), inducing, rounds)
            seconds_spent.append(whole_run("ranks", chosen, ranks=int(case["ranks"])).learning)
    rows = [
        seconds(case, "coolgp", "learning and fusion", Timing(tuple(seconds_spent)))
        for case, seconds_spent in zip(shapes, spent, strict=True)
    ]
    rows += _overlap(*((64, 8, 2, 1) if quick else (10_000, 1000, 20, 7)))
    return Measurement((*rows, *_same(64 if quick else 2000, inducing, rounds)), limits, NOTES)


def _overlap(agents: int, columns: int, rounds: int, runs: int) -> list[Row]:
    """A round of averaging with work while rows are on their way, and afterwards."""
    print("ranks: overlap", file=sys.stderr)
    case: dict[str, Value] = {"scaling": "overlap", "ranks": 2, "N": agents}
    task = json.dumps({"N": agents, "P": columns, "rounds": rounds, "runs": runs})
    command = [*launch_words(2), "benchmarks.overlap", task]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"overlap on 2 ranks ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    spent = json.loads(done.stdout)
    return [
        seconds(case, who, "round of consensus", Timing(tuple(spent[way])))
        for way, who in {"during": "coolgp", "after": "coolgp, after"}.items()
    ]


def _same(agents: int, inducing: int, rounds: int) -> list[Row]:
    with TemporaryDirectory() as folder:
        outs = {ranks: Path(folder, str(ranks)) for ranks in (1, 2, 4)}
        for ranks, out in outs.items():
            print(f"ranks: the answer on {ranks}", file=sys.stderr)
            whole_run("ranks", settings(agents, inducing, rounds), ranks=ranks, out=out)
        return [
            single({"ranks": ranks, "N": agents}, "coolgp", "same answer", "of 1", 1.0 - differences(outs[1], out))
            for ranks, out in outs.items()
            if ranks > 1
        ]


def differences(one: Path, other: Path) -> float:
    """The share of two runs' tables and predictions that differ in any bit; seconds are left out."""
    ours, theirs = _contents(one), _contents(other)
    return sum(ours[name] != theirs.get(name) for name in ours) / len(ours)


def _contents(folder: Path) -> dict[str, object]:
    contents: dict[str, object] = {}
    for table in ("metrics.csv", "probes.csv", "hyperparameters.csv"):
        with (folder / table).open(newline="", encoding="utf-8") as lines:
            for number, row in enumerate(csv.DictReader(lines)):
                contents |= {
                    f"{table} {number} {key}": value for key, value in row.items() if not key.startswith("seconds")
                }
    with np.load(folder / "predictions.npz") as arrays:
        contents |= {name: arrays[name].tobytes() for name in arrays.files}
    return contents
