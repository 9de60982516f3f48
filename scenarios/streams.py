"""Who observes what, when: each agent takes its own rows in a shuffled order, one batch a round."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coolgp.agents.kernels import Array
from coolgp.agents.model import Batch
from coolgp.network.randomness import generator

__all__ = ["Stream", "open_stream"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Stream:
    """The rows of this rank's agents: ``x [n, D]``, ``y [n]`` scaled; agent a's are ``rows[start[a]:start[a+1]]``."""

    x: Array
    y: Array
    rows: Ints
    start: Ints
    batch_size: int

    def batch(self, turn: int) -> Batch:
        """The batch of round ``turn`` (from 0); rows that an agent has no more of are masked."""
        place = self.start[:-1, None] + turn * self.batch_size + np.arange(self.batch_size)
        mask = place < self.start[1:, None]
        rows = self.rows[np.where(mask, place, 0)] if self.rows.size else np.zeros_like(place)
        return Batch(self.x[rows], np.where(mask, self.y[rows], 0.0), mask.astype(float))


def open_stream(x: Array, y: Array, owner: Ints, agents: Ints, batch_size: int, seed: int) -> Stream:
    """The stream of the agents with global ids ``agents [A]`` among all rows ``x [n, D]``, ``y [n]``, ``owner [n]``.

    The order is one permutation of all rows, so it does not depend on which rank an agent lives on.
    """
    shuffled = generator(seed, "stream").permutation(len(y))
    by_agent = shuffled[np.argsort(owner[shuffled], kind="stable")]
    count = np.bincount(owner, minlength=int(agents.max(initial=-1)) + 1)
    first = np.concatenate([[0], np.cumsum(count)])
    start = np.concatenate([[0], np.cumsum(count[agents])])
    within = np.arange(start[-1]) - np.repeat(start[:-1], count[agents])
    return Stream(x, y, by_agent[np.repeat(first[agents], count[agents]) + within], start, batch_size)
