"""Prediction from evidence: the one place where the prior enters.

With the evidence taken to whitened coordinates, ``Λ = I + G`` and ``Λ mean = h``; at a query ``φ = L⁻¹κ(x*)`` the mean
is ``σ_s φᵀΛ⁻¹h`` and the latent variance ``σ_s²(1 - φᵀφ + φᵀΛ⁻¹φ)``. Under an uncertain projection, expectations of
``κ`` and ``κκᵀ`` and the law of total variance take their place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from coolgp.agents.basis import Geometry, LatentBasis
from coolgp.agents.kernels import Array, project, squared_exponential
from coolgp.agents.model import Model
from coolgp.agents.statistics import Evidence

__all__ = ["Posterior", "Prediction", "posterior", "predict"]

QUERY_BLOCK = 1024
"""Queries evaluated at a time, so that their features stay in the cache."""


@dataclass(frozen=True)
class Prediction:
    """Latent mean and variance ``[..., Q]``, and the noise variance ``[...]`` that an observation adds."""

    mean: Array
    variance: Array
    noise_variance: Array


@dataclass(frozen=True)
class Posterior:
    """``q(v) = N(mean, Λ⁻¹)`` in whitened coordinates, for a leading axis of agents.

    gram ``[A, M, M]``: ``Λ - I``; factor ``[A, M, M]``: Cholesky factor of ``Λ``; shift, mean ``[A, M]``.
    """

    theta: Array
    geometry: Geometry
    gram: Array
    factor: Array
    shift: Array
    mean: Array


def posterior(model: Model, theta: Array, evidence: Evidence) -> Posterior:
    """What agents with hyper-parameters ``θ [A, K]`` believe given evidence ``[A]``.

    Raises ValueError naming the first agent (its row) whose precision is not positive definite.
    """
    geometry = model.geometry(theta)
    amplitude = model.basis.amplitude(model.layout.signal_variance(theta))
    gram = geometry.gram_from_common(evidence.precision) * np.square(amplitude)[:, None, None]
    shift = geometry.rows_from_common(evidence.shift[:, None, :])[:, 0] * amplitude[:, None]
    factor = _factor(gram + np.eye(gram.shape[-1]))
    mean = np.linalg.solve(factor.swapaxes(-1, -2), np.linalg.solve(factor, shift[..., None]))[..., 0]
    return Posterior(theta, geometry, gram, factor, shift, mean)


def predict(model: Model, theta: Array, evidence: Evidence, x: Array) -> Prediction:
    """Predictions of ``A`` agents with ``θ [A, K]`` and evidence ``[A]`` at queries ``x [Q, D]``."""
    belief = posterior(model, theta, evidence)
    uncertain = model.layout.uncertain and isinstance(model.basis, LatentBasis)
    at = _uncertain_at if uncertain else _certain_at
    signal = model.layout.signal_variance(theta)
    mean, variance = (np.empty((theta.shape[0], x.shape[0])) for _ in range(2))
    for agent in range(theta.shape[0]):
        for start in range(0, x.shape[0], QUERY_BLOCK):
            rows = slice(start, start + QUERY_BLOCK)
            mean[agent, rows], variance[agent, rows] = at(model, belief, agent, x[rows])
    mean *= np.sqrt(signal)[:, None]
    return Prediction(mean, np.maximum(variance, 0.0) * signal[:, None], model.layout.noise_variance(theta))


def _certain_at(model: Model, belief: Posterior, agent: int, x: Array) -> tuple[Array, Array]:
    geometry, projection = belief.geometry, model.layout.projection(belief.theta[agent])
    kappa = squared_exponential(_of(geometry.points, agent), project(x, projection))  # [M, Q]
    phi = solve_triangular(_of(geometry.factor, agent), kappa, lower=True, overwrite_b=True, check_finite=False)
    known = solve_triangular(belief.factor[agent], phi, lower=True, check_finite=False)
    variance = 1.0 - np.einsum("mq,mq->q", phi, phi) + np.einsum("mq,mq->q", known, known)
    return belief.mean[agent] @ phi, variance


def _uncertain_at(model: Model, belief: Posterior, agent: int, x: Array) -> tuple[Array, Array]:
    """``E[κ]ᵀα`` and ``1 + tr(E[κκᵀ](ααᵀ - F)) - (E[κ]ᵀα)²``, with ``α = L⁻ᵀ mean``, ``F = L⁻ᵀ(I - Λ⁻¹)L⁻¹``."""
    assert isinstance(model.basis, LatentBasis)
    theta, inverse = belief.theta[agent], _of(belief.geometry.inverse, agent)
    alpha, shrink = weights_and_shrinkage(inverse, belief.factor[agent], belief.mean[agent])
    mean, variance = np.empty(x.shape[0]), np.empty(x.shape[0])
    step = max(1, 2**21 // alpha.size**2)
    for start in range(0, x.shape[0], step):
        rows = slice(start, start + step)
        geometry = model.basis.geometry(model.layout.projection(theta))
        moments = model.layout.projection(theta), model.layout.spread(theta)
        first, second = model.basis.expected(geometry, x[rows], *moments)
        mean[rows] = first @ alpha
        variance[rows] = 1.0 + (second * (np.outer(alpha, alpha) - shrink)).sum((-2, -1)) - np.square(mean[rows])
    return mean, variance


def weights_and_shrinkage(inverse: Array, factor: Array, mean: Array) -> tuple[Array, Array]:
    """``α = L⁻ᵀ mean [..., M]`` and ``F = L⁻ᵀ(I - Λ⁻¹)L⁻¹ [..., M, M]``, from ``L⁻¹`` and the moments of ``q(v)``."""
    identity = np.eye(factor.shape[-1])
    half = np.linalg.inv(factor)
    inner = identity - half.swapaxes(-1, -2) @ half
    back = inverse.swapaxes(-1, -2)
    return (back @ mean[..., None])[..., 0], back @ inner @ inverse


def _of(shared: Array, agent: int) -> Array:
    one: Array = shared[agent if shared.shape[0] > 1 else 0]
    return one


def _factor(precision: Array) -> Array:
    try:
        return np.linalg.cholesky(precision)
    except np.linalg.LinAlgError:
        lowest = np.linalg.eigvalsh(precision)[:, 0]
        row = int(np.argmin(lowest))
        raise ValueError(
            f"the precision of agent row {row} is not positive definite (lowest eigenvalue {lowest[row]:.3g}, "
            "at least 1 is expected): messages it fused do not add up; raise agents.jitter or check the fusion rule"
        ) from None
