"""Prediction: mean and variance at a batch of queries, from what an agent has taken in."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from coolgp.agents.blocks import on_cores

from benchmarks import engine, work
from benchmarks.limits import measure_limits
from benchmarks.peers.call import ask
from benchmarks.plain import agents as plain
from benchmarks.results import Measurement, Row, Value, rate
from benchmarks.timing import Effort, Timing, contest

__all__ = ["measure"]

NOTES = (
    "Mean and variance of the function at Q queries for one agent after the other, m = 100, 7 inputs, one core; a "
    "prediction is one query of one agent.",
    "`formed anew`: the agent has learned since it was asked, so the posterior is formed first, m³. `asked again`: "
    "nothing was learned in between, and what could be kept was kept: GPflow's `posterior()`, GPyTorch's caches, the "
    "plain loop's matrices, and what coolgp keeps of an agent that is asked alone.",
    "scikit-learn predicts from its last 1,000 rows exactly, formed once.",
)


def measure(quick: bool) -> Measurement:
    """Time coolgp, the plain loop and other libraries."""
    limits = measure_limits(quick)
    m, agents = (16, 2) if quick else (100, 20)
    effort = Effort(2, 0.005) if quick else Effort(5, 0.25)
    rows: list[Row] = []
    cases: list[dict[str, Value]] = [{"m": m, "Q": q} for q in ((1, 8) if quick else (1, 32, 1000))]
    for case in cases:
        rows += _both(case, agents, effort)
    skipped: dict[str, str] = {}
    for peer, verb, mode in (
        *(("gpflow", "predict", "formed anew"), ("gpflow", "again", "asked again")),
        *(("gpytorch", "predict", "formed anew"), ("gpytorch", "again", "asked again")),
        ("scikit-learn", "predict", "asked again"),
    ):
        answers = ask(peer, verb, cases, effort, window=50 if quick else 1000)
        skipped.update(answers.refused)
        rows += [rate(case | {"posterior": mode}, peer, *_of(case, timing)) for case, timing in answers.timings]
    rows.sort(key=lambda row: (row.case["Q"], row.case["posterior"]))
    return Measurement(tuple(rows), limits, NOTES, skipped)


def _both(case: dict[str, Value], agents: int, effort: Effort) -> list[Row]:
    m, queries = int(case["m"]), int(case["Q"])
    data = work.stream(agents, 100, m, queries)
    prior = plain.prior_of(data.inducing)
    loop = [plain.Agent(data.inducing) for _ in range(agents)]
    for agent, x, y in zip(loop, data.x, data.y, strict=True):
        agent.observe(x, y)
        agent.believe(*prior)
    ours = engine.population(agents, data.inducing)
    engine.take_in(ours, [engine.batch_of(data.x, data.y)])
    works: dict[tuple[str, str], Callable[[], object]] = {
        ("coolgp", "formed anew"): partial(engine.forecast, ours, data.queries),
        ("coolgp", "asked again"): partial(engine.forecast, ours, data.queries, slice(0, 1)),
        ("plain loop", "formed anew"): partial(_loop, loop, data.queries, prior),
        ("plain loop", "asked again"): partial(_loop, loop, data.queries, None),
    }
    with on_cores(1):
        times = contest({" | ".join(key): one for key, one in works.items()}, effort)
    asked = {key: 1 if key == ("coolgp", "asked again") else agents for key in works}
    return [
        rate(case | {"posterior": mode}, who, *_of(case, times[f"{who} | {mode}"], asked[who, mode]))
        for who, mode in works
    ]


def _of(case: dict[str, Value], timing: Timing, agents: int = 1) -> tuple[str, Timing, float]:
    return "predictions", timing, int(case["Q"]) * agents


def _loop(agents: list[plain.Agent], x: work.Array, prior: tuple[work.Array, work.Array] | None) -> None:
    for agent in agents:
        if prior is not None:
            agent.believe(*prior)
        agent.predict(x)
