"""A warm start from the models of others: what a newcomer waits for, by steps."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from coolgp.agents.blocks import on_cores
from coolgp.agents.kernels.registry import KERNELS
from coolgp.agents.sparse.collapsed import posterior_of
from coolgp.agents.sparse.gp import SparseGP
from coolgp.fusion.personalise.choice import personalise
from coolgp.fusion.personalise.learning import learn
from coolgp.fusion.personalise.relations import World, drawn_world
from coolgp.network.base.randomness import generator

from benchmarks.limits import measure_limits
from benchmarks.results import Measurement, Row, Value, seconds
from benchmarks.timing import Effort, contest
from benchmarks.work import Array

__all__ = ["experts_of", "measure", "newcomer"]

NOTES = (
    "Experts are sparse GPs with M inducing inputs each, whose tasks have a mean and deviations; the newcomer has 20 "
    "rows. `personalise` is the whole call: common inducing inputs, carried evidence, EM with 7 shrinkages on 5 folds "
    "and 10 steps with the best, the mixture, rows left out. `EM` is that part alone, about M inputs. One core.",
    "Inputs are `common`, the same of all experts, or each expert's `own`: then there are 2 M common ones, and nearly "
    "eight times the work.",
)
ROWS = 20


def measure(quick: bool) -> Measurement:
    """Time the call and its greatest part."""
    limits = measure_limits(quick)
    sizes = (
        [(6, 8, "common"), (6, 8, "own")] if quick else [(50, 100, "common"), (50, 100, "own"), (1000, 100, "common")]
    )
    rows: list[Row] = []
    for count, size, inputs in sizes:
        case: dict[str, Value] = {"experts": count, "M": size, "inputs": inputs}
        print(f"personalise: {case}", file=sys.stderr)
        world = drawn_world("deviations", count, 1, size, generator(0, "experts", round=count))
        evidence = world.evidence(np.full(count, 3 * size))
        works: dict[str, Callable[[], object]] = {
            "personalise": partial(personalise, experts_of(world, count, own=inputs == "own"), *newcomer(world, count)),
            "EM": partial(learn, evidence),
        }
        with on_cores(1):
            times = contest(works, Effort(2, 0.005) if quick else Effort(1 if count > 50 else 3, 0.25))
        rows += [seconds(case, "coolgp", what, timing) for what, timing in times.items()]
    return Measurement(tuple(rows), limits, NOTES)


def experts_of(world: World, count: int, own: bool = False) -> list[SparseGP]:
    """Models of the owners, each of three times as many rows as inducing inputs; these are common, or its own."""
    common, size = world.common, len(world.common.shift)
    at, experts = common.parameters, []
    for task in range(count):
        inputs = world.rng.uniform(size=(size, 2)) if own else at.inducing_inputs
        parameters = replace(at, inducing_inputs=inputs)
        x, y = world.rows(task, 3 * size)
        posterior = posterior_of(x, y, parameters, KERNELS[common.kernel], common.jitter)
        experts.append(SparseGP.of_posterior(posterior, 0.0, common.kernel, common.jitter))
    return experts


def newcomer(world: World, task: int) -> tuple[Array, Array]:
    """Rows of the task after the owners'."""
    return world.rows(task, ROWS)
