"""A model of one's own from few rows: a mixture of priors, weighed by the evidence of these rows.

No prior learned from others is safe for a task that is not like theirs, and none at all wastes what they know. So each
candidate keeps a share, and rows decide. Each posterior is Gaussian, the prediction is the mixture's, and more rows
move both the posteriors and the shares: the newcomer goes on learning. What it would hand over to others is the
evidence of its rows alone, as every other owner does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import logsumexp

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.queries.density import gaussian_log_density
from coolgp.agents.kernels.registry import KERNELS
from coolgp.agents.sparse.collapsed import posterior_of
from coolgp.agents.sparse.gp import SparseGP
from coolgp.agents.statistics import Evidence
from coolgp.fusion.personalise.population import Population

__all__ = ["Candidate", "PersonalGP", "candidates_of"]

EXPERTS_SHARE = 0.25
"""Prior weight of all owners' own models together, where they are candidates."""


@dataclass(frozen=True)
class Candidate:
    """A prior of the newcomer's function that takes part. weight: before any row."""

    name: str
    weight: float
    prior: Population


@dataclass(frozen=True)
class PersonalGP:
    """A mixture of sparse Gaussian processes about common inducing inputs.

    common: inducing inputs and hyper-parameters, with the evidence of the newcomer's rows. rows: how many of them.
    """

    candidates: tuple[Candidate, ...]
    common: SparseGP
    rows: int = 0

    def observe(self, x: Array, y: Array) -> PersonalGP:
        """The model once rows x ``[n, D]``, y ``[n]`` have been seen too."""
        precision, shift = self._evidence_of(x, y)
        common = replace(self.common, precision=self.common.precision + precision, shift=self.common.shift + shift)
        return replace(self, common=common, rows=self.rows + len(y))

    @cached_property
    def log_evidence(self) -> Array:
        """Of the rows under each candidate ``[C]``, nats, but for a constant that all share."""
        rows = self._rows_evidence
        return np.array([candidate.prior.log_evidence(rows)[0] for candidate in self.candidates])

    @property
    def weights(self) -> Array:
        """Of the candidates ``[C]`` after the rows; they sum to one."""
        logs = np.log([candidate.weight for candidate in self.candidates]) + self.log_evidence
        weights: Array = np.exp(logs - logsumexp(logs))
        return weights

    @cached_property
    def members(self) -> tuple[SparseGP, ...]:
        """The posterior under each candidate, as sparse GPs whose evidence is what departs from ``N(0, I)``."""
        identity, common = np.eye(len(self.common.shift)), self.common
        return tuple(
            replace(
                common,
                precision=common.precision + candidate.prior.precision - identity,
                shift=common.shift + candidate.prior.shift,
            )
            for candidate in self.candidates
        )

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of an observation at x ``[Q, D]``, each ``[Q]``: the mixture's."""
        features, noise = self.common.whitened(self.common.covariance(x)), self.common.parameters.noise_variance
        means, covariances = zip(*(c.prior.posterior(self._rows_evidence) for c in self.candidates), strict=True)
        unexplained = np.maximum(self.common.parameters.signal_variance - np.square(features).sum(axis=0), 0.0)
        explained = np.stack([np.einsum("mq,mq->q", features, own[0] @ features) for own in covariances])
        stds = np.sqrt(explained + unexplained + noise)
        return mixed(self.weights, self.common.center + np.concatenate(means) @ features, stds)

    def as_one(self) -> SparseGP:
        """A single sparse GP with the mixture's mean and standard deviation at every input.

        Its evidence is what departs from ``N(0, I)``, and may be negative where members disagree.
        """
        means, covariances = zip(*(c.prior.posterior(self._rows_evidence) for c in self.candidates), strict=True)
        centres = np.concatenate(means)
        mean = self.weights @ centres
        apart = centres - mean
        covariance = np.tensordot(self.weights, np.concatenate(covariances), 1) + (apart.T * self.weights) @ apart
        precision = np.linalg.inv(covariance)
        return replace(self.common, precision=precision - np.eye(len(mean)), shift=precision @ mean)

    def left_out(self, x: Array, y: Array) -> Array:
        """Log densities ``[C, n]``, nats, of each of the rows seen, under each candidate given all the others."""
        noise, at = self.common.parameters.noise_variance, self.common
        features = at.whitened(at.covariance(x))
        residual = y - at.center
        scores = []
        for candidate in self.candidates:
            mean, covariance = candidate.prior.posterior(self._rows_evidence)
            known = np.einsum("mi,mn,ni->i", features, covariance[0], features) / noise  # of each row by all rows
            variance = noise / (1.0 - np.minimum(known, 1.0 - 1e-12))
            error = (residual - mean[0] @ features) * variance / noise
            scores.append(gaussian_log_density(error, np.zeros_like(error), np.sqrt(variance)))
        return np.stack(scores)

    @property
    def _rows_evidence(self) -> Evidence:
        return Evidence(self.common.precision[None], self.common.shift[None], np.zeros(1), np.ones(1))

    def _evidence_of(self, x: Array, y: Array) -> tuple[Array, Array]:
        at = self.common
        return posterior_of(x, y - at.center, at.parameters, KERNELS[at.kernel], at.jitter).evidence()


def candidates_of(
    population: Population, posteriors: Sequence[Population] = (), pooled: Population | None = None
) -> tuple[Candidate, ...]:
    """The population, half-way, scratch, and one task of all where its posterior is given, with equal weights.

    posteriors: of owners, share a quarter, where given.
    """
    size, share = len(population.mean), 1.0 - EXPERTS_SHARE * bool(posteriors)
    priors = {"population": population, "half-way": population.halfway(), "scratch": Population.standard(size)}
    if pooled is not None:
        priors["one task"] = pooled
    common = [Candidate(name, share / len(priors), prior) for name, prior in priors.items()]
    own = [
        Candidate(f"model {number}", EXPERTS_SHARE / len(posteriors), prior) for number, prior in enumerate(posteriors)
    ]
    return (*common, *own)


def mixed(weights: Array, means: Array, stds: Array) -> tuple[Array, Array]:
    """Mean and standard deviation ``[Q]`` of a mixture of normal distributions, means and stds ``[C, Q]``."""
    mean = weights @ means
    variance = weights @ (np.square(stds) + np.square(means - mean))
    return mean, np.sqrt(variance)
