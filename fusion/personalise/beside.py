"""What a newcomer could do in place of the mixture, with the same evidence of the owners: to compare with.

Each takes the rows that were seen and returns what predicts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

import numpy as np
from scipy.optimize import minimize

from coolgp.agents.base.arrays import Array
from coolgp.agents.sparse.gp import SparseGP
from coolgp.agents.statistics import Evidence
from coolgp.fusion.personalise.mixture import Candidate
from coolgp.fusion.personalise.population import Population
from coolgp.fusion.personalise.starting import StartingPoint

__all__ = ["METHODS", "Predicts"]

STEPS = 30
"""Iterations of L-BFGS for the weights of owners' evidence."""


class Predicts(Protocol):
    """A model of a function."""

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of an observation at x ``[Q, D]``, each ``[Q]``."""
        ...


def _mixture(start: StartingPoint, x: Array, y: Array) -> Predicts:
    return start.mixture(start.candidates()).observe(x, y)


def _with_experts(start: StartingPoint, x: Array, y: Array) -> Predicts:
    return start.mixture(start.candidates(experts=True)).observe(x, y)


def _population(start: StartingPoint, x: Array, y: Array) -> Predicts:
    return start.only(start.population).observe(x, y)


def _scratch(start: StartingPoint, x: Array, y: Array) -> Predicts:
    return start.only(Population.standard(len(start.population.mean))).observe(x, y)


def _summed(start: StartingPoint, x: Array, y: Array) -> Predicts:
    """All evidence, as if all rows were of one task."""
    return _of_evidence(start, np.ones(len(start.evidence.shift)), start.common, x, y)


def _neighbour(start: StartingPoint, x: Array, y: Array) -> Predicts:
    """The model of the owner that explains the rows best, which then learns from them."""
    equal = tuple(Candidate("owner", 1 / len(start.alone), prior) for prior in start.alone)
    best = start.mixture(equal).observe(x, y).log_evidence.argmax()
    return start.only(start.alone[int(best)]).observe(x, y)


def _mean_of_owners(start: StartingPoint, x: Array, y: Array) -> Predicts:
    """The mixture of all owners' models with equal weights; rows change nothing."""
    return start.mixture(tuple(Candidate("owner", 1 / len(start.alone), prior) for prior in start.alone))


def _weighted(start: StartingPoint, x: Array, y: Array) -> Predicts:
    """Weights of the owners' evidence, each at least 0, under which the rows are most probable."""
    rows = start.only(start.population).observe(x, y).common
    owners = len(start.evidence.shift)
    optimum = minimize(
        _misfit,
        np.full(owners, 1 / owners),
        args=(start.evidence, rows),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, None)] * owners,
        options={"maxiter": STEPS},
    )
    return _of_evidence(start, optimum.x, start.common, x, y)


def _of_evidence(start: StartingPoint, weights: Array, common: SparseGP, x: Array, y: Array) -> Predicts:
    rows = start.only(start.population).observe(x, y).common
    precision = np.tensordot(weights, start.evidence.precision, 1) + rows.precision
    return replace(common, precision=precision, shift=weights @ start.evidence.shift + rows.shift)


def _misfit(weights: Array, evidence: Evidence, rows: SparseGP) -> tuple[float, Array]:
    """Negative log evidence of rows, but for a constant, and its slope ``[A]``, with owners' evidence so weighted."""
    precision = np.eye(len(rows.shift)) + np.tensordot(weights, evidence.precision, 1)
    shift = weights @ evidence.shift
    value, slopes = 0.0, np.zeros(len(weights))
    for sign, matrix, vector in ((-1.0, precision, shift), (1.0, precision + rows.precision, shift + rows.shift)):
        covariance = np.linalg.inv(matrix)
        mean = covariance @ vector
        value += sign * 0.5 * (np.linalg.slogdet(matrix)[1] - float(vector @ mean))
        second = covariance + np.outer(mean, mean)
        slopes += sign * (0.5 * np.tensordot(evidence.precision, second, 2) - evidence.shift @ mean)
    return value, slopes


METHODS: Mapping[str, Callable[[StartingPoint, Array, Array], Predicts]] = {
    "mixture": _mixture,
    "mixture_experts": _with_experts,
    "population": _population,
    "scratch": _scratch,
    "summed": _summed,
    "weighted": _weighted,
    "neighbour": _neighbour,
    "owners_mean": _mean_of_owners,
}
"""By name; what is proposed comes first."""
