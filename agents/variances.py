"""Signal and noise variance at the maximum of the collapsed bound, from sums alone.

Let ``λ_j`` be the eigenvalues of the whitened Gram matrix ``G = Σ φφᵀ`` of unit features, ``c = Uᵀ Σ φy`` and
``r = σ_s²/σ_η²``. Then -2 times the bound is

    n log 2πσ_η² + Σ_j log(1 + rλ_j) + (Σy² - r Σ_j c_j²/(1 + rλ_j)) / σ_η² + r (n - tr G)

For a given ratio the noise variance has a closed form, so that one number is left to be found, for ``O(M)`` a value.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.model import Model
from coolgp.agents.statistics import Evidence

__all__ = ["best_variances"]

REACH, POINTS, PASSES = 40.0, 81, 4
"""The ratio is sought within ± REACH log units of 1 on so many points, then anew between the neighbours of the best."""
NUMBERS = 2**16
"""Of a bound's terms that are made at once: half a megabyte, which stays in a core's cache."""


def best_variances(model: Model, theta: Array, evidence: Evidence) -> Array:
    """Logarithms of the signal and noise variance ``[A, 2]`` at the maximum of the bound of evidence ``[A]``.

    theta ``[A, K]``: the projections, and the variances by which the evidence is scaled; these are the answer for
    agents without evidence. One eigendecomposition for each row of the evidence.
    """
    spectra = _spectra(model, theta, evidence)
    found = theta[:, -2:].copy()
    informed = np.flatnonzero((evidence.count > 0) & (evidence.square > 0))
    together = max(1, NUMBERS // (POINTS * model.inducing))
    for first in range(0, len(informed), together):
        some = informed[first : first + together]
        found[some] = spectra.of(some).maxima()
    return found


@dataclass(frozen=True)
class _Spectra:
    """What the bounds of ``A`` agents are of: values ``λ [A, M]``, squares ``c² [A, M]``, ``Σy²`` and ``n`` ``[A]``."""

    values: Array
    squares: Array
    square: Array
    count: Array

    def of(self, agents: Indices) -> _Spectra:
        """Those of some of them."""
        return _Spectra(self.values[agents], self.squares[agents], self.square[agents], self.count[agents])

    def noise(self, ratio: Array) -> Array:
        """The best noise variance for each ratio ``[A, R]``, above the rounding of ``Σy²``."""
        terms = ratio[..., None] * self.squares[:, None] / (1.0 + ratio[..., None] * self.values[:, None])
        misfit = self.square[:, None] - terms.sum(-1)
        noise: Array = np.maximum(misfit, np.finfo(float).eps * self.square[:, None]) / self.count[:, None]
        return noise

    def cost(self, log_ratio: Array) -> Array:
        """-2 times the bound for each ratio ``[A, R]`` and its best noise variance, but for a constant."""
        ratio = np.exp(log_ratio)
        growth: Array = np.log1p(ratio[..., None] * self.values[:, None]).sum(-1)
        return self.count[:, None] * np.log(self.noise(ratio)) + growth

    def maxima(self) -> Array:
        """Logarithms of the signal and noise variances ``[A, 2]``."""
        agents = np.arange(len(self.count))
        low, high = np.full(len(agents), -REACH), np.full(len(agents), REACH)
        left = np.maximum(self.count - self.values.sum(-1), 0.0)  # n - tr G
        limit = np.log(self.count) - np.log(np.maximum(left, np.finfo(float).tiny))
        for _ in range(PASSES):
            points = np.minimum(np.linspace(low, high, POINTS).T, limit[:, None])
            points = np.ascontiguousarray(points)  # sums over M in the order of one agent's alone
            step = (high - low) / (POINTS - 1)
            best = points[agents, np.argmin(self.cost(points), axis=1)]
            low, high = best - step, best + step
        log_noise = np.log(self.noise(np.exp(best[:, None]))[:, 0])
        return np.stack([best + log_noise, log_noise], axis=1)


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
