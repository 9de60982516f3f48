"""What all agents hold in common: the inducing inputs, and the coordinates in which their messages add up.

Statistics are whitened: with ``K + jitter·I = LLᵀ`` an agent is a Bayesian linear model on features ``φ = L⁻¹κ(x)``,
whose weights ``v`` are standard normal. Messages speak in *common coordinates*, the same for agents with any
hyper-parameters; a :class:`Geometry` is the map between them and an agent's own whitened coordinates.

:class:`FunctionBasis` (the default) fixes inducing inputs in the input domain: messages are about ``f(X_u)`` written as
``L_ref v_ref``, with ``L_ref`` the factor under reference hyper-parameters that everyone holds. :class:`LatentBasis`
fixes them in the standardized domain, as in the paper: messages are about ``u(Z)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

import numpy as np

from coolgp.agents.kernels import Array, expected_kernel, expected_outer, project, squared_exponential
from coolgp.agents.triangular import inverse_of_lower

__all__ = ["Basis", "FunctionBasis", "Geometry", "LatentBasis", "factorise"]


@dataclass(frozen=True)
class Frame:
    """Common coordinates ``v`` of ``f(X_u) = Rv``: factor ``R [M, M]``, its inverse, and ``log |R|``.

    carrier ``[M, M]``: ``K_ref⁻¹R`` without rounding: triangular, or the identity.
    """

    factor: Array
    inverse: Array
    log_determinant: float
    carrier: Array


@dataclass(frozen=True)
class Geometry:
    """Inducing points seen through hyper-parameters.

    points ``[..., M, P]``: inducing points in the standardized domain. kernel ``[..., M, M]``: their unit kernel
    matrix without jitter. factor, inverse ``[..., M, M]``: ``L`` and ``L⁻¹``. frame: the common coordinates, or None
    where they are the whitened ones. home ``[...]``: who is at the reference hyper-parameters, to the bit.
    """

    points: Array
    kernel: Array
    factor: Array
    inverse: Array
    frame: Frame | None = None
    home: Array | None = None

    @cached_property
    def to_common(self) -> Array | None:
        """``L⁻¹R [..., M, M]``, or None for the identity: whitened features times this are in common coordinates."""
        return None if self.frame is None else self.inverse @ self.frame.factor

    def rows_to_common(self, rows: Array) -> Array:
        """Rows ``[..., B, M]`` of whitened features, in common coordinates."""
        return rows if self.to_common is None else rows @ self.to_common

    def gram_to_common(self, gram: Array) -> Array:
        """A quadratic form ``[..., M, M]`` in whitened coordinates, in common ones."""
        return gram if self.to_common is None else _congruence(gram, self.to_common)

    @cached_property
    def prior(self) -> Array:
        """Prior precision ``[..., M, M]`` of common coordinates for a unit amplitude."""
        identity = np.eye(self.factor.shape[-1])
        return self.gram_to_common(np.broadcast_to(identity, self.factor.shape))

    @cached_property
    def prior_log_determinant(self) -> Array:
        """Its log determinant ``[...]``."""
        if self.frame is None:
            return np.zeros(self.factor.shape[:-2])
        own: Array = np.log(np.diagonal(self.factor, axis1=-2, axis2=-1)).sum(-1)
        return 2.0 * (self.frame.log_determinant - own)

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
            carrier[self.home] = self.frame.carrier
        return carrier


class Basis(Protocol):
    """Inducing inputs ``[M, D]`` (or ``[M, P]``) common to all agents, and what messages about them mean."""

    @property
    def inducing(self) -> Array:
        """Inducing inputs ``[M, D]``, or points ``[M, P]`` of the standardized domain."""
        ...

    @property
    def moves(self) -> bool:
        """Whether inducing points follow an agent's projection in the standardized domain."""
        ...

    def geometry(self, projection: Array) -> Geometry:
        """The inducing points under projections ``[..., P, D]``."""
        ...

    def scales(self, signal_variance: Array, noise_variance: Array) -> tuple[Array, Array]:
        """Factors ``[...]`` that turn unscaled sums (gram, cross) into scaled evidence (precision, shift)."""
        ...

    def amplitude(self, signal_variance: Array) -> Array:
        """Prior standard deviation ``[...]`` of what messages are about: ``σ_s`` or one."""
        ...

    def carry(self, old: Array, new: Array) -> Array | None:
        """``T [A, M, M]`` with ``G ← TᵀGT`` when projections move ``old -> new``; None where nothing need be done."""
        ...


def factorise(kernel: Array, jitter: float) -> Array:
    """Cholesky factor of ``K + jitter·I``, ``[..., M, M]``.

    Raises ValueError where the matrix is not positive definite, saying what to try.
    """
    try:
        return np.linalg.cholesky(kernel + jitter * np.eye(kernel.shape[-1]))
    except np.linalg.LinAlgError:
        raise ValueError(
            f"the kernel matrix of {kernel.shape[-1]} inducing inputs is not positive definite with jitter {jitter:g}: "
            "raise agents.jitter, take fewer inducing inputs, or shorten the lengthscales"
        ) from None


@dataclass(frozen=True)
class FunctionBasis:
    """Inducing inputs ``[M, D]`` in the input domain; messages are about ``f(X_u) = Rv``.

    reference ``[P, D]``: the projection under which ``R`` is formed, known to everyone. coordinates: ``whitened`` takes
    its Cholesky factor ``L_ref``: with an agent's own factor ``L``, ``v = σ_s L_ref⁻¹L v_own`` is well conditioned
    where ``K⁻¹`` is not. ``kernel`` takes ``K_ref`` itself: under the reference hyper-parameters features are then the
    plain kernel values, for half the arithmetic, at the price of as many digits as ``K``'s condition number has.
    """

    inducing: Array
    reference: Array
    jitter: float
    coordinates: Literal["whitened", "kernel"] = "whitened"
    moves: bool = True

    def geometry(self, projection: Array) -> Geometry:
        """The inducing inputs under projections ``[..., P, D]``."""
        points = project(self.inducing, projection)
        kernel = squared_exponential(points, points)
        factor = factorise(kernel, self.jitter)
        home = (projection == self.reference).all(axis=(-2, -1))
        return Geometry(points, kernel, factor, inverse_of_lower(factor), self._frame, home)

    def scales(self, signal_variance: Array, noise_variance: Array) -> tuple[Array, Array]:
        """Sums are about ``f`` itself: only the noise scales them."""
        return 1.0 / noise_variance, 1.0 / noise_variance

    def amplitude(self, signal_variance: Array) -> Array:
        """``σ_s``: ``f = σ_s L v``."""
        return np.sqrt(signal_variance)

    def carry(self, old: Array, new: Array) -> Array | None:
        """None: ``f(X_u)`` is the same random vector under any hyper-parameters."""
        return None

    @cached_property
    def _frame(self) -> Frame:
        points = project(self.inducing, self.reference)
        factor = factorise(squared_exponential(points, points), self.jitter)
        inverse, half = inverse_of_lower(factor), float(np.log(np.diagonal(factor)).sum())
        if self.coordinates == "whitened":
            return Frame(factor, inverse, half, inverse.T)
        return Frame(factor @ factor.T, inverse.T @ inverse, 2.0 * half, np.eye(len(factor)))


@dataclass(frozen=True)
class LatentBasis:
    """Inducing points ``Z [M, P]`` in the standardized domain; messages are about ``u(Z) = Lv``, as in the paper.

    Exact where all agents share hyper-parameters, and right where their phenomena are scaled copies of one another;
    where all observe one function but hold different projections, statistics about ``u`` do not mean the same.
    """

    inducing: Array
    jitter: float
    moves: bool = False

    def geometry(self, projection: Array) -> Geometry:
        """The same points under any projection ``[..., P, D]``."""
        lead = (1,) * (projection.ndim - 2)
        points, kernel, factor, inverse = (part.reshape(*lead, *part.shape) for part in self._parts)
        return Geometry(points, kernel, factor, inverse)

    @cached_property
    def _parts(self) -> tuple[Array, Array, Array, Array]:
        kernel = squared_exponential(self.inducing, self.inducing)
        factor = factorise(kernel, self.jitter)
        return self.inducing, kernel, factor, inverse_of_lower(factor)

    def scales(self, signal_variance: Array, noise_variance: Array) -> tuple[Array, Array]:
        """``σ_s²/σ_η²`` and ``σ_s/σ_η²``: COOL-GP (AAAI-19), equation 3."""
        return signal_variance / noise_variance, np.sqrt(signal_variance) / noise_variance

    def amplitude(self, signal_variance: Array) -> Array:
        """One: the scale is in the evidence already."""
        return np.ones_like(signal_variance)

    def carry(self, old: Array, new: Array) -> Array | None:
        """``T = L⁻¹ k(Z', Z) L⁻ᵀ`` with ``Z' = W_new W_old⁻¹ Z``, where the old points lie under the new projection."""
        geometry = self.geometry(new)
        moved = project(self.inducing, new @ np.linalg.inv(old))
        inverse = geometry.inverse
        transport: Array = inverse @ squared_exponential(moved, geometry.points) @ inverse.swapaxes(-1, -2)
        return transport

    def expected(self, geometry: Geometry, x: Array, mean: Array, spread: Array) -> tuple[Array, Array]:
        """``E[κ] [..., B, M]`` and ``E[κκᵀ] [..., B, M, M]`` under ``q(W)`` with moments ``[..., P, D]``."""
        return expected_kernel(x, geometry.points, mean, spread), expected_outer(x, geometry.points, mean, spread)


def _congruence(gram: Array, map_: Array) -> Array:
    return map_.swapaxes(-1, -2) @ gram @ map_
