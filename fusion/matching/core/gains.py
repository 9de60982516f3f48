"""What it gains to let a vector join an atom rather than found a new one: a matrix, by matrix products.

With ``θ_i = h_i / (P_i + p0)`` and the predictive precision ``w_i = p (P_i + p0) / (p + P_i + p0)`` of a vector of
atom i, joining it is worth, up to what is the same for all atoms,

    -½ Σ_d w_i (v - θ_i)²  +  log odds of joining,

where θ is integrated out with ``½ Σ_d log( (P_i + p0) / (p + P_i + p0) )`` more. A new atom is worth the same with
``P = 0``, ``θ = 0`` and the log rate of new atoms. Source: Yurochkin et al. (NeurIPS
2019), equations 8-11, in predictive form; Yurochkin et al. (ICML 2019) for the maximum over θ.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.fusion.matching.core.assignment import Assign, best_assignment, worth
from coolgp.fusion.matching.core.atoms import Atoms
from coolgp.fusion.matching.core.prior import BetaBernoulli
from coolgp.fusion.matching.core.vectors import Vectors, expanded, over_blocks

__all__ = ["Criterion", "evidence_gain", "surplus"]


@dataclass(frozen=True)
class Criterion:
    """What a matching maximises, and how a group picks its atoms.

    prior: over partitions. marginal: whether atoms are integrated out (SPAHM) or maximised over (PFNM). assign: from
    the surplus to the atoms of one group; the exact assignment unless a baseline is wanted.
    """

    prior: BetaBernoulli = field(default_factory=BetaBernoulli)
    marginal: bool = True
    assign: Assign = best_assignment

    def columns(self, surplus: Array) -> Indices:
        """The atom ``[L_j]`` of every vector, -1 for a new one."""
        return self.assign(surplus, self.prior)

    def worth(self, surplus: Array, columns: Indices) -> float:
        """The surplus that such atoms have together."""
        return worth(surplus, columns, self.prior)


def surplus(vectors: Vectors, group: int, others: Atoms, criterion: Criterion) -> Array:
    """Log gain ``[L_j, L]`` of each vector of a group from joining each atom of the others, less that of a new atom."""
    gain = evidence_gain(vectors, group, others, criterion.marginal)
    gain += criterion.prior.joining(others.counts, vectors.all_groups) - criterion.prior.new(vectors.all_groups)
    return gain


def evidence_gain(vectors: Vectors, group: int, others: Atoms, marginal: bool) -> Array:
    """The same ``[L_j, L]`` without the prior over partitions."""
    precision = vectors.precision[group]
    gain = (_of_group if len(precision) == 1 else _of_each)(vectors, group, others, marginal)
    squares = over_blocks(np.square(vectors.values[group]), vectors.widths)
    gain -= _new(squares, precision, vectors, marginal)[:, None]
    return gain


def _new(squares: Array, precision: Array, vectors: Vectors, marginal: bool) -> Array:
    """Of new atoms ``[L_j]``, without the prior; squares ``[L_j, G]``, precision ``[1 or L_j, G]``."""
    start = vectors.prior_precision
    fit: Array = -0.5 * (squares * (precision * start / (precision + start))).sum(axis=1)
    return fit + 0.5 * (np.log(start / (precision + start)) @ vectors.widths) if marginal else fit


def _of_group(vectors: Vectors, group: int, others: Atoms, marginal: bool) -> Array:
    """Of existing atoms ``[L_j, L]`` where all vectors of the group have the same precision: products of matrices.

    Where all groups have the same precision, that of an atom depends on its count alone, and ``Σ_d w v²`` is needed
    for the few different counts only.
    """
    values, precision, widths = vectors.values[group], vectors.precision[group], vectors.widths
    totals, place = _levels(vectors, others)
    ratio = precision / (precision + totals)
    squares = over_blocks(np.square(values), widths) @ (ratio * totals).T
    pull = others.shift * expanded(ratio, widths)[place]
    offset = -0.5 * np.einsum("ie,ie,ie->i", pull, others.shift, expanded(1.0 / totals, widths)[place])
    if marginal:
        offset += 0.5 * (np.log(totals / (precision + totals)) @ widths)[place]
    gain: Array = values @ pull.T
    gain -= 0.5 * squares[:, place]
    gain += offset
    return gain


def _levels(vectors: Vectors, others: Atoms) -> tuple[Array, Indices | slice]:
    """Different rows ``[., G]`` of the atoms' precision with the prior's, and the row ``[L]`` of every atom."""
    if not vectors.uniform:
        return others.precision + vectors.prior_precision, slice(None)
    counts, place = np.unique(others.counts, return_inverse=True)
    return counts[:, None] * vectors.precision[0] + vectors.prior_precision, place


def _of_each(vectors: Vectors, group: int, others: Atoms, marginal: bool) -> Array:
    """Of existing atoms ``[L_j, L]`` where every vector has its own precision: a block of entries at a time."""
    values, precision = vectors.values[group], vectors.precision[group]
    totals = others.precision + vectors.prior_precision
    gain = np.zeros((len(values), len(totals)))
    stop = 0
    for block, width in enumerate(vectors.widths):
        start, stop = stop, stop + int(width)
        own, total = precision[:, block, None], totals[None, :, block]
        mine, means = values[:, start:stop], others.shift[:, start:stop] / totals[:, block, None]
        distance = np.square(mine).sum(axis=1)[:, None] - 2.0 * mine @ means.T + np.square(means).sum(axis=1)
        gain -= 0.5 * own * total / (own + total) * distance
        if marginal:
            gain += 0.5 * width * np.log(total / (own + total))
    return gain
