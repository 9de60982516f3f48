"""Matching without anybody who sees all vectors: along a tree, or by a token that walks from group to group.

Groups on a tree merge what their branches found, children first, in one assignment problem a merge; only the atoms'
sums travel, not the vectors. A pair of atoms from disjoint sets of groups that become one is worth

    f(h_i + h_k, P_i + P_k) - f(h_i, P_i) - f(h_k, P_k) + e(m_i + m_k) - e(m_i) - e(m_k)

with f the evidence of an atom and e the log of its term in the prior; a pair that stays apart is worth 0. One level of
the tree knows nothing of the next, so the result depends on the tree where atoms blur. A token that walks repairs it:
its holder takes the own vectors out, picks again and hands the sums on, which is a sweep in the order of the walk.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.fusion.matching.core.atoms import Atoms, joined, no_atoms
from coolgp.fusion.matching.core.gains import Criterion, evidence_gain
from coolgp.fusion.matching.core.rooted import rooted_tree
from coolgp.fusion.matching.core.sweeps import Partition, objective, visited
from coolgp.fusion.matching.core.vectors import Vectors, expanded

__all__ = ["alone", "matched_along", "merged", "merged_along", "walked"]


def merged(first: Atoms, second: Atoms, vectors: Vectors, criterion: Criterion) -> tuple[Atoms, Indices]:
    """The atoms of two disjoint sets of groups, and the place ``[L2]`` that each atom of the second has among them.

    Atoms of the first keep their places. vectors: for what all groups know, so J, the prior precision and the blocks.
    """
    gain = _gain(first, second, vectors, criterion.marginal)
    gain += criterion.prior.merging(first.counts, second.counts, vectors.all_groups)
    columns, size = criterion.columns(gain), len(first.counts)
    places = columns.copy()
    new = columns < 0
    places[new] = np.arange(size, size + int(new.sum()))
    atoms = no_atoms(vectors, size + int(new.sum()))
    for own, where in ((first, np.arange(size)), (second, places)):
        atoms.shift[where] += own.shift
        atoms.precision[where] += own.precision
        atoms.counts[where] += own.counts
    return atoms, places


def alone(vectors: Vectors, group: int) -> tuple[Atoms, Indices]:
    """The atoms of a group that has met no other, one for each of its vectors, and its labels ``[L_j]``."""
    return joined(no_atoms(vectors), vectors, group, np.full(len(vectors.values[group]), -1))


def merged_along(vectors: Vectors, criterion: Criterion, parents: Sequence[int]) -> Partition:
    """The partition that a tree of groups ends with: ``parents [J]``, -1 for the root, children by their number.

    Raises ValueError unless the parents make a tree.
    """
    tree = rooted_tree(parents)
    labels: list[Indices] = [np.zeros(0, dtype=np.intp)] * vectors.groups
    branches: dict[int, tuple[Atoms, list[int]]] = {}
    for group in reversed(tree.downward):
        atoms, labels[group] = alone(vectors, group)
        members = [group]
        for child in tree.children[group]:
            below, branch = branches.pop(child)
            atoms, places = merged(atoms, below, vectors, criterion)
            for one in branch:
                labels[one] = places[labels[one]]
            members += branch
        branches[group] = atoms, members
    atoms, _ = branches[tree.root]
    return Partition(tuple(labels), atoms, np.ones(vectors.groups, dtype=bool))


def matched_along(
    vectors: Vectors, criterion: Criterion, parents: Sequence[int], walks: int
) -> tuple[Partition, Array]:
    """The partition of merges along a tree and then at most so many walks of a token over it, parents before children.

    Returns it with the objective after the merges and after each walk; parents: as for :func:`merged_along`.
    """
    partition = merged_along(vectors, criterion, parents)
    values = [objective(partition, vectors, criterion)]
    walk = rooted_tree(parents).walk
    for _ in range(walks):
        if not partition.pending.any():
            break
        partition = walked(partition, vectors, criterion, walk)
        values.append(objective(partition, vectors, criterion))
    return partition, np.array(values)


def walked(partition: Partition, vectors: Vectors, criterion: Criterion, walk: Sequence[int]) -> Partition:
    """The partition after a token visited the groups of a walk, one after another."""
    for group in walk:
        if partition.pending[group]:
            partition = visited(partition, vectors, criterion, group)
    return partition


def _gain(first: Atoms, second: Atoms, vectors: Vectors, marginal: bool) -> Array:
    """Evidence ``[L2, L1]`` that pairs gain: rows of the second with the same precision are done together."""
    gain = np.zeros((len(second.counts), len(first.counts)))
    levels, level = np.unique(second.precision, axis=0, return_inverse=True)
    for place, precision in enumerate(levels):
        rows = np.flatnonzero(level.reshape(-1) == place)
        present = expanded(np.where(precision > 0, precision, 1.0), vectors.widths)
        means = second.shift[rows] / present
        alike = Vectors((means,), (precision[None, :],), vectors.prior_precision, vectors.widths)
        gain[rows] = evidence_gain(alike, 0, first, marginal)
    return gain
