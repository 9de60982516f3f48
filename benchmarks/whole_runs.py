"""Whole runs in processes of their own, on ranks and threads as asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from benchmarks.peers.call import ROOT
from benchmarks.peers.disropt import launcher

__all__ = ["Seen", "launch_words", "whole_run"]


@dataclass(frozen=True)
class Seen:
    """What a run took, in seconds but for bytes.

    process: from start to end, imports included. load: of the data. total: from loaded data to the end. rounds:
    learning and fusion, a round each. sent: bytes from agent to agent, a round each. peak: the ranks' most memory,
    added up.
    """

    process: float
    load: float
    total: float
    rounds: tuple[float, ...]
    sent: tuple[int, ...]
    peak: int

    @property
    def learning(self) -> float:
        """Learning and fusion in all rounds together."""
        return sum(self.rounds)


def whole_run(
    name: str,
    settings: Mapping[str, Any] | None = None,
    overrides: Sequence[str] = (),
    *,
    ranks: int = 1,
    threads: int = 1,
    out: Path | None = None,
    figures: bool = False,
) -> Seen:
    """Run a scenario that comes with the package, or one of given settings; into a run folder where ``out`` says.

    Raises RuntimeError with the run's last words where it fails.
    """
    with TemporaryDirectory() as answers:
        task = {
            "name": name,
            "settings": settings,
            "overrides": list(overrides),
            "out": str(out) if out else None,
            "figures": figures,
            "answers": answers,
        }
        started = perf_counter()
        done = subprocess.run(
            [*launch_words(ranks), "benchmarks.one_run", json.dumps(task)],
            cwd=ROOT,
            env={**os.environ, "COOLGP_THREADS": str(threads)},
            capture_output=True,
            text=True,
            check=False,
        )
        process = perf_counter() - started
        reports = [json.loads(path.read_text(encoding="utf-8")) for path in Path(answers).glob("*.json")]
    if done.returncode or len(reports) != ranks:
        raise RuntimeError(f"{name} on {ranks} ranks ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    root = next(one for one in reports if one["rounds"])
    peak = sum(one["peak"] for one in reports)
    return Seen(process, root["load"], root["total"], tuple(root["rounds"]), tuple(root["bytes"]), peak)


def launch_words(ranks: int) -> list[str]:
    """The words that start a module on so many ranks. Raises RuntimeError where there is no mpiexec."""
    if ranks == 1:
        return [sys.executable, "-m"]
    mpiexec = launcher()
    if mpiexec is None:
        raise RuntimeError('needed mpiexec beside this Python or on the PATH: pip install -e ".[bench,mpich]"')
    return [mpiexec, "-n", str(ranks), sys.executable, "-m", "mpi4py", "-m"]
