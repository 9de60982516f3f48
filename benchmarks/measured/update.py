"""The online update: every agent takes in a batch, with fixed hyper-parameters, on one core."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from itertools import product

from coolgp.agents.blocks import on_cores
from coolgp.agents.population import FOLD_ROWS

from benchmarks import engine, work
from benchmarks.limits import measure_limits
from benchmarks.peers.call import ask
from benchmarks.plain import agents as plain
from benchmarks.results import Measurement, Row, Value, rate
from benchmarks.timing import Effort, contest

__all__ = ["NOTES", "bytes_moved", "flops", "measure", "shortest"]

NOTES = (
    "One update is one agent taking in one batch of B rows with 7 inputs under fixed hyper-parameters, which all "
    "agents share: the sums of κκᵀ [m, m] and κy [m] grow. The agents together do not fit the cache. One core.",
    "Every agent takes in several batches one after another, some 256 rows; the clock stops when all of them are in "
    "the agents' sums. `coolgp` observes them as a run does: rows wait and are folded into the sums together, of "
    "features whitened by the Cholesky factor of the inducing inputs' kernel matrix (for 5 more digits, a triangular "
    "product that the loop does not need: as much arithmetic as its sums). `coolgp, kernel` (`[agents] coordinates`) "
    "sums κκᵀ itself, as the loop does. `coolgp, at once` adds each whitened batch to the sums before the next comes. "
    "B = 1 is a stream of single observations, and counts these.",
    "The plain loop has one object an agent with full matrices and a Python loop over them, on NumPy's BLAS.",
    "GPflow (compiled) and GPyTorch take one natural-gradient step of size 1 on the batch: the general method, which "
    "serves other likelihoods and trainable hyper-parameters too. With Gaussian noise and all hyper-parameters fixed a "
    "closed form does the same, and coolgp and the plain loop use it. A step also forms the posterior, m³ beside m²B; "
    "sums wait until it is asked for. scikit-learn has no update: it is refitted, exactly, to its last 1,000 rows.",
    "The limit adds up what cannot be left out: half of the products for κκᵀ and all for κ at the measured rate of "
    "gemm, exponentials at theirs, one read and one write of packed sums at the rate of copying.",
)
ROWS = FOLD_ROWS
"""Rows that an agent takes in while the clock runs, in as many whole batches as fit."""
BYTES = 8e7
"""Bytes of the agents' matrices together: more than the caches hold."""


def measure(quick: bool) -> Measurement:
    """Time coolgp, the plain loop and other libraries."""
    limits = measure_limits(quick)
    sizes, batches = ((8, 16), (1, 4)) if quick else ((50, 100, 200), (1, 20, 32))
    effort = Effort(2, 0.005) if quick else Effort(5, 0.25)
    precisions = ("float64", "float32")
    cases: list[dict[str, Value]] = [{"m": m, "B": b, "dtype": d} for d, m, b in product(precisions, sizes, batches)]
    rows: list[Row] = []
    skipped: dict[str, str] = {}
    for case in cases:
        print(f"update: {case}", file=sys.stderr)
        agents = 4 if quick else int(BYTES / (8 * int(case["m"]) ** 2))
        rows += _both(case, limits, effort, agents)
    asked = [case for case in cases if case["dtype"] == "float64" and case["B"] != batches[1]]
    for peer in ("gpflow", "gpytorch", "scikit-learn"):
        answers = ask(peer, "update", asked, effort, window=50 if quick else 1000)
        skipped.update(answers.refused)
        rows += [rate(case, peer, _what(case), timing, 1) for case, timing in answers.timings]
    order = {tuple(case.items()): place for place, case in enumerate(cases)}
    rows.sort(key=lambda row: order[tuple(row.case.items())])
    return Measurement(tuple(rows), limits, NOTES, skipped)


def flops(m: int, b: int) -> float:
    """Sums and products of an update that cannot be left out, exponentials apart: half of κκᵀ, all of κ and of κy."""
    return b * m * (m + 1) + 2 * b * m * work.INPUTS + 2 * b * m


def bytes_moved(m: int, b: int, width: int) -> float:
    """Bytes of an update that cannot be left out: packed sums read and written, the batch read; width of a number."""
    return width * (2 * (m * (m + 1) // 2 + m) + b * (work.INPUTS + 1))


def shortest(m: int, b: int, dtype: str, limits: dict[str, float], rounds: int = 1) -> float:
    """Seconds that an agent needs at least for so many batches, taken in together."""
    gemm, exp, width = ("dgemm", "exp", 8) if dtype == "float64" else ("sgemm", "exp32", 4)
    rows = b * rounds
    return flops(m, rows) / limits[gemm] + rows * m / limits[exp] + bytes_moved(m, rows, width) / limits["copy"]


def _both(case: dict[str, Value], limits: dict[str, float], effort: Effort, agents: int) -> list[Row]:
    m, b, dtype = int(case["m"]), int(case["B"]), str(case["dtype"])
    rounds = ROWS // b
    data = work.stream(agents, b * rounds, m)
    x, y = data.x.astype(dtype), data.y.astype(dtype)
    parts = [slice(start, start + b) for start in range(0, b * rounds, b)]
    batches = [engine.batch_of(x[:, rows].copy(), y[:, rows].copy()) for rows in parts]
    fewer = agents if b > 1 else max(1, agents // 8)  # of a long stream the loop does a part, with more of it in cache
    loop = [plain.Agent(data.inducing.astype(dtype)) for _ in range(fewer)]
    works: dict[str, Callable[[], object]] = {"plain loop": partial(_loop, loop, x[:fewer], y[:fewer], parts)}
    works["coolgp"] = partial(engine.take_in, engine.population(agents, data.inducing, dtype), batches)
    if dtype == "float64":  # in single precision such sums are too coarse to form a posterior from
        plainly = engine.population(agents, data.inducing, dtype, "kernel")
        works["coolgp, kernel"] = partial(engine.take_in, plainly, batches)
    if b > 1:
        works["coolgp, at once"] = partial(engine.at_once, engine.population(agents, data.inducing, dtype), batches)
    with on_cores(1):
        times = contest(works, effort)
    return [
        rate(
            case,
            who,
            _what(case),
            timing,
            rounds * (fewer if who == "plain loop" else agents),
            _best(m, b, dtype, limits, 1 if who in ("plain loop", "coolgp, at once") else rounds),
        )
        for who, timing in times.items()
    ]


def _best(m: int, b: int, dtype: str, limits: dict[str, float], rounds: int) -> float:
    """Batches a second at the limit, where so many are folded together."""
    return rounds / shortest(m, b, dtype, limits, rounds)


def _loop(agents: list[plain.Agent], x: work.Array, y: work.Array, parts: list[slice]) -> None:
    for rows in parts:
        for agent, inputs, values in zip(agents, x, y, strict=True):
            agent.observe(inputs[rows], values[rows])


def _what(case: dict[str, Value]) -> str:
    return "observations" if case["B"] == 1 else "agent-updates"
