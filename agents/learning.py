"""What hyper-parameters are learned by: the evidence lower bound, and its gradients.

For the projection: the stochastic gradient of the bound with ``q(f_u)`` held, from the newest batch, per observation
(COOL-GP, AAAI-19, "online learning of q(W)"). At the optimal ``q`` it is the gradient of the collapsed bound. For
signal and noise variance: the gradient of the collapsed bound itself, a function of the sums alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.batches import Batch
from coolgp.agents.features.basis import FunctionBasis, InducingInputs
from coolgp.agents.kernels.base import project
from coolgp.agents.model import Model
from coolgp.agents.prediction import Posterior, posterior, shared
from coolgp.agents.statistics import Evidence
from coolgp.agents.uncertain import uncertain_gradient

__all__ = ["FixedPosterior", "bound", "fixed_posterior", "gradient", "gradient_at"]


def bound(model: Model, theta: Array, evidence: Evidence, formed: Posterior | None = None) -> Array:
    """Collapsed evidence lower bound of all data behind the evidence, ``[A]`` nats; formed: its posteriors if known.

    ``log N(y | 0, Q + σ_η²I) - (σ_s²/2σ_η²)(n - tr G)``, from the sums by the determinant and inversion lemmas. NaN
    where rows stand for observations of another likelihood: these sums do not hold its bound.
    """
    if model.likelihood.reweighs:
        return np.full(len(evidence.count), np.nan)
    belief, n = posterior(model, theta, evidence) if formed is None else formed, evidence.count
    explained = (evidence.shift * belief.mean).sum(-1)
    misfit = belief.log_determinant - explained + evidence.square
    misfit += n * np.log(2 * np.pi * model.layout.noise_variance(theta))
    lower: Array = -0.5 * (misfit + _residual(model, belief, evidence))
    return lower


def gradient(model: Model, theta: Array, evidence: Evidence, batch: Batch) -> Array:
    """Gradient of the bound per observation by ``θ``, ``[A, K]``; zero for agents without evidence or without a batch.

    evidence ``[A]`` is what ``q(f_u)`` is formed from; batch: the newest observations.
    """
    return gradient_at(model, theta, fixed_posterior(model, theta, evidence), batch)


def gradient_at(model: Model, theta: Array, fixed: FixedPosterior, batch: Batch) -> Array:
    """:func:`gradient` for posteriors that were formed before."""
    variances = np.broadcast_to(fixed.variances, (len(theta), 2))
    if model.expects:
        by_mean, by_spread = uncertain_gradient(model, theta, batch, fixed.alpha, fixed.shrink, fixed.count)
        slope = model.layout.gradient(theta, by_mean, by_spread, variances)
    else:
        slope = model.layout.gradient(theta, _projection_gradient(model, fixed, batch), None, variances)
    informed = (fixed.count > 0) & (batch.count > 0)
    return np.where(informed[:, None], slope, 0.0)


@dataclass(frozen=True)
class FixedPosterior:
    """``q(f_u)`` as the gradient needs it, one where agents agree: ``α = K⁻¹m/σ_s``, ``F = K⁻¹ - K⁻¹SK⁻¹/σ_s²``.

    count: its observations. prior ``[., D, D]``: the spread, as in :func:`_own_spread`, that the prior of ``f_u`` adds
    to each batch; None where inducing points do not move.
    """

    model: Model
    evidence: Evidence
    belief: Posterior
    alpha: Array
    shrink: Array
    count: Array
    prior: Array | None

    @cached_property
    def variances(self) -> Array:
        """The gradient by the variances ``[., 2]``."""
        return _variance_gradient(self.model, self.belief, self.evidence)


def fixed_posterior(model: Model, theta: Array, evidence: Evidence) -> FixedPosterior:
    """What gradients at the posteriors of agents with ``θ [A, K]`` and evidence ``[A]`` need; one where all agree.

    Raises Indefinite as :func:`coolgp.agents.prediction.posterior` does.
    """
    one, evidence = shared(theta, evidence)
    return model.cached(_fixed, one, evidence) if len(one) == len(evidence.shift) == 1 else _fixed(model, one, evidence)


def _fixed(model: Model, theta: Array, evidence: Evidence) -> FixedPosterior:
    belief = posterior(model, theta, evidence)
    prior, alpha, shrink = None, belief.weights, belief.shrink
    if isinstance(model.basis, FunctionBasis):
        weight = shrink - alpha[..., :, None] * alpha[..., None, :]
        weight *= belief.geometry.slopes
        prior = _own_spread(model.basis.inducing, weight) * (0.5 / np.maximum(evidence.count, 1.0))[:, None, None]
    return FixedPosterior(
        model=model,
        evidence=evidence,
        belief=belief,
        alpha=alpha,
        shrink=shrink,
        count=evidence.count,
        prior=prior,
    )


def _projection_gradient(model: Model, fixed: FixedPosterior, batch: Batch) -> Array:
    """By ``W [A, P, D]``, from ``H = (∂L/∂κ)∘h'`` and, where inducing points move with ``W``, ``H' = (∂L/∂K)∘h'``.

    ``h'`` are the slopes of the kernel, see :class:`coolgp.agents.kernels.base.Kernel`.
    """
    layout, theta, geometry = model.layout, fixed.belief.theta, fixed.belief.geometry
    projection = layout.projection(theta)
    if not model.basis.learns:
        return np.zeros_like(projection)
    assert isinstance(model.basis, InducingInputs)
    signal, noise = layout.signal_variance(theta)[:, None, None], layout.noise_variance(theta)[:, None, None]
    kappa, slopes = model.basis.kernel.values_and_slopes(project(batch.x, projection), geometry.points)
    kappa = kappa * batch.mask[..., None]
    share = 1.0 / (np.maximum(batch.count, 1.0)[:, None, None] * noise)
    gap = batch.y * batch.mask - np.sqrt(signal[..., 0]) * (kappa @ fixed.alpha[..., None])[..., 0]
    gamma = (signal * kappa) @ fixed.shrink
    gamma += (np.sqrt(signal) * gap[..., None]) * fixed.alpha[:, None, :]
    gamma *= share
    if not model.basis.moves:
        return _fixed_points(projection, batch.x, geometry.points, gamma * slopes)
    assert isinstance(model.basis, FunctionBasis)
    x, u, rows = batch.x, model.basis.inducing, kappa @ geometry.precision
    middle = rows.swapaxes(-1, -2) @ (rows * (0.5 * signal * share) - gamma)
    middle *= geometry.slopes
    spread = _cross_spread(x, u, np.multiply(gamma, slopes, out=gamma)) + _own_spread(u, middle)
    assert fixed.prior is not None
    spread -= fixed.prior
    gradient: Array = -projection @ spread
    return gradient


def _fixed_points(projection: Array, x: Array, points: Array, weight: Array) -> Array:
    """``-Σ_nj H_nj (Wx_n - z_j) x_nᵀ``."""
    rows = weight.sum(-1)[..., None] * project(x, projection) - weight @ points
    gradient: Array = -rows.swapaxes(-1, -2) @ x
    return gradient


def _cross_spread(x: Array, u: Array, weight: Array) -> Array:
    """``Σ_nj H_nj δδᵀ [A, D, D]`` with ``δ = x_n - u_j`` in the input domain, as matrix products."""
    cross = x.swapaxes(-1, -2) @ weight @ u
    spread: Array = x.swapaxes(-1, -2) @ (x * weight.sum(-1)[..., None])
    spread += (u.T * weight.sum(-2)[..., None, :]) @ u
    spread -= cross + cross.swapaxes(-1, -2)
    return spread


def _own_spread(u: Array, weight: Array) -> Array:
    """``Σ_jk H'_jk δδᵀ [., D, D]`` with ``δ = u_j - u_k``."""
    moments = np.concatenate([u, np.ones((len(u), 1))], axis=1).T @ weight  # faster than the weight times a few columns
    middle, diagonal = moments[..., :-1, :] @ u, moments[..., -1, :] + weight.sum(-1)
    spread: Array = (u.T * diagonal[..., None, :]) @ u
    spread -= middle + middle.swapaxes(-1, -2)
    return spread


def _variance_gradient(model: Model, belief: Posterior, evidence: Evidence) -> Array:
    """Derivatives of the collapsed bound per observation by ``log σ_s²`` and ``log σ_η²``, ``[A, 2]``."""
    n = evidence.count
    learned = (belief.shrink * belief.geometry.kernel).sum((-2, -1))  # tr FK, the directions that data fixed
    fit, residual = (evidence.shift * belief.mean).sum(-1), _residual(model, belief, evidence)
    by_signal = 0.5 * (belief.size - learned - residual)
    by_noise = 0.5 * (learned - fit - belief.size + evidence.square - n + residual)
    gradient: Array = np.stack([by_signal, by_noise], axis=-1) / np.maximum(n, 1.0)[:, None]
    return gradient


def _residual(model: Model, belief: Posterior, evidence: Evidence) -> Array:
    """``(σ_s²/σ_η²)(n - tr G)``: signal that the inducing points cannot express; never negative."""
    signal = model.layout.signal_variance(belief.theta)
    spread = belief.geometry.common_covariance
    expressed = np.square(model.basis.amplitude(signal)) * (evidence.precision * spread).sum((-2, -1))
    ratio = signal / model.layout.noise_variance(belief.theta)
    residual: Array = np.maximum(ratio * evidence.count - expressed, 0.0)
    return residual
