"""What is matched: the parameter vectors of every group and how precisely each entry is known.

Both matching methods see a vector as a noisy copy of an atom, ``v ~ N(θ, 1/p)`` with ``θ ~ N(0, 1/p0)``, entry by
entry and relative to the prior mean (differences of large numbers cancel badly far from it). Entries that always have
the same precision form a block, so that a network's hundreds of incoming weights need one number, not one each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coolgp.agents.base.arrays import Array, Indices

__all__ = ["Vectors", "expanded", "over_blocks"]


@dataclass(frozen=True)
class Vectors:
    """Vectors of J groups: of group j there are ``L_j``, with E entries in G blocks.

    values: J arrays ``[L_j, E]``, relative to the prior mean. precision: J arrays ``[1, G]``, the same for all vectors
    of a group, or ``[L_j, G]``; 0 for an entry that is absent. prior_precision ``[G]``. widths ``[G]``: entries of each
    block, adding up to E. uniform: whether all precisions are the same array ``[1, G]``. elsewhere: groups whose
    vectors are with other owners, which the prior counts.
    """

    values: tuple[Array, ...]
    precision: tuple[Array, ...]
    prior_precision: Array
    widths: Indices
    uniform: bool = False
    elsewhere: int = 0

    @property
    def groups(self) -> int:
        """J, the empty ones included."""
        return len(self.values)

    @property
    def all_groups(self) -> int:
        """Those here and those elsewhere."""
        return self.groups + self.elsewhere

    @property
    def sizes(self) -> Indices:
        """Vectors of each group ``[J]``."""
        return np.array([len(values) for values in self.values], dtype=np.intp)

    @property
    def entries(self) -> int:
        """E, the length of a vector."""
        return int(self.widths.sum())

    def shift(self, group: int) -> Array:
        """Precision times value ``[L_j, E]``."""
        return expanded(self.precision[group], self.widths) * self.values[group]

    def log_density(self) -> float:
        """``Σ ½ (log p - log 2π - p v²)`` over all entries that are present: what no matching changes."""
        return sum(self._log_density(group) for group in range(self.groups))

    def _log_density(self, group: int) -> float:
        values, precision = self.values[group], self.precision[group]
        present = np.where(precision > 0, np.log(np.where(precision > 0, precision, 1.0)) - np.log(2 * np.pi), 0.0)
        squares = (over_blocks(np.square(values), self.widths) * precision).sum()
        return 0.5 * float(np.broadcast_to(present @ self.widths, len(values)).sum() - squares)


def uniform_vectors(values: Sequence[Array], precision: Array, prior_precision: Array, widths: Indices) -> Vectors:
    """Vectors that all have the same precision ``[G]``."""
    return Vectors(tuple(values), (precision[None, :],) * len(values), prior_precision, widths, uniform=True)


def expanded(per_block: Array, widths: Indices) -> Array:
    """An array ``[..., G]`` of blocks as one of entries ``[..., E]``.

    >>> expanded(np.array([1.0, 2.0]), np.array([3, 1])).tolist()
    [1.0, 1.0, 1.0, 2.0]
    """
    return per_block if len(widths) == widths.sum() else np.repeat(per_block, widths, axis=-1)


def over_blocks(entries: Array, widths: Indices) -> Array:
    """Sums ``[..., G]`` over the entries of each block, of an array ``[..., E]``.

    >>> over_blocks(np.array([1.0, 2.0, 3.0, 4.0]), np.array([3, 1])).tolist()
    [6.0, 4.0]
    """
    if len(widths) == widths.sum():
        return entries
    sums: Array = np.add.reduceat(entries, np.concatenate([[0], np.cumsum(widths)[:-1]]), axis=-1)
    return sums
