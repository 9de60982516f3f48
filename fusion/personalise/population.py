"""What the tasks of a population have in common, learned from the evidence of models that were trained apart.

In whitened coordinates the function of task ``a`` is ``v_a``, and a Gaussian process by itself says ``v_a ~ N(0, I)``.
Here ``v_a ~ N(m, V)``: an owner's rows leave evidence ``(R_a, r_a)`` about ``v_a``, and EM finds ``m`` and ``V`` from
evidence alone, exactly. With ``C_a = (V⁻¹ + R_a)⁻¹`` and ``μ_a = C_a (r_a + V⁻¹ m)``:

    m = Σ μ_a / (A + ½)        V = (Σ C_a + Σ (μ_a - m)(μ_a - m)ᵀ + ν I) / (A + ν)

``ν`` is the shrinkage towards ``N(0, I)``, in tasks. Both are functions of sums over owners. Axes: ``A`` owners, ``M``
inducing inputs, ``P`` numbers of a packed row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import blas, lapack

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.statistics import Evidence

__all__ = ["Population", "inverse_and_log_determinant", "maximised", "moment_rows", "moment_sum"]

PRIOR_TASKS = 0.5
"""Tasks of mean 0 that count beside the owners': what keeps the mean of few tasks from following them."""


@dataclass(frozen=True)
class Population:
    """A Gaussian prior of whitened weights: mean ``m [M]``, covariance ``V [M, M]``."""

    mean: Array
    covariance: Array

    @staticmethod
    def standard(size: int) -> Population:
        """What a Gaussian process says by itself: ``N(0, I)``."""
        return Population(np.zeros(size), np.eye(size))

    def halfway(self) -> Population:
        """Half-way to ``N(0, I)``: ``N(½ m, ½ V + ½ I)``."""
        return Population(0.5 * self.mean, 0.5 * self.covariance + 0.5 * np.eye(len(self.mean)))

    @cached_property
    def precision(self) -> Array:
        """``V⁻¹``."""
        return self._inverse[0]

    @cached_property
    def shift(self) -> Array:
        """``V⁻¹ m``."""
        product: Array = self.precision @ self.mean
        return product

    def updated(self, evidence: Evidence) -> Population:
        """The posterior of the weights of one task."""
        means, covariances = self.posterior(evidence)
        return Population(means[0], covariances[0])

    def posterior(self, evidence: Evidence) -> tuple[Array, Array]:
        """Means ``[A, M]`` and covariances ``[A, M, M]`` of the weights of A tasks, given evidence of each."""
        covariances, _ = inverse_and_log_determinant(evidence.precision + self.precision)
        return (covariances @ (evidence.shift + self.shift)[..., None])[..., 0], covariances

    def log_evidence(self, evidence: Evidence) -> Array:
        """``log p(rows of task | m, V)``, ``[A]``, but for a constant that no prior changes; in nats."""
        values = np.empty(len(evidence.shift))
        for task, (matrix, shift) in enumerate(zip(evidence.precision, evidence.shift + self.shift, strict=True)):
            factor, log_precision = _factor_and_log_determinant(matrix + self.precision)
            half, _ = lapack.dtrtrs(factor, shift, trans=1)
            values[task] = half @ half - log_precision
        value: Array = 0.5 * (values - self.mean @ self.shift + self._inverse[1])
        return value

    @cached_property
    def _inverse(self) -> tuple[Array, float]:
        """``V⁻¹`` and the logarithm of its determinant."""
        inverses, logs = inverse_and_log_determinant(self.covariance[None])
        return inverses[0], -float(logs[0])


def moment_rows(populations: Sequence[Population], evidence: Evidence) -> Array:
    """What each owner adds to the sums, ``[A, P]``: ``C + μμᵀ`` and ``μ`` given its evidence, packed, and a one.

    populations: one that all owners share, or one for each of them.
    """
    owners = len(evidence.shift)
    if len(populations) == 1:
        means, covariances = populations[0].posterior(evidence)
    else:
        each = [population.posterior(evidence[a : a + 1]) for a, population in enumerate(populations)]
        means, covariances = (np.concatenate(parts) for parts in zip(*each, strict=True))
    covariances += means[:, :, None] * means[:, None, :]
    return Evidence(covariances, means, np.zeros(owners), np.ones(owners)).pack()


def moment_sum(population: Population, evidence: Evidence, members: Indices) -> Array:
    """The sum ``[P]`` of `moment_rows` of some owners under one population: an owner at a time, in the cache."""
    size = len(population.mean)
    total, means = np.zeros((size, size), order="F"), np.empty((len(members), size))
    for place, member in enumerate(members.tolist()):
        factor, _ = _factor_and_log_determinant(evidence.precision[member] + population.precision)
        inverse, _ = lapack.dpotri(factor, overwrite_c=True)
        means[place] = blas.dsymv(1.0, inverse, evidence.shift[member] + population.shift)
        total += inverse
    upper = np.triu(total, 1)
    second = upper + upper.T + np.diag(np.diagonal(total)) + means.T @ means
    one = np.full(1, float(len(members)))
    row: Array = Evidence(second[None], means.sum(axis=0)[None], np.zeros(1), one).pack()[0]
    return row


def maximised(row: Array, size: int, shrinkage: float) -> Population:
    """The population that sums ``[P]`` of what owners add make most probable, shrunk to ``N(0, I)``."""
    sums = Evidence.unpack(row[None], size)
    tasks, total = float(sums.count[0]), sums.shift[0]
    mean = total / (tasks + PRIOR_TASKS)
    across = np.outer(total, mean)
    scatter = sums.precision[0] - across - across.T + tasks * np.outer(mean, mean)
    return Population(mean, (scatter + shrinkage * np.eye(size)) / (tasks + shrinkage))


def inverse_and_log_determinant(matrices: Array) -> tuple[Array, Array]:
    """Inverses ``[A, M, M]`` and logarithms of determinants ``[A]`` of positive definite matrices.

    Raises numpy.linalg.LinAlgError for one that is not.
    """
    inverses, logs = np.empty_like(matrices), np.empty(len(matrices))
    for number, matrix in enumerate(matrices):
        factor, logs[number] = _factor_and_log_determinant(matrix, clean=True)
        inverse, _ = lapack.dpotri(factor, overwrite_c=True)  # its lower triangle is zero
        np.add(inverse, inverse.T, out=inverses[number])
        inverses[number].flat[:: len(matrix) + 1] *= 0.5
    return inverses, logs


def _factor_and_log_determinant(matrix: Array, clean: bool = False) -> tuple[Array, float]:
    """``U [M, M]``, upper, of ``Uᵀ U``, and the logarithm of the determinant. clean: zeros below the diagonal."""
    factor, failed = lapack.dpotrf(matrix.T, clean=clean)  # the transpose of rows in order is in LAPACK's order
    if failed:
        raise np.linalg.LinAlgError("a precision of weights is not positive definite")
    return factor, 2.0 * float(np.log(np.diagonal(factor)).sum())
