"""All agents of one rank as one record, and the loop over blocks of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from coolgp.agents.kernels import Array
from coolgp.agents.model import Batch, Model
from coolgp.agents.statistics import Evidence, Statistics

__all__ = ["Population", "found", "map_blocks", "observe_in_place"]

Result = TypeVar("Result")
BLOCK_BYTES = 2**22
"""A block of agents is as many as fill this with one [M, M] array: a few of those fit the cache together."""


@dataclass(frozen=True)
class Population:
    """The ``A`` agents of one rank.

    statistics: their sums, encoded under anchor ``[A, K]``. theta ``[A, K]``: hyper-parameters. moments ``[A, 2, K]``:
    first and second moments of their gradients; steps: how many were taken. announced ``[A, C]``: what agents say
    beside their evidence.
    """

    model: Model
    statistics: Statistics
    theta: Array
    anchor: Array
    moments: Array
    announced: Array
    steps: int = 0

    @property
    def size(self) -> int:
        """Number of agents ``A`` on this rank."""
        return int(self.theta.shape[0])

    def evidence(self, agents: slice | None = None) -> Evidence:
        """What the agents' own data say, ``[A]`` or those of a slice, in common coordinates."""
        where = slice(None) if agents is None else agents
        return self.model.encoding.evidence(self.model, self.theta[where], self.statistics[where])


def found(model: Model, theta: Array, agents: int) -> Population:
    """Agents that have seen nothing and all start from hyper-parameters ``θ [K]``."""
    start = np.tile(theta, (agents, 1))
    zeros = model.encoding.zeros(model, agents)
    return Population(model, zeros, start, start.copy(), np.zeros((agents, 2, theta.size)), np.empty((agents, 0)))


def observe_in_place(population: Population, batch: Batch) -> None:
    """Add a batch to the sums of every agent, reusing their memory. COOL-GP (AAAI-19), equation 4."""
    model = population.model

    def add(agents: slice) -> None:
        increment = model.encoding.encode(model, population.theta[agents], batch[agents])
        population.statistics.add_in_place(agents, increment)

    map_blocks(add, population.size, model.inducing)


def map_blocks(work: Callable[[slice], Result], agents: int, inducing: int) -> list[Result]:
    """Apply ``work`` to blocks of agents that fit the cache, on the cores this rank may use; results in order."""
    width = max(1, BLOCK_BYTES // (8 * inducing**2))
    blocks = [slice(start, min(start + width, agents)) for start in range(0, agents, width)]
    if len(blocks) < 2 or _threads() < 2:
        return [work(block) for block in blocks]
    with ThreadPoolExecutor(_threads()) as pool:
        return list(pool.map(work, blocks))


def _threads() -> int:
    return int(os.environ.get("COOLGP_THREADS", "0")) or len(os.sched_getaffinity(0))
