"""Fusing the parameters of surrogates: one surrogate for the pseudo-labels of all owners, by sums over them.

Owner ``i`` has moments ``m, v`` of its own expert at inputs of its own, and

    J_i(β, γ) = Σ_t E log N(y | φ_tᵀβ, exp(2 φ_tᵀγ)),   E y = m_t, Var y = v_t

``J = Σ_i J_i`` is a sum, and so are its gradient and its Fisher information: a step of Fisher scoring needs one sum
over the owners, of a row that holds no input and no answer by itself. Axes: ``A`` owners, ``U`` inputs, ``P`` features.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.surrogates.features import InducingFeatures
from coolgp.agents.experts.surrogates.linear import LinearSurrogate
from coolgp.fusion.blackbox.imitation.gaussian import RegressionExpert, started
from coolgp.fusion.blackbox.imitation.slopes import moments_by_queries

__all__ = ["PseudoLabels", "begun", "pseudo_labels", "row_length", "stepped"]

RIDGE = 1e-6
"""Added to the Fisher information of a row, relative to its size: as of imitation."""
FURTHEST = 1.0
"""How far the log standard deviation may move in a step, in nats."""


@dataclass(frozen=True)
class PseudoLabels:
    """Moments that an expert states at inputs: features ``[U, P]``, mean ``[U]``, variance ``[U]``."""

    features: Array
    mean: Array
    variance: Array

    def objective(self, surrogate: LinearSurrogate) -> float:
        """``J_i`` in nats."""
        mean, log_std = self.features @ surrogate.mean_weights, self.features @ surrogate.log_std_weights
        squares = (np.square(self.mean - mean) + self.variance) * np.exp(-2.0 * log_std)
        return -float(np.sum(log_std + 0.5 * squares)) - 0.5 * len(mean) * float(np.log(2.0 * np.pi))

    def row(self, surrogate: LinearSurrogate) -> Array:
        """Gradients by ``β`` and ``γ``, and their Fisher informations with each symmetric pair once."""
        phi, upper = self.features, np.triu_indices(self.features.shape[1])
        precision = np.exp(-2.0 * (phi @ surrogate.log_std_weights))
        error = self.mean - phi @ surrogate.mean_weights
        by_log_std = (np.square(error) + self.variance) * precision - 1.0
        return np.concatenate(
            [
                phi.T @ (precision * error),
                phi.T @ by_log_std,
                _information(phi, precision)[upper],
                _information(phi, np.full(len(phi), 2.0))[upper],
            ]
        )


def pseudo_labels(expert: RegressionExpert, x: Array, features: InducingFeatures) -> PseudoLabels:
    """The moments of a Gaussian expert at x ``[U, D]``, by 3 queries each. Raises as `moments_by_queries`."""
    start, step = started(expert, x, features).predict(x)
    mean, std = moments_by_queries(expert, x, start, step)
    return PseudoLabels(features(x), mean, np.square(std))


def row_length(features: int) -> int:
    """Numbers of a row, for so many features P.

    >>> row_length(2)
    10
    """
    return 2 * features + features * (features + 1)


def begun(features: InducingFeatures) -> LinearSurrogate:
    """What all owners start from: mean 0 and standard deviation 1."""
    return LinearSurrogate(features, np.zeros(features.count), np.zeros(features.count))


def stepped(surrogate: LinearSurrogate, total: Array, rate: float = 1.0) -> LinearSurrogate:
    """The surrogate after a step of Fisher scoring, from the sum of all rows; as it was where the sum tells no step."""
    count = surrogate.features.count
    by_mean, by_log_std, *halves = np.split(total, np.cumsum([count, count, count * (count + 1) // 2]))
    try:
        mean, log_std = (
            np.linalg.solve(_unpacked(half, count), slope)
            for half, slope in zip(halves, (by_mean, by_log_std), strict=True)
        )
    except np.linalg.LinAlgError:
        return surrogate
    furthest = float(np.sqrt(2.0) * np.linalg.norm(log_std))  # features have norms of at most √2
    shorter = min(1.0, FURTHEST / furthest) if furthest > 0 else 1.0
    moved = surrogate.moved(rate * mean, rate * shorter * log_std)
    finite = np.isfinite(moved.mean_weights).all() and np.isfinite(moved.log_std_weights).all()
    return moved if finite else surrogate


def _information(phi: Array, weights: Array) -> Array:
    """``Σ w φφᵀ [P, P]`` with a ridge."""
    gram: Array = phi.T @ (weights[:, None] * phi)
    gram[np.diag_indices(len(gram))] += RIDGE * weights.sum()
    return gram


def _unpacked(half: Array, count: int) -> Array:
    full = np.zeros((count, count))
    full[np.triu_indices(count)] = half
    return np.asarray(full + np.triu(full, 1).T)
