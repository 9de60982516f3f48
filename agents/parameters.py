"""Hyper-parameters as one flat, unconstrained vector per agent, so that one code can step, average and store them.

``θ [A, K]`` holds the projection ``W`` (the logarithm of its diagonal, or the full matrix), optionally the logarithm of
its standard deviation under ``q(W)``, and ``log σ_s²``, ``log σ_η²``. A :class:`Layout` says which is where.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coolgp.agents.base.arrays import Array

__all__ = ["Layout"]

LOG_BOUND = 7.0
"""Lengthscales are held within ± this of where they started: logarithms, so a factor of about 1,100."""
VARIANCE_BOUND = 18.0
"""The same for the variances: data without noise may follow a start with much of it."""


@dataclass(frozen=True)
class Layout:
    """Where each hyper-parameter stands in ``θ [A, K]``.

    inputs: number of inputs ``D``. full: ``W`` is a full ``D × D`` matrix instead of a positive diagonal. A full ``W``
    is known only up to a rotation, so all agents must start from the same one. uncertain: ``θ`` also holds the standard
    deviations of a factorised Gaussian ``q(W)`` around it.
    """

    inputs: int
    full: bool = False
    uncertain: bool = False

    @property
    def width(self) -> int:
        """Number of entries that describe the mean of ``W``."""
        return self.inputs**2 if self.full else self.inputs

    @property
    def size(self) -> int:
        """Length ``K`` of a hyper-parameter vector."""
        return self.width * (2 if self.uncertain else 1) + 2

    def pack(self, lengthscale: Array, signal_variance: float, noise_variance: float, spread: float = 0.0) -> Array:
        """Starting vectors ``[..., K]`` from lengthscales ``[..., D]``, variances, and one deviation for ``q(W)``."""
        weight = 1.0 / np.asarray(lengthscale, dtype=float)
        weight = np.broadcast_to(weight, (*weight.shape[:-1], self.inputs))
        mean = self._flat(weight[..., :, None] * np.eye(self.inputs))
        deviation = np.full(self.width, np.log(spread)) if self.uncertain else np.empty(0)
        rest = np.concatenate([deviation, np.log([signal_variance, noise_variance])])
        rest = np.broadcast_to(rest, (*mean.shape[:-1], rest.size))
        return np.concatenate([mean if self.full else np.log(mean), rest], axis=-1)

    def projection(self, theta: Array) -> Array:
        """The (mean) projection ``[..., D, D]`` of ``θ [..., K]``."""
        return self._matrix(theta[..., : self.width] if self.full else np.exp(theta[..., : self.width]))

    def spread(self, theta: Array) -> Array:
        """Standard deviations of ``q(W)``, ``[..., D, D]``; zeros for a point estimate and off a diagonal."""
        if not self.uncertain:
            return np.zeros((*theta.shape[:-1], self.inputs, self.inputs))
        return self._matrix(np.exp(theta[..., self.width : 2 * self.width]))

    def signal_variance(self, theta: Array) -> Array:
        """``σ_s² [...]``."""
        return np.exp(theta[..., -2])

    def noise_variance(self, theta: Array) -> Array:
        """``σ_η² [...]``."""
        return np.exp(theta[..., -1])

    def lengthscale(self, theta: Array) -> Array:
        """Lengthscale of each input, ``[..., D]``: the reciprocal norm of its column of ``W``."""
        lengthscale: Array = 1.0 / np.linalg.norm(self.projection(theta), axis=-2)
        return lengthscale

    def gradient(self, theta: Array, projection: Array, spread: Array | None, variances: Array) -> Array:
        """Chain rule to ``θ`` from derivatives by ``W``, by its deviation (``[..., D, D]``) and by log variances."""
        by_mean = self._flat(projection)
        if not self.full:
            by_mean = by_mean * np.exp(theta[..., : self.width])
        if not self.uncertain:
            return np.concatenate([by_mean, variances], axis=-1)
        deviation = np.exp(theta[..., self.width : 2 * self.width])
        by_deviation = np.zeros_like(by_mean) if spread is None else self._flat(spread) * deviation
        return np.concatenate([by_mean, by_deviation, variances], axis=-1)

    def stretched(self, theta: Array, factor: float) -> Array:
        """``θ [..., K]`` with lengthscales that are so many times as long, and a ``q(W)`` that is as much narrower."""
        moved, width = theta.copy(), self.width
        moved[..., :width] = theta[..., :width] / factor if self.full else theta[..., :width] - np.log(factor)
        moved[..., width:-2] -= np.log(factor)
        return moved

    def bounded(self, theta: Array, origin: Array) -> Array:
        """``θ`` held near ``origin [K]``, so that every kernel matrix stays representable; variances may go further."""
        reach = np.full(self.size, LOG_BOUND)
        reach[-2:] = VARIANCE_BOUND
        return np.clip(theta, origin - reach, origin + reach)

    def names(self, features: tuple[str, ...]) -> tuple[str, ...]:
        """Column names of the lengthscales and the two variances, in that order."""
        return (*(f"lengthscale_{name}" for name in features), "signal_variance", "noise_variance")

    def _matrix(self, entries: Array) -> Array:
        if self.full:
            return entries.reshape(*entries.shape[:-1], self.inputs, self.inputs)
        return entries[..., :, None] * np.eye(self.inputs)

    def _flat(self, matrix: Array) -> Array:
        if self.full:
            return matrix.reshape(*matrix.shape[:-2], self.width)
        return np.diagonal(matrix, axis1=-2, axis2=-1)
