"""One sparse Gaussian process from many that were fitted apart, their inducing inputs being matched.

* ``evidence``, the default: inducing inputs alone are matched. What the rows of model j said of ``f(Z_j)``, with the
  model's own prior taken out, becomes evidence about f at the matched inputs through
  ``f(Z_j) = k(Z_j, Z*) k(Z*, Z*)⁻¹ f(Z*)``. Evidence adds up over models, and the shared prior comes in once.
* ``published``: inducing inputs are matched together with the values there, ``[z, u]``, and predictions interpolate the
  matched pairs. Source: Yurochkin et al. (NeurIPS 2019), section 4.4; the paper has no formula for predictions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from coolgp.agents.base.arrays import Array, Indices
from coolgp.fusion.matching.core.atoms import weighted_means
from coolgp.fusion.matching.gps.beliefs import Belief, Hyperparameters, shared_hyperparameters
from coolgp.fusion.matching.sets.spahm import SPAHM

__all__ = ["FusedGP", "GPMatching", "carried", "interpolated"]


@dataclass(frozen=True)
class FusedGP:
    """A Gaussian process given values at inducing_inputs ``[L, D]``.

    labels: J arrays ``[M_j]``, the matched input of every local one; empty where there was no matching. factor
    ``[L, L]``: lower, of their kernel matrix. inner ``[L, L]``: lower, ``I`` and the evidence about ``v = factor⁻¹ f``.
    weights ``[L]``: the mean of v.
    """

    inducing_inputs: Array
    labels: tuple[Indices, ...]
    hyperparameters: Hyperparameters
    factor: Array
    inner: Array
    weights: Array

    def predict(self, x: Array, return_std: bool = False) -> Array | tuple[Array, Array]:
        """Mean ``[n]`` of f at x ``[n, D]``; with return_std also the standard deviation of an observation there."""
        prior = self.hyperparameters
        explained = solve_triangular(self.factor, prior.covariance(self.inducing_inputs, x), lower=True)
        mean: Array = prior.level + explained.T @ self.weights
        if not return_std:
            return mean
        learned = solve_triangular(self.inner, explained, lower=True)
        spread = prior.signal_variance - np.square(explained).sum(axis=0) + np.square(learned).sum(axis=0)
        return mean, np.sqrt(np.maximum(spread, 0.0) + prior.noise_variance)


@dataclass(frozen=True)
class GPMatching:
    """Settings of the fusion of sparse Gaussian processes; :meth:`fuse` is the method.

    form: "evidence" or "published". noise_variance: of the matched columns, which are standardised first; more of it
    means fewer inputs. It is not learned, for learning lets everything match everything. mass: of the prior; more means
    more inputs. leftover: add the variance that the matched inputs do not explain to the evidence's. nugget: variance
    on the diagonal when pairs are interpolated, relative to the signal variance. sweeps, seed: of the matching.
    """

    form: Literal["evidence", "published"] = "evidence"
    noise_variance: float = 0.03
    mass: float = 50.0
    leftover: bool = False
    nugget: float = 1e-3
    sweeps: int = 100
    seed: int = 0

    def fuse(self, beliefs: Sequence[Belief]) -> FusedGP:
        """One model of J beliefs. Raises ValueError for none, or of different inputs or kernels."""
        if not len(beliefs):
            raise ValueError("Fusing Gaussian processes needs at least one; got none")
        if self.form not in ("evidence", "published"):
            raise ValueError(f'The form of fusion is "evidence" or "published"; got {self.form!r}')
        prior = shared_hyperparameters(beliefs)
        if self.form == "published":
            pairs = [np.column_stack([one.inducing_inputs, one.mean]) for one in beliefs]
            atoms, labels = self._matched(pairs)
            return interpolated(atoms[:, :-1], atoms[:, -1], prior, self.nugget, labels)
        atoms, labels = self._matched([one.inducing_inputs for one in beliefs])
        return carried(atoms, beliefs, prior, self.leftover, labels)

    def _matched(self, groups: Sequence[Array]) -> tuple[Array, tuple[Indices, ...]]:
        """Means ``[L, .]`` of matched rows, and the labels; columns are standardised for it."""
        pooled = np.concatenate(groups)
        scale = np.where(pooled.std(axis=0) > 0, pooled.std(axis=0), 1.0)
        matched = SPAHM(
            noise_variance=self.noise_variance,
            prior_variance=1.0,
            learn=False,
            mass=self.mass,
            sweeps=self.sweeps,
            seed=self.seed,
        ).match([group / scale for group in groups])
        ones = [np.ones((1, len(scale)))] * len(groups)
        totals = np.repeat(matched.counts[:, None].astype(float), len(scale), axis=1)
        return weighted_means(groups, ones, matched.labels, totals), matched.labels


def carried(
    inputs: Array,
    beliefs: Sequence[Belief],
    prior: Hyperparameters,
    leftover: bool = False,
    labels: tuple[Indices, ...] = (),
) -> FusedGP:
    """The process that knows all models' evidence through f at ``inputs [L, D]``.

    With ``v = L*⁻¹ (f(Z*) - level)`` model j's ``L_j⁻¹ (f(Z_j) - level_j)`` is ``H_j v`` and a constant, and its rows
    are worth observations ``R_jᵀ(H_j v + constant) = t_j`` of unit variance. leftover: variance of f(Z_j) given f(Z*)
    more. Every model's terms form a sum, ``[L, L]`` and ``[L]``.
    """
    factor = prior.factor(inputs)
    precision, shift = np.eye(len(inputs)), np.zeros(len(inputs))
    for belief in beliefs:
        rows, seen = _observations(belief, inputs, factor, prior, leftover)
        precision += rows.T @ rows
        shift += rows.T @ seen
    inner = np.asarray(cholesky(precision, lower=True))
    weights = solve_triangular(inner, solve_triangular(inner, shift, lower=True), lower=True, trans="T")
    return FusedGP(inputs, labels, prior, factor, inner, weights)


def _observations(
    belief: Belief, inputs: Array, factor: Array, prior: Hyperparameters, leftover: bool
) -> tuple[Array, Array]:
    """One model's rows as observations of v with unit variance: ``[M, L]`` and ``[M]``."""
    own, (directions, seen) = belief.hyperparameters, belief.evidence()
    local = own.factor(belief.inducing_inputs)
    explained = solve_triangular(factor, prior.jittered(inputs, belief.inducing_inputs), lower=True)
    toward = solve_triangular(local, explained.T, lower=True)
    level = solve_triangular(local, np.full(len(seen), prior.level - own.level), lower=True)
    rows, values = directions.T @ toward, seen - directions.T @ level
    if not leftover:
        return rows, values
    gap = prior.jittered(belief.inducing_inputs, belief.inducing_inputs) - explained.T @ explained
    half = solve_triangular(local, gap, lower=True)
    unexplained = directions.T @ solve_triangular(local, half.T, lower=True) @ directions
    root = cholesky(np.eye(len(seen)) + 0.5 * (unexplained + unexplained.T), lower=True)
    return solve_triangular(root, rows, lower=True), solve_triangular(root, values, lower=True)


def interpolated(
    inputs: Array,
    values: Array,
    prior: Hyperparameters,
    nugget: float,
    labels: tuple[Indices, ...] = (),
) -> FusedGP:
    """The process that passes f = ``values [L]`` at ``inputs [L, D]``, up to a nugget."""
    factor = prior.factor(inputs, nugget * prior.signal_variance)
    weights = solve_triangular(factor, values - prior.level, lower=True)
    certain = 1e6 * np.eye(len(inputs))  # values are taken for known: what is explained has no variance
    return FusedGP(inputs, labels, prior, factor, certain, weights)
