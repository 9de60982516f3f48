"""Other libraries in processes of their own: one that fails, or is not installed, breaks no benchmark."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.timing import Effort, Timing, contest

__all__ = ["ROOT", "Answers", "ask", "serve"]

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 600
"""Seconds after which a library is given up."""
Case = dict[str, Any]


@dataclass(frozen=True)
class Answers:
    """What a library did: timings of cases, values where these were asked for, and why it did not."""

    timings: tuple[tuple[Case, Timing], ...] = ()
    values: tuple[list[float], ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)


def ask(peer: str, verb: str, cases: Sequence[Case], effort: Effort | None, **more: object) -> Answers:
    """Have a library time a verb on cases or, without effort, return what it gives; more: for all cases alike."""
    module = f"benchmarks.peers.{peer.replace('-', '_')}_peer"
    task = {"verb": verb, "cases": [case | more for case in cases], "effort": asdict(effort) if effort else None}
    print(f"{peer}: {verb}", file=sys.stderr)
    return answers_of(peer, [sys.executable, "-W", "ignore", "-m", module], cases, json.dumps(task))


def answers_of(peer: str, command: list[str], cases: Sequence[Case], text: str) -> Answers:
    """Run a command that prints its answers as the last line; whatever goes wrong is said and nothing more."""
    try:
        done = subprocess.run(
            command, input=text, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        return Answers(refused={peer: f"{type(problem).__name__}: {problem}"})
    lines = [line for line in done.stdout.splitlines() if line.startswith("[")]
    if done.returncode or not lines:
        reason = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        missing = ' (pip install -e ".[bench]")' if "ModuleNotFoundError" in reason else ""
        return Answers(refused={peer: reason + missing})
    answers = json.loads(lines[-1])
    if isinstance(answers[0], dict):
        return Answers(tuple((case, Timing(tuple(one["seconds"]))) for case, one in zip(cases, answers, strict=True)))
    return Answers(values=tuple(answers))


def serve(verbs: Mapping[str, Callable[[Case], Callable[[], Any]]]) -> None:
    """Answer a task from standard input: each verb makes, from a case, the work that is timed or whose values count."""
    task = json.load(sys.stdin)
    works = [verbs[task["verb"]](case) for case in task["cases"]]
    if task["effort"] is None:
        answers: list[Any] = [[float(value) for value in work()] for work in works]
    else:
        answers = [asdict(contest({"it": work}, Effort(**task["effort"]))["it"]) for work in works]
    print(json.dumps(answers))
