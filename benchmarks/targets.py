"""Targets of speed and memory, beside what was measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks.measured.plan import off
from benchmarks.results import Result, Row
from benchmarks.table import digits

__all__ = ["TARGETS", "Target", "targets_table"]

Results = Mapping[str, Result]


@dataclass(frozen=True)
class Target:
    """A bound on a figure of one benchmark. at_least: else at most. value_of: None where nobody measured it."""

    words: str
    benchmark: str
    bound: float
    unit: str
    at_least: bool
    value_of: Callable[[Result], float | None]

    def reached(self, value: float) -> bool:
        """Whether a figure reaches the target."""
        return value >= self.bound if self.at_least else value <= self.bound

    def line(self, results: Results) -> str:
        """A row of the table: bound, measured value, whether it is reached, by which command."""
        result = results.get(self.benchmark)
        value = None if result is None or result.quick else self.value_of(result)
        bound = f"{'at least' if self.at_least else 'at most'} {digits(self.bound)} {self.unit}".rstrip()
        if result is None or value is None:
            return f"| {self.words} | {bound} | | not measured | |"
        verdict = "yes" if self.reached(value) else "**NO**"
        return f"| {self.words} | {bound} | {digits(value)} {self.unit} | {verdict} | `{result.command}` |"


def targets_table(results: Results) -> str:
    """All targets as a Markdown table."""
    head = "| target | bound | measured | reached | command |\n| --- | --- | --- | --- | --- |\n"
    return head + "\n".join(target.line(results) for target in TARGETS) + "\n"


def _value(row: Row | None) -> float | None:
    return None if row is None else row.value


def _update(b: int, dtype: str, who: str = "coolgp") -> Callable[[Result], float | None]:
    return lambda result: _value(result.pick(who, m=100, B=b, dtype=dtype))


def _averaging(size: int) -> Callable[[Result], float | None]:
    return lambda result: _value(result.pick("coolgp, 2 cores", N=size, P=1000))


def _on_two(result: Result) -> float | None:
    return _value(result.pick(what="whole run", ranks=2))


def _faster_on_two(result: Result) -> float | None:
    one = result.pick(what="learning and fusion", ranks=1, threads=1)
    two = result.pick(what="learning and fusion", ranks=2)
    return one.value / two.value if one and two else None


def _scale(what: str, agents: int, inducing: int, ranks: int) -> Callable[[Result], float | None]:
    return lambda result: _value(result.pick(what=what, N=agents, m=inducing, ranks=ranks))


def _small(what: str, inputs: int) -> Callable[[Result], float | None]:
    return lambda result: _value(result.pick(what=what, features="random", inputs=inputs, **{"evaluated every": 10}))


def _flat(result: Result) -> float | None:
    """Dearest over cheapest agent-round from 10^3 to 10^6 agents in one process, m = 16."""
    picked = [result.pick(what="learning and fusion", N=10**power, m=16, ranks=1) for power in range(3, 7)]
    values = [row.value for row in picked if row]
    return max(values) / min(values) if len(values) == len(picked) else None


def _same(result: Result) -> float | None:
    picked = [result.pick(what="same answer", ranks=ranks) for ranks in (2, 4)]
    values = [row.value for row in picked if row]
    return min(values) if len(values) == len(picked) else None


def _climb(step: str) -> Callable[[Result], float | None]:
    return lambda result: _value(result.pick("coolgp", "fusion", step=step, m=10, Q=1000, iterations=40))


def _off(what: str) -> Callable[[Result], float | None]:
    return lambda result: off(result, what)


UPDATES = tuple(
    Target(f"update, m = 100, B = 32, {dtype}, {how}", "update", bound, "updates/s", True, _update(32, dtype, who))
    for dtype, bound, who, how in (
        ("float64", 45_000, "coolgp, kernel", "the plain loop's own sums"),
        ("float64", 45_000, "coolgp", "whitened, as by default"),
        ("float32", 75_000, "coolgp", "whitened, as by default"),
    )
)
TARGETS = (
    *UPDATES,
    Target("single observations, m = 100", "update", 500_000, "observations/s", True, _update(1, "float64")),
    Target("consensus, N = 10,000, P = 1,000", "consensus", 45, "rounds/s", True, _averaging(10_000)),
    Target("consensus, N = 1,000, P = 1,000", "consensus", 450, "rounds/s", True, _averaging(1000)),
    Target("airline from loaded data to report, 2 ranks", "airline", 8, "s", False, _on_two),
    Target("its learning and fusion, 2 ranks against 1", "airline", 1.6, "times faster", True, _faster_on_two),
    Target("a round of 10 agents that observe one row each, m = 100", "small", 0.002, "s", False, _small("a round", 2)),
    Target("972 rounds of them with 96 inputs", "small", 3, "s", False, _small("whole run", 96)),
    Target("10⁵ agents, m = 50, 10 rounds, 1 process", "scale", 240, "s", False, _scale("whole process", 10**5, 50, 1)),
    Target("its memory", "scale", 16, "GiB", False, _scale("peak memory", 10**5, 50, 1)),
    Target("10⁶ agents, m = 16, 1 round, 2 ranks", "scale", 600, "s", False, _scale("whole process", 10**6, 16, 2)),
    Target("its memory", "scale", 20, "GiB", False, _scale("peak memory", 10**6, 16, 2)),
    Target("dearest over cheapest agent-round, 10³ to 10⁶ agents", "scale", 1.5, "times", False, _flat),
    Target("CIGAR, 10 experts, 1,000 inputs, 40 iterations", "blackbox", 5, "s", False, _climb("published")),
    Target("the same with scale-free steps", "blackbox", 5, "s", False, _climb("scale-free")),
    Target("memory that `plan` says, off what is measured, three sizes", "plan", 1.2, "times", False, _off("memory")),
    Target("time that `plan` says, off what is measured", "plan", 2, "times", False, _off("time")),
    Target("numbers with the same bits on 2 and 4 ranks as on 1", "ranks", 1, "of 1", True, _same),
)
