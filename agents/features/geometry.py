"""Inducing points seen through hyper-parameters, and the coordinates in which messages add up.

Statistics are whitened: with ``K + jitter·I = LLᵀ`` an agent is a Bayesian linear model on features ``φ = L⁻¹κ(x)``,
whose weights ``v`` are standard normal. Messages are in *common coordinates*, the same for agents with any
hyper-parameters; a :class:`Geometry` is the map between them and an agent's own whitened coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.base.triangular import product_with_lower

__all__ = ["Frame", "Geometry"]


@dataclass(frozen=True)
class Frame:
    """Common coordinates ``v`` of ``f(X_u) = Rv``: factor ``R [..., M, M]``, its inverse, and ``log |R| [...]``.

    carrier ``[..., M, M]``: ``K_ref⁻¹R`` without rounding: triangular, or the identity.
    """

    factor: Array
    inverse: Array
    log_determinant: Array
    carrier: Array


@dataclass(frozen=True)
class Geometry:
    """Inducing points seen through hyper-parameters.

    points ``[..., M, P]``: inducing points in the standardized domain. slopes ``[..., M, M]``: the kernel's derivative
    for each pair of them, see :meth:`coolgp.agents.kernels.base.Kernel.values_and_slopes`. factor, inverse
    ``[..., M, M]``: ``L`` and ``L⁻¹``. frame: the common coordinates, or None where they are the whitened ones. home
    ``[...]``: who is at the reference hyper-parameters, to the bit.
    """

    points: Array
    slopes: Array
    factor: Array
    inverse: Array
    frame: Frame | None = None
    home: Array | None = None

    def of(self, agents: slice | Indices) -> Geometry:
        """That of some of the agents: this one where all share it."""
        if len(self.points) == 1:
            return self
        home = None if self.home is None else self.home[agents]
        points, slopes = self.points[agents], self.slopes[agents]
        return Geometry(points, slopes, self.factor[agents], self.inverse[agents], self.frame, home)

    @cached_property
    def to_common(self) -> Array | None:
        """``L⁻¹R [..., M, M]``, or None for the identity: whitened features times this are in common coordinates."""
        return None if self.frame is None else product_with_lower(self.inverse, self.frame.factor)

    def rows_to_common(self, rows: Array) -> Array:
        """Rows ``[..., B, M]`` of whitened features, in common coordinates."""
        return rows if self.to_common is None else rows @ self.to_common

    def gram_to_common(self, gram: Array) -> Array:
        """A quadratic form ``[..., M, M]`` in whitened coordinates, in common ones."""
        return gram if self.to_common is None else _congruence(gram, self.to_common)

    @cached_property
    def prior(self) -> Array:
        """Prior precision ``[..., M, M]`` of common coordinates for a unit amplitude."""
        if self.to_common is None:
            return np.broadcast_to(np.eye(self.factor.shape[-1]), self.factor.shape)
        return self.to_common.swapaxes(-1, -2) @ self.to_common

    @cached_property
    def prior_log_determinant(self) -> Array:
        """Its log determinant ``[...]``."""
        if self.frame is None:
            return np.zeros(self.factor.shape[:-2])
        own: Array = np.log(np.diagonal(self.factor, axis1=-2, axis2=-1)).sum(-1)
        return 2.0 * (self.frame.log_determinant - own)

    @cached_property
    def kernel(self) -> Array:
        """``K [..., M, M]``, jitter included."""
        return self.factor @ self.factor.swapaxes(-1, -2)

    @cached_property
    def precision(self) -> Array:
        """``K⁻¹ [..., M, M]``."""
        return self.inverse.swapaxes(-1, -2) @ self.inverse

    @cached_property
    def common_covariance(self) -> Array:
        """Prior covariance ``[..., M, M]`` of common coordinates for a unit amplitude."""
        if self.frame is None:
            return np.eye(self.factor.shape[-1])
        root = self.frame.inverse @ self.factor
        return root @ root.swapaxes(-1, -2)

    @cached_property
    def carrier(self) -> Array:
        """``L⁻ᵀ to_common [..., M, M]``: ``κ(x)`` times this is the row that gives ``f(x)`` from common coordinates."""
        transposed = self.inverse.swapaxes(-1, -2)
        if self.frame is None or self.to_common is None:
            return transposed
        carrier = transposed @ self.to_common
        if self.home is not None:
            home = np.broadcast_to(self.home, carrier.shape[:-2])
            carrier[home] = np.broadcast_to(self.frame.carrier, carrier.shape)[home]
        return carrier


def _congruence(gram: Array, map_: Array) -> Array:
    return map_.swapaxes(-1, -2) @ gram @ map_
