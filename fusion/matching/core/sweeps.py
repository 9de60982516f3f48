"""Matching by coordinate ascent: groups take turns, each picks its best atoms while the others stay.

A group is visited again only if another one changed since its last visit, and a matching that nobody wants to change
is the end. With the exact prior no visit lowers the objective. Source: Yurochkin et al. (NeurIPS 2019), algorithm 1,
and the authors' code for the first pass, which takes the groups by size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.fusion.matching.core.atoms import Atoms, gathered, joined, left, log_evidence, no_atoms
from coolgp.fusion.matching.core.gains import Criterion, surplus
from coolgp.fusion.matching.core.vectors import Vectors
from coolgp.network.base.randomness import generator

__all__ = [
    "Partition",
    "Picked",
    "first_pass",
    "matched",
    "objective",
    "picked_again",
    "picked_first",
    "renumbered",
    "swept",
    "visited",
    "warm_start",
]

RELATIVE_GAIN = 1e-9
"""A group keeps its atoms unless others are better by more than this share of what they are worth: rounding."""


@dataclass(frozen=True)
class Partition:
    """Which vectors share an atom.

    labels: J arrays ``[L_j]``, the atom of every vector, distinct within a group. atoms: their sums. pending ``[J]``:
    groups whose candidates changed since they picked.
    """

    labels: tuple[Indices, ...]
    atoms: Atoms
    pending: Array


@dataclass(frozen=True)
class Picked:
    """What a group picked in place of what it had.

    atoms: with its vectors. labels ``[L_j]``: its own. places ``[L]``: where each atom of before is now, -1 for those
    that vanished; new atoms follow them.
    """

    atoms: Atoms
    labels: Indices
    places: Indices


def first_pass(vectors: Vectors, criterion: Criterion, order: Sequence[int] | None = None) -> Partition:
    """Groups pick once each, in an order or the largest first; the first one's vectors are its atoms."""
    labels, atoms = [np.zeros(0, dtype=np.intp)] * vectors.groups, no_atoms(vectors)
    for group in np.argsort(-vectors.sizes, kind="stable").tolist() if order is None else order:
        atoms, labels[group] = picked_first(atoms, vectors, group, criterion)
    return Partition(tuple(labels), atoms, np.ones(vectors.groups, dtype=bool))


def picked_first(atoms: Atoms, vectors: Vectors, group: int, criterion: Criterion) -> tuple[Atoms, Indices]:
    """The atoms with those that a group picks which had none before, and its labels ``[L_j]``."""
    return joined(atoms, vectors, group, criterion.columns(surplus(vectors, group, atoms, criterion)))


def warm_start(vectors: Vectors, labels: Sequence[Indices]) -> Partition:
    """The partition with the labels of an earlier matching, J arrays ``[L_j]``; unused labels are closed up.

    Raises ValueError unless every vector has a label and those of a group are distinct.
    """
    if [len(own) for own in labels] != vectors.sizes.tolist():
        sizes = [len(own) for own in labels]
        raise ValueError(f"Labels to start from need one for each vector, {vectors.sizes.tolist()}; got {sizes}")
    if any(len(np.unique(own)) < len(own) for own in labels):
        raise ValueError("Labels to start from need to differ within a group: its vectors never share an atom")
    used, places = np.unique(np.concatenate([np.asarray(own) for own in labels]), return_inverse=True)
    if len(used) and not (np.issubdtype(used.dtype, np.integer) and used[0] >= 0):
        raise ValueError("Labels to start from need to be integers from 0")
    dense = tuple(np.split(places.astype(np.intp), np.cumsum(vectors.sizes)[:-1]))
    return Partition(dense, gathered(vectors, dense), np.ones(vectors.groups, dtype=bool))


def visited(partition: Partition, vectors: Vectors, criterion: Criterion, group: int) -> Partition:
    """The partition after one group picked its best atoms again: the same unless others are worth more."""
    picked = picked_again(partition.atoms, vectors, group, partition.labels[group], criterion)
    if picked is None:
        pending = partition.pending.copy()
        pending[group] = False
        return replace(partition, pending=pending)
    labels = [picked.places[own] for own in partition.labels]
    labels[group] = picked.labels
    return Partition(tuple(labels), picked.atoms, np.arange(vectors.groups) != group)


def picked_again(atoms: Atoms, vectors: Vectors, group: int, labels: Indices, criterion: Criterion) -> Picked | None:
    """What one group with labels ``[L_j]`` picks in place of them; None where nothing else is worth more."""
    others, places = left(atoms, vectors, group, labels)
    gain, present = surplus(vectors, group, others, criterion), places[labels]
    columns = criterion.columns(gain)
    before, after = criterion.worth(gain, present), criterion.worth(gain, columns)
    if after - before <= RELATIVE_GAIN * (1.0 + np.abs(before)):
        return None
    return Picked(*joined(others, vectors, group, columns), places)


def swept(partition: Partition, vectors: Vectors, criterion: Criterion, seed: int, sweep: int) -> Partition:
    """The partition after every pending group was visited once, in an order drawn by seed and sweep.

    The sums are formed afresh from the labels first, so that rounding does not add up.
    """
    partition = replace(partition, atoms=gathered(vectors, partition.labels))
    for group in generator(seed, "matching order", round=sweep).permutation(vectors.groups).tolist():
        if partition.pending[group]:
            partition = visited(partition, vectors, criterion, group)
    return partition


def renumbered(labels: Sequence[Indices]) -> tuple[Indices, ...]:
    """Labels of J groups with the atoms numbered as they first occur, so that names do not depend on the search.

    >>> [own.tolist() for own in renumbered([np.array([4, 0]), np.array([2, 4])])]
    [[0, 1], [2, 0]]
    """
    names, first, places = np.unique(np.concatenate(labels), return_index=True, return_inverse=True)
    order = np.empty(len(names), dtype=np.intp)
    order[np.argsort(first)] = np.arange(len(names))
    return tuple(np.split(order[places], np.cumsum([len(own) for own in labels])[:-1]))


def objective(partition: Partition, vectors: Vectors, criterion: Criterion) -> float:
    """``log p(vectors | partition) + log P(partition)``; for atoms that are maximised over, up to a constant."""
    explained = log_evidence(partition.atoms, vectors, criterion.marginal)
    return explained + criterion.prior.log_probability(partition.atoms.counts, vectors.all_groups)


def matched(
    vectors: Vectors, criterion: Criterion, sweeps: int, seed: int, labels: Sequence[Indices] | None = None
) -> tuple[Partition, Array]:
    """The partition after at most so many sweeps, and the objective after the start and after each sweep that ran.

    labels: of an earlier matching, to start from in place of a first pass.
    """
    partition = first_pass(vectors, criterion) if labels is None else warm_start(vectors, labels)
    values = [objective(partition, vectors, criterion)]
    for sweep in range(sweeps):
        if not partition.pending.any():
            break
        partition = swept(partition, vectors, criterion, seed, sweep)
        values.append(objective(partition, vectors, criterion))
    return partition, np.array(values)
