"""Whose evidence is in an average, and how often: what keeps rules that average from counting anyone twice.

An estimate of the mean times N is the sum over all agents only where all have been mixed in equally. Before that it
counts the agent itself, and those it heard of last, many times. So agents mix more numbers with the same weights as the
evidence: the observations of each agent, in a column of its own. These say how often an agent's evidence is in the
product with N, which is divided by the largest of these *shares*: nobody's evidence is counted more than once.

With more agents than columns, a column has the observations of a group of agents, drawn at random. The largest share
is then known by two upper bounds. A share is at most what the whole group has mixed in. And a share is above 1 by at
most twice the largest surplus or deficit of a group: a share that stands out does so in its group too, and shares that
do not leave groups apart as random sums are. The first is tight after few exchanges, the second once all are nearly
mixed; between them fewer agents are counted than were mixed in. The first always holds; the second for random groups,
not for groups that are chosen by who knows the shares. Where weights can be negative, a group can hide more of a share,
and both are taken twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from coolgp.agents.base.arrays import Array
from coolgp.network.base.arrays import Indices
from coolgp.network.base.randomness import generator

Bools = npt.NDArray[np.bool_]

__all__ = ["LEAST_GROUPS", "Bools", "Mixed", "group_members", "mixed", "share_count", "with_amounts"]

MOST_SINGLE = 512
"""Agents up to whom each has a column of its own by default: more would cost more than small models themselves."""
GROUPS = 64
"""Columns by default with more agents than that."""
LEAST_GROUPS = 32
"""Fewer groups can hide a share in what the others of its group lack."""
SURPLUS = 2.0
"""By how much more than its group's surplus a share may be above 1."""
HIDDEN = 2.0
"""By how much more either may be where others of the group can have negative amounts."""
NO_DATA = 1e-6
"""Observations of an agent that has none: a share of theirs can be told nevertheless."""


def share_count(size: int, wanted: int | None) -> int:
    """Columns of shares that so many agents mix: wanted, but one for each agent at most; none where there is one agent.

    >>> share_count(1, None), share_count(512, None), share_count(513, None), share_count(1000, 128)
    (0, 512, 64, 128)
    """
    columns = wanted or (MOST_SINGLE if size <= MOST_SINGLE else GROUPS)
    return min(size, columns) if size > 1 else 0


@lru_cache(maxsize=8)
def share_groups(size: int, columns: int) -> Indices:
    """The column of each agent ``[N]``: its own, or that of a random group as large as all others, or by one larger."""
    agents = np.arange(size)
    groups = agents if columns >= size else generator(0, "groups of shares").permutation(size) % columns
    groups.flags.writeable = False
    return groups


def group_members(size: int, columns: int) -> Array:
    """How many agents each column is of, ``[K]``.

    >>> group_members(3, 3).tolist(), group_members(5, 2).tolist()
    ([1.0, 1.0, 1.0], [3.0, 2.0])
    """
    return np.bincount(share_groups(size, columns), minlength=columns).astype(float)


def with_amounts(
    rows: Array, observations: Array, agents: Array, size: int, columns: int, room: Array | None = None
) -> Array:
    """Rows ``[A, P]`` with the observations ``[A]`` of each agent (global id ``[A]``) behind them, ``[A, P + K]``.

    room ``[A, P + K]``: memory for them, of an earlier call or of zeros; rows may be its first columns.

    >>> with_amounts(np.zeros((2, 1)), np.array([3.0, 5.0]), np.array([0, 1]), 2, 2).tolist()
    [[0.0, 3.0, 0.0], [0.0, 0.0, 5.0]]
    """
    width = rows.shape[1]
    wide = np.zeros((len(rows), width + columns), dtype=rows.dtype) if room is None else room
    if not np.may_share_memory(wide, rows):
        wide[:, :width] = rows
    wide[np.arange(len(rows)), width + share_groups(size, columns)[agents]] = np.maximum(observations, NO_DATA)
    return wide


@dataclass(frozen=True)
class Mixed:
    """What of sums is counted: the sums times a scale ``[A', 1]``, at most 1; or, alone ``[A', 1]``, own rows."""

    scale: Array
    alone: Bools

    def of(self, sums: Array, own: Array) -> Array:
        """Sums ``[A', P]`` that count nobody twice; own: the agents' contributions to them."""
        counted: Array = np.where(self.alone, own, sums * self.scale.astype(sums.dtype, copy=False))
        return counted

    def counted(self, amounts: Array, totals: Array, members: Array) -> Array:
        """How many agents are in the sums, ``[A']``: all shares added up, each at most 1."""
        shares = np.clip(self.scale * amounts / totals, 0.0, 1.0)
        added = (shares * members).sum(axis=1)  # a product of matrices has other bits for other numbers of rows
        agents: Array = np.where(self.alone[:, 0], 1.0, added)
        return agents


def mixed(
    amounts: Array, agents: Array, own: Array, totals: Array, members: Array, slack: float, signed: bool = False
) -> Mixed:
    """How sums count nobody more than once, and no agent less than itself.

    amounts ``[A', K]``: observations in the sums, by column; agents ``[A', 1]``: ones in the sums; own ``[A', K]``:
    amounts that each contributed; totals ``[A', K]``: observed by all; members ``[K]``. slack: by which a share may be
    above 1 where all are mixed in but for rounding. signed: whether weights can be negative.

    An agent is alone where less than one agent would be counted.

    An agent of a group counts with the group's mean number of observations at most, or with its own.

    >>> totals, members = np.array([[3.0, 5.0]]), np.ones(2)
    >>> both = mixed(np.array([[6.0, 0.0]]), np.array([[2.0]]), np.array([[3.0, 0.0]]), totals, members, 1e-9)
    >>> both.scale.tolist(), both.alone.tolist()
    ([[0.5]], [[False]])
    """
    with np.errstate(all="ignore"):
        hidden = np.where(members > 1, HIDDEN if signed else 1.0, 1.0)
        most = _largest_share(amounts, own, totals, members, hidden)
        scale = np.where(most > 1.0 + slack, 1.0 / most, 1.0)  # what is no number is left to what looks for it
        return Mixed(scale, scale * agents < 1.0 - slack)


def _largest_share(amounts: Array, own: Array, totals: Array, members: Array, hidden: Array) -> Array:
    """An upper bound ``[A', 1]``; with columns of one agent each, the largest share itself."""
    usual = totals / members  # observations of one agent
    seen = own.sum(axis=1, keepdims=True)
    of_own_group = (amounts * (own > 0)).sum(axis=1, keepdims=True) / seen
    surplus = hidden * np.abs(amounts - totals)
    within = np.maximum((hidden * np.abs(amounts) / usual).max(axis=1, keepdims=True), of_own_group)
    beyond = np.maximum((surplus / usual).max(axis=1, keepdims=True), surplus.max(axis=1, keepdims=True) / seen)
    most: Array = np.minimum(within, 1.0 + SURPLUS * beyond)
    return most
