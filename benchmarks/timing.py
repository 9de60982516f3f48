"""Seconds per call: several runs, and contestants take turns, so that a slow moment of the machine meets all alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from time import perf_counter

__all__ = ["Effort", "Timing", "contest"]

Work = Callable[[], object]


@dataclass(frozen=True)
class Effort:
    """How long to look: so many runs, of at least so many seconds each."""

    runs: int
    seconds: float


@dataclass(frozen=True)
class Timing:
    """Seconds per call of each run."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle run."""
        return median(self.seconds)

    @property
    def spread(self) -> tuple[float, float]:
        """The fastest and the slowest run."""
        return min(self.seconds), max(self.seconds)


def contest(works: Mapping[str, Work], effort: Effort) -> dict[str, Timing]:
    """Time several works in turns; each is called once or twice before, and often enough in a run to fill its time."""
    repeats = {who: _repeats(work, effort.seconds) for who, work in works.items()}
    seconds: dict[str, list[float]] = {who: [] for who in works}
    for _ in range(effort.runs):
        for who, work in works.items():
            seconds[who].append(_run(work, repeats[who]))
    return {who: Timing(tuple(runs)) for who, runs in seconds.items()}


def _run(work: Work, repeats: int) -> float:
    started = perf_counter()
    for _ in range(repeats):
        work()
    return (perf_counter() - started) / repeats


def _repeats(work: Work, seconds: float) -> int:
    """Calls that fill the time: the first call, which may compile or touch memory, says nothing unless it is long."""
    first = _run(work, 1)
    return 1 if first > seconds else max(1, round(seconds / max(_run(work, 1), 1e-7)))
