"""All agents of one rank as one record."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coolgp.agents.blocks import map_blocks
from coolgp.agents.kernels import Array
from coolgp.agents.model import Batch, Model
from coolgp.agents.statistics import Evidence, Statistics

__all__ = ["Population", "found", "observe_in_place"]


@dataclass(frozen=True)
class Population:
    """The ``A`` agents of one rank.

    statistics: their sums, encoded under anchor ``[A, K]``. theta ``[A, K]``: hyper-parameters. moments ``[A, 2, K]``:
    first and second moments of their gradients; steps: how many were taken. announced ``[A, C]``: what agents say
    beside their evidence. origin ``[K]``: the hyper-parameters that all started from.
    """

    model: Model
    statistics: Statistics
    theta: Array
    anchor: Array
    moments: Array
    announced: Array
    origin: Array
    steps: int = 0

    @property
    def size(self) -> int:
        """Number of agents ``A`` on this rank."""
        return int(self.theta.shape[0])

    def evidence(self, agents: slice | npt.NDArray[np.intp] | None = None) -> Evidence:
        """What the agents' own data say, ``[A]`` or those of some rows, in common coordinates."""
        where = slice(None) if agents is None else agents
        return self.model.encoding.evidence(self.model, self.theta[where], self.statistics[where])


def found(model: Model, theta: Array, agents: int) -> Population:
    """Agents that have seen nothing and all start from hyper-parameters ``θ [K]``."""
    start = np.tile(theta, (agents, 1))
    zeros = model.encoding.zeros(model, agents)
    return Population(
        model, zeros, start, start.copy(), np.zeros((agents, 2, theta.size)), np.empty((agents, 0)), theta
    )


def observe_in_place(population: Population, batch: Batch) -> None:
    """Add a batch to the sums of every agent, reusing their memory. COOL-GP (AAAI-19), equation 4."""
    model = population.model

    def add(agents: slice) -> None:
        increment = model.encoding.encode(model, population.theta[agents], batch[agents])
        population.statistics.add_in_place(agents, increment)

    map_blocks(add, population.size, model.inducing)
