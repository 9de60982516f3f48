"""One step of matching: the best atoms of one group's vectors while all other groups stay.

At most one vector of a group uses an atom, so the step is a linear assignment problem, solved exactly.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import linear_sum_assignment

from coolgp.agents.base.arrays import Array, Indices
from coolgp.fusion.matching.core.prior import BetaBernoulli

__all__ = ["SOLVERS", "Assign", "best_assignment", "greedy_assignment", "worth"]

Assign = Callable[[Array, BetaBernoulli], Indices]


def best_assignment(surplus: Array, prior: BetaBernoulli) -> Indices:
    """The atom ``[L_j]`` of every vector, -1 for a new one, with the largest sum of ``surplus [L_j, L]``.

    Where the best atoms of all vectors differ they are the answer, and no problem has to be solved.

    >>> best_assignment(np.array([[3.0, 2.0], [2.0, -1.0], [-4.0, -5.0]]), BetaBernoulli()).tolist()
    [1, 0, -1]
    """
    size, atoms = surplus.shape
    if not size or not atoms:
        return np.full(size, -1, dtype=np.intp)
    best = surplus.argmax(axis=1)
    columns = np.where(surplus[np.arange(size), best] > 0, best, -1)
    joining = columns[columns >= 0]
    if not prior.ordered and len(np.unique(joining)) == len(joining):
        return columns
    new = np.broadcast_to(prior.later(size), (size, size))
    _, columns = linear_sum_assignment(np.hstack([surplus, new]), maximize=True)
    return np.where(columns < atoms, columns, -1)


def greedy_assignment(surplus: Array, prior: BetaBernoulli) -> Indices:
    """The baseline: the pair with the largest surplus first, then the largest of those that remain, while it pays.

    >>> greedy_assignment(np.array([[3.0, 2.0], [2.0, -1.0], [-4.0, -5.0]]), BetaBernoulli()).tolist()
    [0, -1, -1]
    """
    columns = np.full(len(surplus), -1, dtype=np.intp)
    free = np.ones(surplus.shape[1], dtype=bool)
    rows, atoms = np.nonzero(surplus > 0)
    for place in np.argsort(-surplus[rows, atoms], kind="stable"):
        row, atom = rows[place], atoms[place]
        if columns[row] < 0 and free[atom]:
            columns[row], free[atom] = atom, False
    return columns


def worth(surplus: Array, columns: Indices, prior: BetaBernoulli) -> float:
    """The sum of surplus that an assignment ``[L_j]`` has."""
    joining = columns >= 0
    created = len(columns) - int(joining.sum())
    return float(surplus[np.flatnonzero(joining), columns[joining]].sum() + prior.later(created).sum())


SOLVERS: dict[str, Assign] = {"optimal": best_assignment, "greedy": greedy_assignment}
