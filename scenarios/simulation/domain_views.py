"""What a few probes say of the whole domain after a round, asked for pictures alone; nothing else follows from it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from coolgp.agents.batches import Observations
from coolgp.agents.population import Population
from coolgp.fusion.rule import State
from coolgp.scenarios.base.arrays import Floats, Ints
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.simulation.evaluation import Evaluation
from coolgp.scenarios.simulation.state import Kept

__all__ = ["DomainViews", "domain_views"]

AGENTS = 4
"""Probes that are asked."""
SIDE = 48
"""Of the grid over a domain of two inputs."""
ROWS = 500
"""Test rows of another domain, at most."""


@dataclass(frozen=True)
class DomainViews:
    """Asks some probes at inputs ``x [V, D]``, in original units."""

    x: Floats
    evaluation: Evaluation

    def answers(self, population: Population, state: State, batch: Observations) -> Kept | None:
        """The answers on the root, None elsewhere. Collective."""
        probed = self.evaluation(population, state, batch)
        if probed is None:
            return None
        return Kept(agents=self.evaluation.probes, x=self.x, pre=probed.pre, post=probed.post)


def domain_views(evaluation: Evaluation, dataset: Dataset, tested: Ints) -> DomainViews:
    """A few probes of an evaluation, at the data's own views, a grid over two inputs, or else at some test rows.

    tested ``[Q']``: the test rows that probes are asked at between.
    """
    x = dataset.views
    if x is None:
        x = _grid(dataset.x_test) if dataset.x_test.shape[1] == 2 else dataset.x_test[tested[:: _step(len(tested))]]
    probes = evaluation.probes[:: -(-len(evaluation.probes) // AGENTS)]
    asked = replace(evaluation, x=evaluation.scaler.inputs(x), tested=np.arange(len(x), dtype=np.int64), probes=probes)
    return DomainViews(x, asked)


def _step(rows: int) -> int:
    return -(-rows // ROWS) or 1


def _grid(x: Floats) -> Floats:
    """A grid over the range of inputs ``x [Q, 2]``, along the first input first: ``[SIDE², 2]``."""
    first, second = (np.linspace(column.min(), column.max(), SIDE) for column in x.T)
    return np.stack(np.meshgrid(first, second), axis=-1).reshape(-1, 2)
