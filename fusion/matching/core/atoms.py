"""Atoms, and how vectors join and leave them.

An atom is known by three sums over the vectors that share it: of precision times value, of precision, and their
number. Given which vectors share an atom, its posterior is Gaussian with precision ``P + p0`` and mean
``h / (P + p0)``, relative to the prior mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.fusion.matching.core.vectors import Vectors, expanded

__all__ = ["Atoms", "gathered", "joined", "left", "log_evidence", "no_atoms", "posterior", "weighted_means"]

ROUNDING = 1e-12
"""Precision that is left of an atom, relative to what was taken out, below which nothing is left."""


@dataclass(frozen=True)
class Atoms:
    """Sums over the vectors that share each of L atoms, without the prior.

    shift ``[L, E]``: h, precision times value. precision ``[L, G]``: P. counts ``[L]``: m, how many groups use it.
    """

    shift: Array
    precision: Array
    counts: Indices


def gathered(vectors: Vectors, labels: Sequence[Indices]) -> Atoms:
    """The atoms of vectors with ``labels``, J arrays ``[L_j]``; labels of one group are distinct."""
    atoms = no_atoms(vectors, 1 + max((int(own.max()) for own in labels if len(own)), default=-1))
    for group, own in enumerate(labels):
        atoms.shift[own] += vectors.shift(group)
        atoms.precision[own] += vectors.precision[group]
        atoms.counts[own] += 1
    return atoms


def no_atoms(vectors: Vectors, size: int = 0) -> Atoms:
    """Atoms that no vector uses."""
    empty = np.zeros((size, vectors.entries)), np.zeros((size, len(vectors.widths)))
    return Atoms(*empty, np.zeros(size, dtype=np.intp))


def left(atoms: Atoms, vectors: Vectors, group: int, labels: Indices) -> tuple[Atoms, Indices]:
    """The atoms without one group's vectors, and the new place ``[L]`` of every atom, -1 for those that vanish.

    labels ``[L_j]``: of the group. Example: atoms 0, 1, 2 are used by 2, 1, 3 groups and the group that leaves used 1
    and 2. Atom 1 vanishes, so atom 2 moves down: places 0, -1, 1.
    """
    shift, precision, counts = atoms.shift.copy(), atoms.precision.copy(), atoms.counts.copy()
    shift[labels] -= vectors.shift(group)
    precision[labels] -= vectors.precision[group]
    counts[labels] -= 1
    gone = precision[labels] <= ROUNDING * vectors.precision[group]
    if gone.any():  # nobody else knows these entries: what rounding leaves of the sums would pass for a vector
        precision[labels] = np.where(gone, 0.0, precision[labels])
        shift[labels] = np.where(expanded(gone.astype(float), vectors.widths) > 0, 0.0, shift[labels])
    used = counts > 0
    if used.all():
        return Atoms(shift, precision, counts), np.arange(len(counts))
    places = np.where(used, np.cumsum(used) - 1, -1)
    return Atoms(shift[used], precision[used], counts[used]), places


def joined(atoms: Atoms, vectors: Vectors, group: int, columns: Indices) -> tuple[Atoms, Indices]:
    """The atoms with one group's vectors, and their labels ``[L_j]``.

    columns ``[L_j]``: the atom of every vector, or -1 for a new one; new atoms follow the others in the vectors' order.
    """
    new = columns < 0
    size, created = len(atoms.counts), int(new.sum())
    labels = columns.copy()
    labels[new] = np.arange(size, size + created)
    shift, precision = _longer(atoms.shift, created), _longer(atoms.precision, created)
    counts = np.concatenate([atoms.counts, np.zeros(created, dtype=np.intp)])
    shift[labels] += vectors.shift(group)
    precision[labels] += vectors.precision[group]
    counts[labels] += 1
    return Atoms(shift, precision, counts), labels


def posterior(atoms: Atoms, vectors: Vectors) -> tuple[Array, Array]:
    """Mean, relative to the prior mean, and variance of every atom, both ``[L, E]``."""
    precision = expanded(atoms.precision + vectors.prior_precision, vectors.widths)
    return atoms.shift / precision, 1.0 / precision


def weighted_means(
    values: Sequence[Array], weights: Sequence[Array], labels: Sequence[Indices], totals: Array
) -> Array:
    """Mean ``[L, E]`` of each atom's vectors, with weights ``[1 or L_j, E]`` that sum to ``totals [L, E]``.

    Of a single vector it is that vector, to the last bit; 0 where all weights are 0.
    """
    means = np.zeros(totals.shape)
    divisor = np.where(totals > 0, totals, 1.0)
    for own_values, own_weights, own in zip(values, weights, labels, strict=True):
        means[own] += own_weights / divisor[own] * own_values
    return means


def log_evidence(atoms: Atoms, vectors: Vectors, marginal: bool) -> float:
    """How well the atoms explain the vectors, a log density.

    ``½ Σ_i Σ_d h²/(P + p0)``, and where the atoms are integrated out (``marginal``) ``- ½ Σ_i Σ_d log(1 + P/p0)``,
    added to what no matching changes. Otherwise it is the maximum over the atoms, without the constant that each adds.
    """
    means, _ = posterior(atoms, vectors)
    explained = 0.5 * float(np.einsum("ie,ie->", means, atoms.shift))
    if marginal:
        explained -= 0.5 * float((np.log1p(atoms.precision / vectors.prior_precision) @ vectors.widths).sum())
    return explained + vectors.log_density()


def _longer(rows: Array, created: int) -> Array:
    return np.concatenate([rows, np.zeros((created, rows.shape[1]))])
