"""An output layer fitted afresh on the hidden features of a fused network, from sums over the networks' owners.

Every owner adds up ``Σ φφᵀ``, ``Σ φyᵀ`` and ``Σ yyᵀ`` of its rows, with φ the features and a constant 1 and y the row's
class as a unit vector. The sums of all give ridge regression on all rows, no row leaving its owner, and the ridge
strength by the evidence of a Gaussian prior on the weights (MacKay, "Bayesian interpolation", Neural Computation 1992).
Outputs are scores of the classes, not log probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np
from scipy.optimize import minimize_scalar

from coolgp.agents.base.arrays import Array, Indices

__all__ = ["HeadSums", "Ridge", "head_sums", "refitted_head", "ridge_by_evidence"]

STRENGTHS = (1e-10, 1e4)
"""Ridge strengths to search, as shares of the mean eigenvalue of the features' moments."""


@dataclass(frozen=True)
class HeadSums:
    """Sums over rows: gram ``[H + 1, H + 1]`` of features and 1, cross ``[H + 1, K]`` with classes, squares ``[K]``."""

    gram: Array
    cross: Array
    squares: Array

    def __add__(self, other: HeadSums) -> HeadSums:
        return HeadSums(self.gram + other.gram, self.cross + other.cross, self.squares + other.squares)


def head_sums(features: Array, classes: Indices, number: int) -> HeadSums:
    """Sums over one owner's rows: features ``[n, H]``, classes ``[n]`` of so many."""
    rows = np.hstack([features, np.ones((len(features), 1))])
    targets = np.eye(number)[classes]
    return HeadSums(rows.T @ rows, rows.T @ targets, np.square(targets).sum(axis=0))


def refitted_head(sums: list[HeadSums]) -> tuple[Array, Array]:
    """Weights ``[H, K]`` and biases ``[K]`` from the sums of all owners. Raises ValueError where these have no rows.

    The features' mean and the classes' are taken out first, so that biases are not shrunk.
    """
    total = reduce(HeadSums.__add__, sums)
    rows = float(total.gram[-1, -1])
    if not rows:
        raise ValueError("Refitting the output layer needs rows; the shards have none")
    mean, level = total.gram[-1, :-1] / rows, total.cross[-1] / rows
    gram = total.gram[:-1, :-1] - rows * np.outer(mean, mean)
    cross = total.cross[:-1] - rows * np.outer(mean, level)
    squares = float((total.squares - rows * level**2).sum())
    weights = ridge_by_evidence(gram, cross, squares, rows).weights
    return weights, level - mean @ weights


@dataclass(frozen=True)
class Ridge:
    """Ridge regression: weights ``[H, K]``, strength, log evidence in nats, and the posterior of each output's weights.

    Its covariance is ``noise_variance · directions (eigenvalues + strength)⁻¹ directionsᵀ``.
    """

    weights: Array
    strength: float
    noise_variance: float
    log_evidence: float
    eigenvalues: Array
    directions: Array

    def variance(self, rows: Array) -> Array:
        """Of an output at rows ``[n, H]``, from uncertain weights alone: ``[n]``."""
        spread: Array = np.square(rows @ self.directions) @ (1.0 / (self.eigenvalues + self.strength))
        return self.noise_variance * spread


def ridge_by_evidence(gram: Array, cross: Array, squares: float, rows: float) -> Ridge:
    """Ridge regression from sums over rows: ``ΦᵀΦ [H, H]``, ``ΦᵀY [H, K]`` and ``Σ y²`` of all K outputs.

    Strength and noise variance are those with the largest evidence.
    """
    outputs = cross.shape[1]
    eigenvalues, directions = np.linalg.eigh(gram)
    eigenvalues, projected = np.maximum(eigenvalues, 0.0), directions.T @ cross
    powers = np.square(projected).sum(axis=1)
    strength = _strength(eigenvalues, powers, squares, rows * outputs, outputs)
    weights = directions @ (projected / (eigenvalues + strength)[:, None])
    residual = max(squares - float((powers / (eigenvalues + strength)).sum()), 1e-12 * squares + 1e-300)
    noise, values = residual / (rows * outputs), rows * outputs
    penalty = outputs * float(np.log1p(eigenvalues / strength).sum())
    evidence = -0.5 * (values * (1.0 + np.log(2.0 * np.pi * noise)) + penalty)
    return Ridge(weights, strength, noise, evidence, eigenvalues, directions)


def _strength(eigenvalues: Array, projected: Array, squares: float, values: float, outputs: int) -> float:
    """The ridge strength with the largest evidence, the noise variance being the best for each.

    ``n K log σ² + K Σ log(1 + e/λ)`` with ``n K σ² = Σ y² - Σ q²/(e + λ)`` is least there.
    """
    scale = max(float(eigenvalues.mean()), 1e-300)

    def misfit(log_share: float) -> float:
        strength = scale * np.exp(log_share)
        residual = max(squares - float((projected / (eigenvalues + strength)).sum()), 1e-12 * squares + 1e-300)
        return float(values * np.log(residual) + outputs * np.log1p(eigenvalues / strength).sum())

    lowest, highest = STRENGTHS
    best = minimize_scalar(misfit, bounds=(float(np.log(lowest)), float(np.log(highest))), method="bounded")
    return scale * float(np.exp(best.x))
