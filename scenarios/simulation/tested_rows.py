"""Which test rows the probes are asked at: a fixed subset in rounds between, all of them after the last round.

``[run] evaluate_rows = "auto"`` chooses so many that evaluating the probes takes no more time than learning and fusion.
It follows from the sizes of a run alone, never from a clock, so that it is the same on any machine and any number of
ranks. What a round and a test row take was fitted to measured seconds (airline, M = 100 to 500, 5 to 50 rows a round;
`docs/performance.md` has the seconds of whole runs), learning on the low side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from coolgp.agents.readout import FEW
from coolgp.fusion.rule import has_evidence
from coolgp.network.base.randomness import generator
from coolgp.scenarios.base.arrays import Ints
from coolgp.scenarios.config.scenario import Scenario
from coolgp.scenarios.simulation.network import Plan

__all__ = ["LEAST", "Work", "choose_tested", "evaluated_count", "work_of"]

LEAST = 500
"""Test rows that "auto" takes at least: an RMSE of so many is known to 3 %, and rounds share the rows."""
STEP = 100
"""Subsets are multiples of it."""

FIXED, LEARNED = (70.0, 2.0), (250.0, 5.0)
"""Multiplications of an agent in a round: of each pair of inducing inputs, and of each of these for each row; with
hyper-parameters that stay and with those that are learned."""
OWN_HYPERPARAMETERS = 10.0
"""Of three inducing inputs, where each agent forms a posterior of its own hyper-parameters."""
SENT = 2.0
"""Of each number in a message."""
KERNEL, SCORES = 40.0, 200.0
"""Of the kernel at a test row and an inducing input; of the scores of a probe at a test row."""


@dataclass(frozen=True)
class Work:
    """Multiplications of a run: of learning and fusion in a round, and of the probes at one test row.

    last: of the probes at one test row after the last round, when agents have seen most.
    """

    round: float
    row: float
    last: float


def work_of(scenario: Scenario, network: Plan, agents: int, rounds: int, messages: float | None = None) -> Work:
    """The work of a run with so many agents and rounds of learning.

    messages: of a communication round, where the plan is of a smaller network.
    """
    of_agents, size, batch = scenario.agents, scenario.agents.inducing, scenario.agents.batch_size
    learns, alike = of_agents.hyperparameters != "fixed", of_agents.hyperparameters != "local"
    pairs, rows = LEARNED if learns else FIXED
    learning = agents * size**2 * (pairs + rows * batch + (0.0 if alike else OWN_HYPERPARAMETERS * size))
    per_step = scenario.fusion.rounds_per_step
    exchanges = (network.guarantee.rounds or 1) if isinstance(per_step, str) else per_step
    sending = exchanges * (network.guarantee.messages if messages is None else messages) * SENT * size**2 / 2.0
    probes = min(scenario.run.probes, agents)

    def row(seen: float) -> float:
        """Of the probes at one test row after so many rows of each agent."""
        alone = 2.0 * size * (seen if seen < FEW * size else 1.5 * size)
        kernels = KERNEL * size
        if not has_evidence(network.rule):  # all agents predict
            return agents * (alone + (0.0 if alike else kernels)) + kernels
        fused = 3.0 * size**2
        agree = alike and network.guarantee.kind == "exact"
        return probes * (alone + SCORES) + (1 if agree else probes) * fused + (1 if alike else probes) * kernels

    return Work(learning + sending / scenario.fusion.every, row(0.5 * batch * rounds), row(float(batch * rounds)))


def evaluated_count(setting: int | Literal["auto", "all"], tests: int, work: Work, rounds: int, interval: int) -> int:
    """How many of so many test rows the probes are asked at in rounds between.

    >>> work = Work(round=1e9, row=1e6, last=1e6)  # all is learned in 10 s, and 10,000 rows are asked in as many
    >>> evaluated_count("auto", 10_000, work, rounds=100, interval=1)
    900
    >>> evaluated_count("auto", 10_000, work, rounds=100, interval=10)
    10000
    """
    between = -(-rounds // interval) - 1
    if setting == "all" or between < 1:
        return tests
    if setting != "auto":
        return min(setting, tests)
    left = work.round * rounds - work.last * tests
    fits = int(left / (between * work.row)) // STEP * STEP
    return min(max(fits, LEAST), tests)


def choose_tested(count: int, tests: int, probes: Ints, owner: Ints | None, seed: int) -> Ints:
    """So many test rows of ``[Q]``, ascending; the same for a seed on all ranks.

    owner ``[Q]``: whose each row is, where probes ``[probes]`` are asked at their own alone: each keeps one at least.
    """
    order = generator(seed, "evaluated rows").permutation(tests)
    if owner is None or count >= tests:
        return np.sort(order[:count]).astype(np.int64)
    theirs = order[np.isin(owner[order], probes)]
    _, first = np.unique(owner[theirs], return_index=True)
    return np.union1d(theirs[:count], theirs[first]).astype(np.int64)
