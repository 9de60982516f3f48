"""Batches of rows that were dealt: each agent observes its own, shuffled or in the order of the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coolgp.agents.base.arrays import Array
from coolgp.agents.batches import Batch, Deferred
from coolgp.network.base.randomness import generator
from coolgp.network.shard import Shard
from coolgp.scenarios.base.arrays import Floats, Ints
from coolgp.scenarios.data.scaler import Scaler
from coolgp.scenarios.data.table import misshapen

__all__ = ["Dealt", "DealtStream"]


@dataclass(frozen=True)
class Dealt:
    """Training rows that all exist before the run, each with the agent that observes it."""

    x: Floats
    """`[n,D]`"""
    y: Floats
    """`[n]`"""
    owner: Ints
    """`[n]`, the agent in `[0,N)` that observes each row."""
    in_order: bool = False
    """Whether rows are observed in the order of the file: the pilot is then the first of them, not random ones."""

    @property
    def most(self) -> int:
        """See :class:`Training`."""
        return int(np.bincount(self.owner).max())

    def pilot(self, count: int, seed: int) -> tuple[Floats, Floats, Ints]:
        """See :class:`Training`."""
        rows = self._order("pilot", seed)[:count]
        return self.x[rows], self.y[rows], self.owner[rows]

    def own_rows(self, agents: int, count: int, seed: int) -> Iterator[Floats]:
        """See :class:`Training`."""
        order = self._order("own rows", seed)
        by_agent = order[np.argsort(self.owner[order], kind="stable")]
        ends = np.cumsum(np.bincount(self.owner, minlength=agents))
        return (self.x[rows[:count]] for rows in np.split(by_agent, ends[:-1]))

    def stream(self, shard: Shard, scaler: Scaler, batch_size: int, seed: int) -> DealtStream:
        """The order is one permutation of all rows, so it does not depend on which rank an agent lives on."""
        agents, shuffled = shard.agents, self._order("stream", seed)
        by_agent = shuffled[np.argsort(self.owner[shuffled], kind="stable")]
        count = np.bincount(self.owner, minlength=int(agents.max(initial=-1)) + 1)
        first = np.concatenate([[0], np.cumsum(count)])
        start = np.concatenate([[0], np.cumsum(count[agents])])
        within = np.arange(start[-1]) - np.repeat(start[:-1], count[agents])
        mine = by_agent[np.repeat(first[agents], count[agents]) + within]
        return DealtStream(
            x=scaler.inputs(self.x), y=scaler.target(self.y), rows=mine, start=start, batch_size=batch_size
        )

    def _order(self, purpose: str, seed: int) -> Ints:
        rows = len(self.y)
        return np.arange(rows) if self.in_order else generator(seed, purpose).permutation(rows)

    def identity(self) -> tuple[NDArray[Any], ...]:
        """See :class:`Training`."""
        return self.x, self.y, self.owner

    def problems(self, agents: int, width: int) -> list[str]:
        """See :class:`Training`."""
        rows = len(self.y)
        wanted: dict[str, tuple[NDArray[Any], tuple[int, ...]]] = {
            "x": (self.x, (rows, width)),
            "y": (self.y, (rows,)),
            "owner": (self.owner, (rows,)),
        }
        problems = misshapen({f"training.{name}": value for name, value in wanted.items()})
        if not problems and rows and not 0 <= self.owner.min() <= self.owner.max() < agents:
            problems.append(f"owner: needed agents in [0, {agents}), got {self.owner.min()}..{self.owner.max()}")
        return problems


@dataclass(frozen=True)
class DealtStream:
    """The rows of this rank's agents: ``x [n, D]``, ``y [n]`` scaled; agent a's are ``rows[start[a]:start[a+1]]``."""

    x: Array
    y: Array
    rows: Ints
    start: Ints
    batch_size: int

    def batch(self, turn: int) -> Deferred:
        """The batch of round ``turn`` (from 0), picked out of all rows where it is observed."""
        left = np.diff(self.start) - turn * self.batch_size
        return Deferred(rows=self.batch_size, count=np.clip(left, 0, self.batch_size), make=partial(self._picked, turn))

    def _picked(self, turn: int, agents: slice | Ints) -> Batch:
        """Some agents' rows; those that an agent has no more of are masked."""
        place = self.start[:-1][agents][:, None] + turn * self.batch_size + np.arange(self.batch_size)
        mask = place < self.start[1:][agents][:, None]
        rows = self.rows[np.where(mask, place, 0)] if self.rows.size else np.zeros_like(place)
        return Batch(self.x[rows], np.where(mask, self.y[rows], 0.0), mask.astype(float))
