"""Matching as one would write it from the formulas: a loop over vectors, each against all atoms, and lists of labels.

The same rules as coolgp's, so the same labels: the exact Beta-Bernoulli prior, groups by size first, then sweeps in an
order that is given. SPAHM integrates atoms out and learns its variances per dimension in closed form; PFNM maximises
over atoms, each group having a precision of its own for every entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

from benchmarks.work import Array

__all__ = ["Matcher", "spahm"]


@dataclass
class Matcher:
    """Atoms as lists of sums, and a list of labels for every group.

    values: J arrays ``[L_j, E]``; precision: J arrays ``[E]``; prior ``[E]``: the prior precision; the prior mean is 0.
    """

    values: Sequence[Array]
    precision: Sequence[Array]
    prior: Array
    marginal: bool
    shifts: list[Array] = field(default_factory=list)
    totals: list[Array] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    labels: list[list[int]] = field(default_factory=list)

    def start(self) -> None:
        """Every group once, the largest first."""
        self.labels = [[] for _ in self.values]
        for group in sorted(range(len(self.values)), key=lambda group: -len(self.values[group])):
            self.join(group)

    def sweep(self, order: Sequence[int]) -> None:
        """Every group leaves and joins again."""
        for group in order:
            self.leave(group)
            self.join(group)

    def leave(self, group: int) -> None:
        """Take a group's vectors out; each atom that vanishes moves all labels above it down."""
        for value, label in zip(self.values[group], self.labels[group], strict=True):
            self.shifts[label] = self.shifts[label] - self.precision[group] * value
            self.totals[label] = self.totals[label] - self.precision[group]
            self.counts[label] -= 1
        self.labels[group] = []
        for atom in reversed(range(len(self.counts))):
            if self.counts[atom] == 0:
                del self.shifts[atom], self.totals[atom], self.counts[atom]
                for other, labels in enumerate(self.labels):
                    self.labels[other] = [label - (label > atom) for label in labels]

    def join(self, group: int) -> None:
        """The best atoms of a group's vectors, by a gain matrix filled row by row."""
        values, precision, atoms = self.values[group], self.precision[group], len(self.counts)
        gain = np.zeros((len(values), atoms + len(values)))
        shifts = np.array(self.shifts)
        totals = np.array(self.totals) + self.prior if atoms else shifts
        for row, value in enumerate(values):
            if atoms:
                gain[row, :atoms] = self.joining(value, precision, shifts, totals)
            gain[row, atoms:] = self.founding(value, precision)
        _, columns = linear_sum_assignment(gain, maximize=True)
        for value, column in zip(values, columns, strict=True):
            label = int(column)
            if label >= atoms:
                label = len(self.counts)
                self.shifts.append(np.zeros(len(value)))
                self.totals.append(np.zeros(len(value)))
                self.counts.append(0)
            self.shifts[label] = self.shifts[label] + precision * value
            self.totals[label] = self.totals[label] + precision
            self.counts[label] += 1
            self.labels[group].append(label)

    def joining(self, value: Array, precision: Array, shifts: Array, totals: Array) -> Array:
        """What a vector gains from each atom ``[L]``; shifts, totals ``[L, E]`` of the atoms."""
        counts = np.array(self.counts)
        after, more = shifts + precision * value, totals + precision
        gain = 0.5 * (after**2 / more - shifts**2 / totals).sum(axis=1)
        if self.marginal:
            gain -= 0.5 * np.log(more / totals).sum(axis=1)
        return np.asarray(gain + np.log(counts / (len(self.values) - counts)))

    def founding(self, value: Array, precision: Array) -> float:
        """What a vector gains from an atom of its own."""
        gain = 0.5 * ((precision * value) ** 2 / (precision + self.prior)).sum()
        if self.marginal:
            gain -= 0.5 * np.log((precision + self.prior) / self.prior).sum()
        return float(gain - np.log(len(self.values)))


def spahm(groups: Sequence[Array], noise: float, prior: float, orders: Sequence[Sequence[int]]) -> list[list[int]]:
    """Labels by SPAHM from such variances, learned before every sweep."""
    size = groups[0].shape[1]
    mean, s, s0 = np.concatenate(groups).mean(axis=0), np.full(size, noise), np.full(size, prior)
    matcher = Matcher([own - mean for own in groups], [1 / s] * len(groups), 1 / s0, marginal=True)
    matcher.start()
    for order in orders:
        mean, s, s0 = _learned(groups, matcher.labels, len(matcher.counts))
        labels = matcher.labels
        matcher = Matcher([own - mean for own in groups], [1 / s] * len(groups), 1 / s0, marginal=True)
        _rebuild(matcher, labels)
        matcher.sweep(order)
    return matcher.labels


def _learned(groups: Sequence[Array], labels: list[list[int]], atoms: int) -> tuple[Array, Array, Array]:
    members: list[list[Array]] = [[] for _ in range(atoms)]
    for own, names in zip(groups, labels, strict=True):
        for value, label in zip(own, names, strict=True):
            members[label].append(value)
    means = np.array([np.mean(values, axis=0) for values in members])
    scatter = sum(np.square(np.array(values) - mean).sum(axis=0) for values, mean in zip(members, means, strict=True))
    mean, vectors = means.mean(axis=0), sum(map(len, members))
    s = np.asarray(scatter / (vectors - atoms))
    s0 = np.square(means - mean).mean(axis=0) - s * np.mean([1 / len(values) for values in members])
    return mean, s, s0


def _rebuild(matcher: Matcher, labels: list[list[int]]) -> None:
    size, width = 1 + max(max(own) for own in labels if own), len(matcher.prior)
    matcher.shifts = [np.zeros(width) for _ in range(size)]
    matcher.totals = [np.zeros(width) for _ in range(size)]
    matcher.counts = [0] * size
    for group, own in enumerate(labels):
        for value, label in zip(matcher.values[group], own, strict=True):
            matcher.shifts[label] = matcher.shifts[label] + matcher.precision[group] * value
            matcher.totals[label] = matcher.totals[label] + matcher.precision[group]
            matcher.counts[label] += 1
    matcher.labels = [list(own) for own in labels]
