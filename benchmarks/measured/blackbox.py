"""CIGAR: experts that only answer queries, beside a loop written from the formulas, with the same directions."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

import numpy as np

from coolgp.agents.blocks import on_cores
from coolgp.agents.experts.expert import Regressor
from coolgp.agents.experts.queries.black_box import BlackBox
from coolgp.agents.experts.task import Task
from coolgp.fusion.blackbox.group import Group, GroupAnswer
from coolgp.fusion.blackbox.online import online_group
from coolgp.network.base.randomness import generator
from coolgp.network.graphs.generate import generate

from benchmarks.limits import measure_limits
from benchmarks.plain.blackbox import climbed
from benchmarks.results import Measurement, Row, Value, seconds, single
from benchmarks.timing import Effort, contest
from benchmarks.work import Array

__all__ = ["WIDTH", "by_coolgp", "drawn", "group_of", "measure"]

NOTES = (
    "m Gaussian experts, each with its agent on a ring, answer log densities at Q inputs. What experts need themselves "
    "is not timed: their means and standard deviations were asked for before, and are remembered.",
    "`published`: one-sided differences in K = 10 random directions, steps of sign(g)/√t. `scale-free`: two-sided ones "
    "in 10 directions, and second differences, steps of g/(Λ√t). Every agent starts at its own expert's mean, so each "
    "expert answers at m points for each input.",
    "coolgp's time has all messages along the spanning tree of the ring in it; the plain loop adds in one place. Both "
    "use the same directions and end at the same predictions (a test compares them). One core.",
)
WIDTH, DRAWS = 0.1, 10


def measure(quick: bool) -> Measurement:
    """Time coolgp and the plain loop."""
    limits = measure_limits(quick)
    sizes = [(3, 20, 4)] if quick else [(10, 100, 40), (10, 1000, 40), (30, 1000, 10)]
    rows: list[Row] = []
    for experts, inputs, iterations in sizes:
        for step in ("published", "scale-free"):
            case: dict[str, Value] = {"step": step, "m": experts, "Q": inputs, "iterations": iterations}
            print(f"blackbox: {case}", file=sys.stderr)
            rows += _contest(case, Effort(2, 0.005) if quick else Effort(3, 0.25))
    return Measurement(tuple(rows), limits, NOTES)


def drawn(seed: int, experts: int, inputs: int) -> tuple[Array, Array]:
    """Means and standard deviations ``[m, Q]`` of experts."""
    rng = generator(seed, "experts")
    return rng.normal(size=(experts, inputs)), rng.uniform(0.5, 2.0, size=(experts, inputs))


def group_of(mean: Array, std: Array) -> tuple[Group, Array]:
    """Experts that say these at the inputs ``[Q, 1]``, which are returned too; they have been asked already."""
    inputs = np.arange(mean.shape[1], dtype=float)[:, None]
    experts = [
        Regressor(f"expert {i}", lambda x, i=i: (mean[i, x[:, 0].astype(int)], std[i, x[:, 0].astype(int)]))  # type: ignore[misc]
        for i in range(len(mean))
    ]
    boxes = tuple(BlackBox(expert, queries=None, batch=len(inputs)) for expert in experts)
    for box in boxes:
        box.predict(inputs)
    return Group(boxes, generate("ring", len(boxes), seed=0), Task()), inputs


def by_coolgp(group: Group, inputs: Array, step: str, iterations: int) -> GroupAnswer:
    """What coolgp predicts, and what it sent."""
    estimator = {"published": "forward", "scale-free": "antithetic"}[step]
    settings = {"step": step, "estimator": estimator, "draws": DRAWS, "iterations": iterations, "width": WIDTH}
    return online_group(group, inputs, settings).answer(inputs)


def _contest(case: dict[str, Value], effort: Effort) -> list[Row]:
    experts, inputs, iterations = (int(case[name]) for name in ("m", "Q", "iterations"))
    step, (mean, std) = str(case["step"]), drawn(0, experts, inputs)
    group, x = group_of(mean, std)
    plain = partial(climbed, mean, std, iterations, DRAWS, WIDTH, published=step == "published")
    works: dict[str, Callable[[], object]] = {
        "coolgp": partial(by_coolgp, group, x, step, iterations),
        "plain loop": plain,
    }
    with on_cores(1):
        times = contest(works, effort)
    sent = by_coolgp(group, x, step, iterations).trace[-1]["bytes"]
    rows = [seconds(case, who, "fusion", timing) for who, timing in times.items()]
    return [*rows, single(case, "coolgp", "bytes of messages", "B", float(sent))]
