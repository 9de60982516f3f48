"""Signal and noise variance at the maximum of the collapsed bound, from sums alone.

Let ``λ_j`` be the eigenvalues of the whitened Gram matrix ``G = Σ φφᵀ`` of unit features, ``c = Uᵀ Σ φy`` and
``r = σ_s²/σ_η²``. Then -2 times the bound is

    n log 2πσ_η² + Σ_j log(1 + rλ_j) + (Σy² - r Σ_j c_j²/(1 + rλ_j)) / σ_η² + r (n - tr G)

For a given ratio the noise variance has a closed form, so that one number is left to be found, for ``O(M)`` a value.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.model import Model
from coolgp.agents.statistics import Evidence

__all__ = ["best_variances"]

REACH, POINTS, PASSES = 40.0, 81, 4
"""The ratio is sought within ± REACH log units of 1 on so many points, then anew between the neighbours of the best."""


def best_variances(model: Model, theta: Array, evidence: Evidence) -> Array:
    """Logarithms of the signal and noise variance ``[A, 2]`` at the maximum of the bound of evidence ``[A]``.

    theta ``[A, K]``: the projections, and the variances by which the evidence is scaled; these are the answer for
    agents without evidence. One eigendecomposition for each row of the evidence.
    """
    spectra = _spectra(model, theta, evidence)
    found = theta[:, -2:].copy()
    for agent in np.flatnonzero((evidence.count > 0) & (evidence.square > 0)):
        found[agent] = spectra.of(int(agent)).maximum()
    return found


@dataclass(frozen=True)
class _Spectrum:
    """What the bound is of: values ``λ [M]``, squares ``c² [M]``, ``Σy²``, ``n``, and ``n - tr G``."""

    values: Array
    squares: Array
    square: float
    count: float
    left: float

    def noise(self, ratio: Array) -> Array:
        """The best noise variance for each ratio ``[R]``, above the rounding of ``Σy²``."""
        explained = (ratio[:, None] * self.squares / (1.0 + ratio[:, None] * self.values)).sum(-1)
        misfit = self.square - explained
        noise: Array = np.maximum(misfit, np.finfo(float).eps * self.square) / self.count
        return noise

    def cost(self, log_ratio: Array) -> Array:
        """-2 times the bound for each ratio ``[R]`` and its best noise variance, but for a constant."""
        ratio = np.exp(log_ratio)
        cost: Array = self.count * np.log(self.noise(ratio)) + np.log1p(ratio[:, None] * self.values).sum(-1)
        return cost

    def maximum(self) -> Array:
        """Logarithms of the signal and noise variance ``[2]``."""
        low, high = -REACH, REACH
        limit = np.log(self.count) - np.log(max(self.left, np.finfo(float).tiny))
        for _ in range(PASSES):
            points = np.minimum(np.linspace(low, high, POINTS), limit)
            step = (high - low) / (POINTS - 1)
            best = int(np.argmin(self.cost(points)))
            low, high = points[best] - step, points[best] + step
        log_ratio = points[best]
        log_noise = float(np.log(self.noise(np.exp(log_ratio[None]))[0]))
        return np.array([log_ratio + log_noise, log_noise])


@dataclass(frozen=True)
class _Spectra:
    """Spectra of ``A`` agents; shapes as in :class:`_Spectrum`, with a leading axis."""

    values: Array
    squares: Array
    square: Array
    count: Array

    def of(self, agent: int) -> _Spectrum:
        """That of one of them."""
        values, count = self.values[agent], float(self.count[agent])
        left = max(count - float(values.sum()), 0.0)
        return _Spectrum(values, self.squares[agent], float(self.square[agent]), count, left)


def _spectra(model: Model, theta: Array, evidence: Evidence) -> _Spectra:
    geometry, (quadratic, linear) = model.geometry(theta), model.scales(theta)
    gram, cross = evidence.precision / quadratic[:, None, None], evidence.shift / linear[:, None]
    if geometry.frame is not None:
        root = geometry.frame.inverse @ geometry.factor  # common coordinates v = root·w, with w of unit variance
        turned = root.swapaxes(-1, -2)
        gram, cross = turned @ gram @ root, (turned @ cross[..., None])[..., 0]
    values, vectors = np.linalg.eigh(gram)
    squares = np.square((vectors.swapaxes(-1, -2) @ cross[..., None])[..., 0])
    return _Spectra(
        values=np.maximum(values, 0.0),
        squares=squares,
        square=evidence.square * model.layout.noise_variance(theta),
        count=evidence.count,
    )
