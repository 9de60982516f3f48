"""Observations that are no numbers with Gaussian noise: agents write them as Gaussian rows, by what they believe.

A row's stand-in depends on what its agent believed when it was written. Rows that an agent keeps are written anew in
every round, under its latest belief: where all are kept, and all agents share one belief, rounds are the steps of
batch variational inference on the rows of all agents (coordinate ascent), whoever holds which. Rows that are not kept
stand as they were written last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from coolgp.agents.base.failures import Indefinite
from coolgp.agents.batches import Batch, Observations, StandIn, gathered, joined, map_batches, stood_in
from coolgp.agents.population import Population, observe
from coolgp.agents.predictive_scores import predict_rows
from coolgp.agents.statistics import Evidence

__all__ = ["take_in", "written"]

Beliefs: TypeAlias = Callable[[slice], Evidence]
"""The evidence, in common coordinates, that some agents know."""


def take_in(population: Population, batch: Observations, beliefs: Beliefs) -> Population:
    """Give every agent a batch; where stand-ins depend on beliefs, this one and those that wait are written by them.

    A batch without rows waits as well: sums have the same bits whoever shares a process with whom.
    """
    if not population.model.likelihood.reweighs:
        return observe(population, batch)
    rows = [*(waiting[:] for waiting in population.waiting), gathered(batch, population.size)]
    return replace(population, waiting=written(population, rows, beliefs))


def written(population: Population, batches: Sequence[Batch], beliefs: Beliefs) -> tuple[Batch, ...]:
    """The batches with the Gaussian rows that stand for them under what agents believe, whose posteriors form once.

    Raises Indefinite, naming the agent's row on this rank.
    """
    model, plain = population.model, [replace(batch, stand_in=None) for batch in batches]
    whole = joined(plain, slice(None))
    target, root = np.zeros_like(whole.y), np.zeros_like(whole.y)

    def write(agents: slice, some: Batch) -> None:
        try:
            seen = predict_rows(model, population.theta[agents], beliefs(agents), some.x)
        except Indefinite as failure:
            raise Indefinite(agents.start + failure.row, failure.lowest) from None
        targets, weights = model.likelihood.as_gaussian(some.y, seen.mean, seen.variance)
        target[agents], root[agents] = targets, np.sqrt(weights)

    map_batches(write, [whole], population.size, 8 * model.inducing * (model.inducing + 3 * whole.rows))
    return stood_in(plain, StandIn(target, root))
