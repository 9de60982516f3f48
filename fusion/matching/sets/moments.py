"""Hyper-parameters of SPAHM from a partition: prior mean, prior variance and noise variance, per dimension.

The closed form is that of Yurochkin et al. (NeurIPS 2019), with the 1/L that its main text omits:

    μ0 = mean_i v̄_i        s = Σ_n (v_n - v̄_{z_n})² / (N - L)        s0 = mean_i (v̄_i - μ0)² - s mean_i 1/m_i

with ``v̄_i`` the mean of the ``m_i`` vectors of atom i. ``μ0`` and ``s0`` are exact for equal ``m_i`` only, so a step is
taken in those dimensions alone in which the evidence does not fall. Vectors that come with variances of their own have
no closed form; for them ``μ0`` and ``s0`` follow by expectation maximisation, which never lowers the evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.fusion.matching.core.vectors import Vectors, uniform_vectors

__all__ = [
    "Hyperparameters",
    "Moments",
    "closed_form_step",
    "expectation_step",
    "moments",
    "nearly_equal",
    "overall_variance",
    "vectors_under",
]

FLOOR = 1e-8
"""Least noise and prior variance, as a share of the vectors' variance."""
EXPECTATION_STEPS = 20


@dataclass(frozen=True)
class Hyperparameters:
    """Prior mean, prior variance and noise variance, each ``[D]``."""

    prior_mean: Array
    prior_variance: Array
    noise_variance: Array


@dataclass(frozen=True)
class Moments:
    """Means ``[L, D]`` of each atom's vectors, counts ``[L]`` of these, ``scatter [D]``: squares about the means."""

    means: Array
    counts: Indices
    scatter: Array


def moments(groups: Sequence[Array], labels: Sequence[Indices], counts: Indices) -> Moments:
    """The moments of J groups of vectors ``[L_j, D]`` with labels ``[L_j]``."""
    means = np.zeros((len(counts), groups[0].shape[1]))
    for values, own in zip(groups, labels, strict=True):
        means[own] += values
    means /= counts[:, None]
    scatter = np.zeros(means.shape[1])
    for values, own in zip(groups, labels, strict=True):
        away = values - means[own]
        scatter += np.einsum("nd,nd->d", away, away)
    return Moments(means, counts, scatter)


def evidence(seen: Moments, now: Hyperparameters) -> Array:
    """``log p(vectors | partition)`` of each dimension ``[D]``, the atoms integrated out."""
    noise, prior = now.noise_variance, now.prior_variance
    counts = seen.counts[:, None]
    away = np.square(seen.means - now.prior_mean)
    total = noise + counts * prior
    squares = (seen.scatter + (counts * away).sum(axis=0)) / noise - (counts**2 * away * prior / (noise * total)).sum(0)
    logs = seen.counts.sum() * np.log(2 * np.pi * noise) + np.log(total / noise).sum(axis=0)
    result: Array = -0.5 * (squares + logs)
    return result


def closed_form_step(seen: Moments, now: Hyperparameters, scale: Array, per_dimension: bool) -> Hyperparameters:
    """The closed form where it does not lower the evidence, and what was elsewhere.

    scale ``[D]``: variance of all vectors, for the floors. Nothing changes where no two vectors share an atom or all
    share one, for then the moments say nothing about one of the variances.
    """
    atoms, vectors = len(seen.counts), int(seen.counts.sum())
    if atoms in (1, vectors) or not scale.any():
        return now
    mean = seen.means.mean(axis=0)
    noise = _common(seen.scatter / (vectors - atoms), per_dimension)
    between = _common(np.square(seen.means - mean).mean(axis=0), per_dimension)
    floor = FLOOR * _common(np.where(scale > 0, scale, scale.max()), per_dimension)
    prior = np.maximum(between - noise * np.mean(1.0 / seen.counts), floor)
    proposed = Hyperparameters(mean, prior, np.maximum(noise, floor))
    return _where_better(seen, now, proposed, per_dimension)


def expectation_step(
    shift: Array, precision: Array, now: Hyperparameters, scale: Array, per_dimension: bool
) -> Hyperparameters:
    """Prior mean and variance by expectation maximisation, the noise being that of the vectors.

    shift ``[L, D]``: sum of precision times vector of each atom; precision ``[L, D]``: sum of the precision.
    """
    mean, variance = now.prior_mean, now.prior_variance
    floor = FLOOR * _common(np.where(scale > 0, scale, max(scale.max(), FLOOR)), per_dimension)
    for _ in range(EXPECTATION_STEPS):
        spread = 1.0 / (precision + 1.0 / variance)
        atoms = spread * (shift + mean / variance)
        mean = atoms.mean(axis=0)
        variance = np.maximum(_common((np.square(atoms - mean) + spread).mean(axis=0), per_dimension), floor)
    return Hyperparameters(mean, variance, now.noise_variance)


def vectors_under(values: list[Array], noise: list[Array] | None, now: Hyperparameters) -> Vectors:
    """Groups of vectors relative to the prior mean, with noise variances of their own or the common one."""
    centred = [own - now.prior_mean for own in values]
    widths = np.ones(len(now.prior_mean), dtype=np.intp)
    if noise is None:
        return uniform_vectors(centred, 1.0 / now.noise_variance, 1.0 / now.prior_variance, widths)
    return Vectors(tuple(centred), tuple(1.0 / own for own in noise), 1.0 / now.prior_variance, widths)


def overall_variance(pooled: Array, per_dimension: bool) -> Array:
    """Variance of all vectors in each dimension ``[D]``, 1 where they are all alike."""
    scale = pooled.var(axis=0) if per_dimension else np.full(pooled.shape[1], pooled.var(axis=0).mean())
    return np.where(scale > 0, scale, scale.max() if scale.any() else 1.0)


def nearly_equal(now: Hyperparameters, after: Hyperparameters, scale: Array) -> bool:
    """Whether two sets of hyper-parameters differ by rounding alone."""
    means = np.abs(after.prior_mean - now.prior_mean) <= 1e-9 * np.sqrt(scale)
    priors = np.isclose(after.prior_variance, now.prior_variance, rtol=1e-9, atol=0)
    noises = np.isclose(after.noise_variance, now.noise_variance, rtol=1e-9, atol=0)
    return bool(means.all() and priors.all() and noises.all())


def _common(values: Array, per_dimension: bool) -> Array:
    return values if per_dimension else np.full_like(values, values.mean())


def _where_better(
    seen: Moments, now: Hyperparameters, proposed: Hyperparameters, per_dimension: bool
) -> Hyperparameters:
    change = evidence(seen, proposed) - evidence(seen, now)
    better = change >= 0 if per_dimension else np.full(len(change), change.sum() >= 0)
    return Hyperparameters(
        np.where(better, proposed.prior_mean, now.prior_mean),
        np.where(better, proposed.prior_variance, now.prior_variance),
        np.where(better, proposed.noise_variance, now.noise_variance),
    )
