"""Whose evidence is in an average, and how often: what keeps rules that average from counting anyone twice.

An estimate of the mean times N is the sum over all agents only where all have been mixed in equally. Before that it
counts the agent itself, and those it heard of last, many times. So each agent carries one more number for every agent:
its observations. They are mixed with the same weights as the evidence, and say how often an agent's evidence is in the
product with N; it is divided by the largest of these numbers, so that nobody's is counted more than once.
"""

from __future__ import annotations

import numpy as np

from coolgp.agents.base.arrays import Array

__all__ = ["MOST_SHARES", "counted_shares", "share_scale", "with_amounts"]

MOST_SHARES = 512
"""Agents up to whom shares are carried: they double the rows of small models, and grow with the number of agents."""
NO_DATA = 1e-6
"""Observations of an agent that has none: a share of theirs can be told nevertheless."""


def with_amounts(rows: Array, observations: Array, agents: Array, size: int, room: Array | None = None) -> Array:
    """Rows ``[A, P]`` with the observations ``[A]`` of each agent (global id ``[A]``) behind them, ``[A, P + N]``.

    >>> with_amounts(np.zeros((2, 1)), np.array([3.0, 5.0]), np.array([0, 1]), 2).tolist()
    [[0.0, 3.0, 0.0], [0.0, 0.0, 5.0]]
    """
    width = rows.shape[1]
    wide = np.zeros((len(rows), width + size), dtype=rows.dtype) if room is None else room
    wide[:, :width] = rows
    wide[np.arange(len(rows)), width + agents] = np.maximum(observations, NO_DATA)
    return wide


def share_scale(amounts: Array, totals: Array, slack: float) -> Array:
    """What sums ``[A', P]`` are multiplied by so that nobody is counted more than once, ``[A', 1]``, at most 1.

    amounts ``[A', N]``: of observations, in the sums; totals ``[A', N]``: observed. slack: by which a share may be
    above 1 where all are mixed in but for rounding.

    >>> share_scale(np.array([[6.0, 0.0], [3.0, 5.0]]), np.array([[3.0, 5.0]]), 1e-9).tolist()
    [[0.5], [1.0]]
    """
    with np.errstate(invalid="ignore", over="ignore"):
        most = (amounts / totals).max(axis=1, keepdims=True)
        scale: Array = np.where(most > 1.0 + slack, 1.0 / most, 1.0)  # what is no number is left to what looks for it
    return scale.astype(amounts.dtype, copy=False)


def counted_shares(amounts: Array, totals: Array, slack: float) -> Array:
    """How many agents are in the scaled sums, ``[A']``: the sum of all shares, each at most 1."""
    shares = share_scale(amounts, totals, slack) * amounts / totals
    counted: Array = np.clip(shares, 0.0, 1.0).sum(axis=1)
    return counted
