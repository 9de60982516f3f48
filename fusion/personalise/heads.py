"""An output layer fitted to a newcomer's few rows, with that of a fused network as its prior mean.

The features ``φ`` are the last hidden layer and a constant 1. Of a regressor the departure ``Δ`` of the weights from
the fused ones is a Bayesian ridge regression of what the fused network leaves over; of a classifier it is the mode of
``Σ log softmax((W + Δ)ᵀφ)_y - λ/2 ‖Δ‖²``. ``λ`` is the strength with the largest evidence, of a classifier in Laplace's
approximation (MacKay, "The evidence framework applied to classification networks", Neural Computation 1992): nearly the
fused network where rows say nothing else. Axes: ``n`` rows, ``H`` features with the 1, ``K`` outputs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from coolgp.agents.base.arrays import Array, Indices
from coolgp.fusion.matching.networks.head import Ridge, ridge_by_evidence

__all__ = ["ClassHead", "class_head", "ridge_about", "with_one"]

STRENGTHS = np.logspace(-3, 3, 7)
"""Of a classifier's head, as multiples of the mean square of a feature's row."""
DECIDE = 60
"""Rows at most that choose the strength: the cost is a cube of them."""
STEPS = 60
"""Iterations of L-BFGS for each."""


def with_one(features: Array) -> Array:
    """Features ``[n, H - 1]`` and a constant 1."""
    return np.hstack([features, np.ones((len(features), 1))])


def ridge_about(phi: Array, leftover: Array) -> Ridge:
    """The departure of weights ``[H, K]`` that explains what the fused outputs leave over ``[n, K]``."""
    return ridge_by_evidence(phi.T @ phi, phi.T @ leftover, float(np.square(leftover).sum()), float(len(phi)))


@dataclass(frozen=True)
class ClassHead:
    """A departure ``Δ [H, K]`` of a classifier's weights, its strength, and its evidence.

    log_evidence: in nats; of the first `DECIDE` rows, where there are more.
    """

    departure: Array
    strength: float
    log_evidence: float


def class_head(phi: Array, classes: Indices, outputs: Array) -> ClassHead:
    """The best departure for rows phi ``[n, H]`` of classes ``[n]``, where the fused outputs are ``[n, K]``."""
    scale = float(np.square(phi).sum(axis=1).mean())
    some = slice(None, DECIDE)
    heads = [_at_strength(phi[some], classes[some], outputs[some], float(share) * scale) for share in STRENGTHS]
    best = max(heads, key=lambda head: head.log_evidence)
    if len(phi) <= DECIDE:
        return best
    return replace(_at_strength(phi, classes, outputs, best.strength), log_evidence=best.log_evidence)


def _at_strength(phi: Array, classes: Indices, outputs: Array, strength: float) -> ClassHead:
    shape = phi.shape[1], outputs.shape[1]
    chosen = np.eye(shape[1])[classes]

    def misfit(flat: Array) -> tuple[float, Array]:
        values = outputs + phi @ flat.reshape(shape)
        slope = phi.T @ (softmax(values, axis=1) - chosen)
        loss = -float((log_softmax(values, axis=1) * chosen).sum()) + 0.5 * strength * float(flat @ flat)
        return loss, slope.ravel() + strength * flat

    optimum = minimize(misfit, np.zeros(shape[0] * shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": STEPS})
    departure = optimum.x.reshape(shape)
    shares = softmax(outputs + phi @ departure, axis=1)
    volume = _log_determinant(phi, shares, strength) if len(phi) <= DECIDE else np.nan
    return ClassHead(departure, strength, -float(optimum.fun) - 0.5 * volume)


def _log_determinant(phi: Array, shares: Array, strength: float) -> float:
    """``log |I + H / λ|``, H the Hessian of the log likelihood: in the space of rows, which are few."""
    rows, outputs = shares.shape
    kernel = phi @ phi.T / strength
    root = [np.diag(np.sqrt(own)) - np.outer(own, np.sqrt(own)) for own in shares]  # its product is diag(p) - p pᵀ
    blocks = np.einsum("nij,mil->njml", np.stack(root), np.stack(root)) * kernel[:, None, :, None]
    matrix = np.eye(rows * outputs) + blocks.reshape(rows * outputs, rows * outputs)
    return float(np.linalg.slogdet(matrix)[1])
