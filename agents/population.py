"""All agents of one rank as one record."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.batches import Batch, Observations, joined, map_batches
from coolgp.agents.features.basis import FunctionBasis
from coolgp.agents.model import Model
from coolgp.agents.statistics import Evidence, Statistics, widened

__all__ = ["Population", "extended", "fold", "forgotten", "new_population", "observe", "observe_in_place"]


FOLD_ROWS = 256
"""Rows of an agent that wait to be folded into its sums together: one product for all of them is far cheaper."""


@dataclass(frozen=True)
class Population:
    """The ``A`` agents of one rank.

    statistics: their sums, encoded under anchor ``[A, K]``. theta ``[A, K]``: hyper-parameters. moments ``[A, 2, K]``:
    first and second moments of their gradients; steps: how many were taken. announced ``[A, C]``: numbers that
    agents send beside their evidence. origin ``[K]`` or ``[A, K]``: the hyper-parameters that they started from.
    waiting: batches that are not yet part of the sums; keeps: newest rows of an agent that wait for good, because what
    stands for them changes, see :mod:`coolgp.fusion.weighing`. told ``[A, 2]``: logarithms of the signal and noise
    variance by which the evidence that agents send is scaled. candidate ``[A, K]``: hyper-parameters on trial; trial
    ``[A, 7]``: see :mod:`coolgp.agents.trial`.
    """

    model: Model
    statistics: Statistics
    theta: Array
    anchor: Array
    moments: Array
    announced: Array
    origin: Array
    told: Array
    candidate: Array
    trial: Array
    steps: int = 0
    waiting: tuple[Observations, ...] = ()
    keeps: float = 0

    @property
    def size(self) -> int:
        """Number of agents ``A`` on this rank."""
        return int(self.theta.shape[0])

    @property
    def start(self) -> Array:
        """The hyper-parameters ``[A, K]`` that each agent started from."""
        return np.broadcast_to(self.origin, self.theta.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The precision of sums and messages; hyper-parameters are double."""
        return self.statistics.rows.dtype

    def packed(self, agents: slice | Indices, out: Array | None = None) -> Array:
        """Evidence of some agents' data as they send it, one packed row each ``[A', P]``, in common coordinates.

        It is scaled by the variances under which it is told. out: where it is written.
        """
        return self.model.encoding.of(agents).packed(self.model, self.teller(agents), self.sums(agents), out)

    def sums(self, agents: slice | Indices) -> Statistics:
        """Sums of some agents, the batches that wait among them."""
        statistics = self.statistics[agents]
        if not self.waiting:
            return statistics
        encoding = self.model.encoding.of(agents)
        fresh = encoding.encode(self.model, self.theta[agents], joined(self.waiting, agents))
        return Statistics(statistics.rows + fresh.rows)

    def evidence(self, agents: slice | Indices | None = None) -> Evidence:
        """Evidence of agents' data under their own hyper-parameters, for all agents by default."""
        some = slice(None) if agents is None else agents
        return self.heard(Evidence.unpack(self.packed(some), self.model.inducing), some)

    def heard(self, told: Evidence, agents: slice | Indices) -> Evidence:
        """Evidence ``[A']`` as agents tell it, scaled by the variances that these agents now have."""
        return self.model.reread(told, self.teller(agents), self.theta[agents])

    def teller(self, agents: slice | Indices) -> Array:
        """Hyper-parameters ``[A', K]`` under which some agents tell their evidence."""
        return np.concatenate([self.theta[agents, :-2], self.told[agents]], axis=1)


def new_population(model: Model, theta: Array, agents: int, dtype: type[np.floating[Any]] = np.float64) -> Population:
    """Agents without data that start from ``θ``: one vector ``[K]`` for all, or ``[A, K]``.

    dtype: of their sums.
    """
    start = np.broadcast_to(theta, (agents, theta.shape[-1])).copy()
    zeros = model.encoding.zeros(model, agents, dtype)
    return Population(
        model=model,
        statistics=zeros,
        theta=start,
        anchor=start.copy(),
        moments=np.zeros((agents, 2, start.shape[1])),
        announced=np.empty((agents, 0)),
        origin=theta,
        told=start[:, -2:].copy(),
        candidate=start.copy(),
        trial=np.zeros((agents, 7)),
    )


def observe(population: Population, batch: Observations) -> Population:
    """Give every agent a batch, which waits until many rows have come together. Reuses the sums' memory."""
    waiting = (*population.waiting, batch)
    grown = replace(population, waiting=waiting)
    return fold(grown) if sum(observations.rows for observations in waiting) >= FOLD_ROWS else grown


def fold(population: Population) -> Population:
    """Make the batches that wait part of the sums, reusing their memory; but for the newest rows that agents keep."""
    rows = np.cumsum([batch.rows for batch in population.waiting[::-1]])
    older = len(rows) - int(np.count_nonzero(rows <= population.keeps))
    if not older:
        return population
    observe_in_place(population, *population.waiting[:older])
    return replace(population, waiting=population.waiting[older:])


def forgotten(population: Population, share: float) -> Population:
    """The same agents, whose sums so far count by this share from now on, in (0, 1]; reuses the sums' memory.

    Where that is done once a round, sums are ``Σ share^age`` times what each round brought: exponential forgetting, as
    in recursive least squares (Haykin, Adaptive Filter Theory, chapter 9). They stay sums, and fusing them a sum.
    """
    if share == 1:
        return population
    older = fold(population)  # what waits is older than what comes next
    np.multiply(older.statistics.rows, share, out=older.statistics.rows)
    return older


def extended(population: Population, inputs: Array) -> Population:
    """The same agents with more inducing inputs ``[J, D]``, about which their sums have no information yet.

    Information about the earlier ones is unchanged; waiting batches will be folded with all of them.
    """
    model, rows = population.model, population.statistics.rows
    assert isinstance(model.basis, FunctionBasis)
    larger = replace(model, basis=model.basis.extended(inputs))
    statistics = Statistics(widened(rows, model.inducing, len(inputs)))
    return replace(population, model=larger, statistics=statistics)


def observe_in_place(population: Population, *batches: Observations) -> None:
    """Add batches to the sums of every agent, reusing their memory. COOL-GP (AAAI-19), equation 4."""
    model, rows = population.model, sum(batch.rows for batch in batches)

    def add(agents: slice, batch: Batch) -> None:
        increment = model.encoding.of(agents).encode(model, population.theta[agents], batch)
        population.statistics.rows[agents] += increment.rows

    width = model.inducing + 1
    map_batches(add, batches, population.size, population.dtype.itemsize * width * (rows + width))
