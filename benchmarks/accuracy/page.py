"""docs/accuracy.md, from the cells alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from coolgp.scenarios.base.formatting import counted

from benchmarks.accuracy.cells import Cell
from benchmarks.accuracy.methods import ALL_ROWS, COOLGP, METHODS, SAME_BUDGET
from benchmarks.accuracy.sets import SETS
from benchmarks.table import digits

__all__ = ["page", "write_page"]

MOST_OF_SAME, MOST_OF_ALL, NATS, COVERED = 1.05, 1.15, 0.05, (0.90, 0.98)
"""Asked of the fused model: RMSE at most so many times that of the central models, NLPD within so many nats of the one
with the same budget, coverage of the 95 % interval within these."""

COVERAGE = """Where coverage on `borehole` is above what is asked, that of the central models is too (last column): the
function has no noise, and a sparse Gaussian process has one noise variance for all that its inducing inputs cannot
express.{}
"""
WHY = {
    100: COVERAGE.format(
        " Errors are large in few places (kurtosis 24 to 28, seed 0), and half as large as predicted over all."
    ),
    500: COVERAGE.format("")
    + """
The error on `borehole` is further above that of the model fitted to all rows than is asked, and below that of the model
of the same budget: where there is no noise, more rows and 150 iterations still improve length-scales and inducing
inputs; the agents' start has 2,000 rows and 20 iterations.
""",
}
"""Why a demand is not met, by the number of inducing inputs."""

HEAD = """# Accuracy

Written by `python -m benchmarks accuracy` from the lines of `benchmarks/results/accuracy.jsonl`; the command computes
the cells that the file lacks, so that it can be stopped and continued. Data come from generators and from packages.
Means over seeds ± standard deviation over them; a seed draws data, split and everything random. RMSE in units of the
target, NLPD in nats for an observation, coverage of the 95 % interval. Seconds are those of the processor, for fitting
and prediction together, and for coolgp the work of all agents. The whole comparison has five seeds at
M = 100 and 500; how much of it was run stands below.
"""


def write_page(cells: Sequence[Cell], path: Path) -> Path:
    """Write the page, folders included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(cells), encoding="utf-8")
    return path


def page(cells: Sequence[Cell]) -> str:
    """The page as Markdown."""
    parts = [HEAD, _methods(), _data(), _what_was_run(cells)]
    for inducing in sorted({cell.inducing for cell in cells if cell.inducing}):
        parts += [f"## M = {inducing}\n", _asked(cells, inducing), WHY.get(inducing, ""), _scores(cells, inducing)]
    return "\n".join(parts)


def _methods() -> str:
    lines = [f"- **{name}**: {method.words}." for name, method in METHODS.items()]
    return "\n".join(["## What is compared\n", *lines]) + "\n"


def _data() -> str:
    return "\n".join(["Data:\n", *(f"- `{name}`: {data.words}." for name, data in SETS.items())]) + "\n"


def _what_was_run(cells: Sequence[Cell]) -> str:
    """How many seeds there are of each cell, when and where they were computed, and what failed."""
    done = [cell for cell in cells if not cell.failure]
    seeds = Counter((cell.data, cell.method, cell.inducing) for cell in done)
    counts = ", ".join(
        f"{counted(count, 'seed')} in {counted(cases, 'case')}"
        for count, cases in sorted(Counter(seeds.values()).items())
    )
    places = Counter((cell.commit or "unknown", cell.cpu) for cell in done)
    made = "; ".join(f"{count} at commit {commit} on {cpu}" for (commit, cpu), count in places.items())
    days = sorted({cell.date for cell in done})
    lines = [f"What was run: {len(done)} cells ({counts}), {' to '.join(dict.fromkeys((days[0], days[-1])))}: {made}."]
    if any(cell.quick for cell in cells):
        lines.append("**Made with --quick: these figures mean nothing.**")
    failed = [f"{c.data}, {c.method}, M = {c.inducing}, seed {c.seed}: {c.failure}" for c in cells if c.failure]
    return "\n".join([*lines, *(f"- Failed: {line}" for line in failed)]) + "\n"


def _scores(cells: Sequence[Cell], inducing: int) -> str:
    rows = [
        [data, name, _spread(of, "rmse"), _spread(of, "nlpd"), _spread(of, "coverage95"), _spread(of, "seconds")]
        for data in SETS
        for name in METHODS
        if (of := _of(cells, data, name, inducing))
    ]
    return _table(["data", "method", "RMSE", "NLPD", "coverage95", "seconds"], rows)


def _asked(cells: Sequence[Cell], inducing: int) -> str:
    """What is asked of the fused model on each set, met or not, from the means over the seeds that both have."""
    rows = []
    for data in SETS:
        fused, same, every = (_of(cells, data, name, inducing) for name in (COOLGP, SAME_BUDGET, ALL_ROWS))
        if fused:
            coverage = _coverage(fused)
            rows.append(
                [
                    data,
                    _verdict(_mean(fused, same, _ratio), lambda value: value <= MOST_OF_SAME, "×"),
                    _verdict(_mean(fused, every, _ratio), lambda value: value <= MOST_OF_ALL, "×"),
                    _verdict(_mean(fused, same, _nats), lambda value: value <= NATS, " nats"),
                    _verdict(_mean(fused, every, _nats), None, " nats"),
                    _verdict(coverage, lambda value: COVERED[0] <= value <= COVERED[1], ""),
                    _verdict(_coverage(every), None, ""),
                ]
            )
    head = [
        "coolgp against",
        f"RMSE, same budget: at most {MOST_OF_SAME}×",
        f"RMSE, all rows: at most {MOST_OF_ALL}×",
        f"NLPD, same budget: at most {NATS} above",
        "NLPD, all rows",
        f"coverage95: {COVERED[0]:.2f} to {COVERED[1]:.2f}",
        "that of all rows",
    ]
    return _table(head, rows)


def _of(cells: Iterable[Cell], data: str, method: str, inducing: int) -> list[Cell]:
    size = inducing if METHODS[method].sparse else 0
    return [c for c in cells if (c.data, c.method, c.inducing) == (data, method, size) and not c.failure]


def _mean(one: Sequence[Cell], other: Sequence[Cell], compared: Callable[[Cell, Cell], float]) -> float:
    """Over the seeds that both have; NaN where there are none."""
    by_seed = {cell.seed: cell for cell in other}
    pairs = [compared(cell, by_seed[cell.seed]) for cell in one if cell.seed in by_seed]
    return float(np.mean(pairs)) if pairs else float("nan")


def _coverage(cells: Sequence[Cell]) -> float:
    return float(np.mean([cell.coverage95 for cell in cells])) if cells else float("nan")


def _ratio(one: Cell, other: Cell) -> float:
    return one.rmse / other.rmse


def _nats(one: Cell, other: Cell) -> float:
    return one.nlpd - other.nlpd


def _verdict(value: float, met: Callable[[float], bool] | None, unit: str) -> str:
    if not np.isfinite(value):
        return "not run"
    words = "" if met is None else ", met" if met(value) else ", **not met**"
    return f"{value:.3f}{unit}{words}"


def _spread(cells: Sequence[Cell], name: str) -> str:
    values = np.array([getattr(cell, name) for cell in cells])
    return f"{digits(float(values.mean()))} ± {float(f'{values.std():.2g}'):g}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
