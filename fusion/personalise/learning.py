"""Learning a population by EM, with the shrinkage that predicts owners that were held out best.

All that owners exchange are sums of rows: `total` adds them up, in one place or over a graph by any rule that sums.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.statistics import Evidence, packed_length, repeated
from coolgp.fusion.personalise.population import Population, maximised, moment_rows, moment_sum

__all__ = ["SHRINKAGES", "Learned", "Total", "learn"]

SHRINKAGES = (2000.0, 200.0, 50.0, 15.0, 5.0, 2.0, 0.5)
"""From nearly ``N(0, I)`` to nearly what the owners' tasks say alone, in tasks."""
FOLDS = 5
STEPS = 1
"""Steps of EM for each shrinkage, from where the one before ended."""
LAST_STEPS = 10
"""Steps of EM with the shrinkage that was chosen; twice as many change no error by more than a hundredth."""

Own = TypeVar("Own")
Total = Callable[[Array], Array]
"""Sums ``[A, P]`` over all owners of rows ``[A, P]``, as each of these has them."""


@dataclass(frozen=True)
class Learned:
    """The populations that owners end with: one that they share, or one for each, with the shrinkage of each.

    held_out: mean log evidence of owners that were held out, nats, ``[7]`` in the order of `SHRINKAGES`, of the first.
    pools: of each owner the posterior of the function if all tasks were one; or one that they share.
    """

    populations: tuple[Population, ...]
    shrinkages: tuple[float, ...]
    held_out: Array
    pools: tuple[Population, ...]

    @property
    def pooled(self) -> Population:
        """The posterior of the function if all tasks were one, of the first owner."""
        return self.pools[0]

    def of(self, place: int) -> Learned:
        """What one of the owners knows."""
        if len(self.populations) == 1 == len(self.pools):
            return self
        populations, pools = _of(self.populations, place), _of(self.pools, place)
        return Learned(populations, _of(self.shrinkages, place), self.held_out, pools)


def learn(
    evidence: Evidence,
    owners: Indices | None = None,
    total: Total | None = None,
    shrinkages: Sequence[float] = SHRINKAGES,
) -> Learned:
    """The population of A owners with whitened evidence each.

    owners ``[A]``: their global ids, by which they are dealt to folds; their order where not given. total: what
    adds rows up; None for a sum in one place, which forms no rows. With fewer owners than folds nobody is held out, and
    the largest shrinkage is taken. Raises ValueError without an owner.
    """
    size, ids = evidence.shift.shape[-1], np.arange(len(evidence.shift)) if owners is None else owners
    start: tuple[Population, ...] = (Population.standard(size),)
    scores = _held_out(evidence, np.asarray(ids) % FOLDS, total, shrinkages)
    chosen = tuple(float(shrinkages[best]) for best in np.atleast_1d(scores.argmax(axis=-1)))
    everyone = np.ones(len(ids), dtype=bool)
    for _ in range(LAST_STEPS):
        start = _maximised(_moments([start], [everyone], evidence, total)[0], size, chosen)
    sums = Evidence.unpack(_added(evidence.pack(), total), size)
    pools = zip(*Population.standard(size).posterior(sums), strict=True)
    return Learned(start, chosen, scores[0], tuple(Population(*each) for each in pools))


def _held_out(evidence: Evidence, folds: Indices, total: Total | None, shrinkages: Sequence[float]) -> Array:
    """Mean log evidence of owners under populations that they were no part of, ``[A or 1, shrinkages]``."""
    size = evidence.shift.shape[-1]
    states: list[tuple[Population, ...]] = [(Population.standard(size),)] * FOLDS
    columns, others = [], [folds != fold for fold in range(FOLDS)]
    for shrinkage in shrinkages:
        for _ in range(STEPS):
            sums = _moments(states, others, evidence, total)
            states = [_maximised(own, size, (shrinkage,)) for own in sums]
        columns.append(_scored(folds, states, evidence))
    scores = _added(np.stack([*columns, np.ones(len(folds))], axis=1), total)
    mean: Array = scores[:, :-1] / scores[:, -1:]
    return mean


def _moments(
    states: Sequence[Sequence[Population]], members: Sequence[Array], evidence: Evidence, total: Total | None
) -> list[Array]:
    """Sums ``[A or 1, P]`` of what the members of each group of owners ``[A]`` add, under the state of the group."""
    groups = list(zip(states, members, strict=True))
    if total is None:
        return [moment_sum(own[0], evidence, np.flatnonzero(who))[None] for own, who in groups]
    rows = [_rows_of(own, who, evidence) for own, who in groups]
    return np.split(_added(np.concatenate(rows, axis=1), total), len(rows), axis=1)


def _rows_of(populations: Sequence[Population], members: Array, evidence: Evidence) -> Array:
    """Rows ``[A, P]`` to sum: those of owners that are no members are zero."""
    rows = np.zeros((len(members), packed_length(evidence.shift.shape[-1])))
    places = np.flatnonzero(members)
    if len(places):
        own = populations if len(populations) == 1 else [populations[place] for place in places.tolist()]
        rows[places] = moment_rows(own, evidence[places])
    return rows


def _of(each: tuple[Own, ...], place: int) -> tuple[Own, ...]:
    """What one owner has, where each has its own; else what all share."""
    return each[place : place + 1] if len(each) > 1 else each


def _added(rows: Array, total: Total | None) -> Array:
    """Sums ``[A or 1, P]``: one where all owners have the same."""
    if total is None:
        return np.asarray(rows.sum(axis=0)[None])
    sums = total(rows)
    return sums[:1] if repeated(sums) else sums


def _scored(folds: Indices, states: Sequence[Sequence[Population]], evidence: Evidence) -> Array:
    """Log evidence ``[A]`` of each owner under the population of its own fold."""
    scores = np.zeros(len(folds))
    for owner, fold in enumerate(folds.tolist()):
        own = states[fold][owner if len(states[fold]) > 1 else 0]
        scores[owner] = own.log_evidence(evidence[owner : owner + 1])[0]
    return scores


def _maximised(sums: Array, size: int, shrinkages: Sequence[float]) -> tuple[Population, ...]:
    """A population for each distinct row of sums ``[A, P]``."""
    rows = sums[:1] if repeated(sums) else sums
    each = shrinkages if len(shrinkages) == len(rows) else [shrinkages[0]] * len(rows)
    return tuple(maximised(row, size, shrinkage) for row, shrinkage in zip(rows, each, strict=True))
