"""Bases of features that all agents share: how inputs become features, and what messages are about.

:class:`FunctionBasis` (the default) fixes inducing inputs in the input domain: messages are about ``f(X_u)`` written as
``L_ref v_ref``, with ``L_ref`` the factor under reference hyper-parameters that all agents share. :class:`LatentBasis`
fixes them in the standardized domain, as in the paper: messages are about ``u(Z)``. Random features are another basis,
``coolgp.agents.features.fourier``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Literal, Protocol, Self

import numpy as np
import numpy.typing as npt

from coolgp.agents.base.arrays import Array
from coolgp.agents.base.triangular import inverse_of_lower
from coolgp.agents.features.geometry import Frame, Geometry
from coolgp.agents.features.lens import KernelLens, Lens, kernel_lens
from coolgp.agents.kernels.base import Kernel, expectations_of, project
from coolgp.agents.kernels.se import SE

__all__ = ["AboutFunction", "Basis", "FunctionBasis", "InducingInputs", "LatentBasis", "factorise"]


class Basis(Protocol):
    """``M`` features ``κ(x)`` common to all agents, and the coordinates of messages about them."""

    @property
    def size(self) -> int:
        """Number of features ``M``."""
        ...

    @property
    def moves(self) -> bool:
        """Whether messages are about ``f`` itself: inducing points then follow an agent's projection."""
        ...

    @property
    def learns(self) -> bool:
        """Whether the projection can be learned: sums keep their meaning, or can be carried along, when it moves."""
        ...

    def geometry(self, projection: Array) -> Geometry:
        """The features' covariance under projections ``[..., P, D]``."""
        ...

    def values(self, points: Array, projection: Array, x: Array) -> Array:
        """``κ(x) [..., M, B]`` of ``x [..., B, D]`` for a geometry's points and projections ``[..., P, D]``."""
        ...

    def lens(self, projection: Array, geometry: Geometry, dtype: npt.DTypeLike, *, common: bool) -> Lens:
        """What turns rows of data into features: in common coordinates, or in whitened ones."""
        ...

    def stretched(self, factor: float) -> Self:
        """The same basis for lengthscales times the factor."""
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

    Raises ValueError where the matrix is not positive definite, with what to try.
    """
    try:
        return np.linalg.cholesky(kernel + jitter * np.eye(kernel.shape[-1]))
    except np.linalg.LinAlgError:
        raise ValueError(
            f"the kernel matrix of {kernel.shape[-1]} inducing inputs is not positive definite with jitter {jitter:g}: "
            "raise agents.jitter, take fewer inducing inputs, or shorten the lengthscales"
        ) from None


class AboutFunction:
    """What bases share whose sums are about ``f`` itself, under any hyper-parameters."""

    def scales(self, signal_variance: Array, noise_variance: Array) -> tuple[Array, Array]:
        """Only the noise scales them."""
        return 1.0 / noise_variance, 1.0 / noise_variance

    def amplitude(self, signal_variance: Array) -> Array:
        """``σ_s``: of the weights ``v`` of features in ``f``."""
        return np.sqrt(signal_variance)

    def carry(self, old: Array, new: Array) -> Array | None:
        """None: sums are about the same values when projections change."""
        return None


class InducingInputs:
    """What bases of inducing inputs, or points, share: ``κ(x)`` are kernel values."""

    inducing: Array
    kernel: Kernel
    learns: ClassVar[bool] = True

    @property
    def size(self) -> int:
        """Number of inducing inputs ``M``."""
        return int(self.inducing.shape[-2])

    def values(self, points: Array, projection: Array, x: Array) -> Array:
        """The unit kernel between points ``[..., M, P]`` and projected inputs."""
        return self.kernel.values(points, project(x, projection))

    def lens(self, projection: Array, geometry: Geometry, dtype: npt.DTypeLike, *, common: bool) -> KernelLens:
        """Kernel values, carried to common coordinates, or to whitened ones."""
        carrier = geometry.carrier if common else geometry.inverse.swapaxes(-1, -2)
        return kernel_lens(projection, geometry.points, carrier, dtype, self.kernel)


@dataclass(frozen=True)
class FunctionBasis(AboutFunction, InducingInputs):
    """Inducing inputs ``[M, D]`` in the input domain; messages are about ``f(X_u) = Rv``.

    Where each agent has its own, ``[A, M, D]``, each has coordinates ``v`` of its own.

    reference ``[P, D]``: the projection under which ``R`` is formed, the same for all. coordinates: ``whitened`` takes
    its Cholesky factor ``L_ref``: with an agent's own factor ``L``, ``v = σ_s L_ref⁻¹L v_own`` is well conditioned
    where ``K⁻¹`` is not. ``kernel`` takes ``K_ref`` itself: under the reference hyper-parameters features are then the
    plain kernel values, for half the arithmetic, at the price of as many digits as ``K``'s condition number has.
    """

    inducing: Array
    reference: Array
    jitter: float
    coordinates: Literal["whitened", "kernel"] = "whitened"
    kernel: Kernel = SE
    moves: ClassVar[bool] = True

    def geometry(self, projection: Array) -> Geometry:
        """The inducing inputs under projections ``[..., P, D]``."""
        points = project(self.inducing, projection)
        kernel, slopes = self.kernel.values_and_slopes(points, points)
        factor = factorise(kernel, self.jitter)
        return Geometry(
            points=points,
            slopes=slopes,
            factor=factor,
            inverse=inverse_of_lower(factor),
            frame=self.frame,
            home=(projection == self.reference).all(axis=(-2, -1)),
        )

    def stretched(self, factor: float) -> FunctionBasis:
        """The same inducing inputs, with a reference that has longer lengthscales."""
        return replace(self, reference=self.reference / factor)

    def extended(self, inputs: Array) -> FunctionBasis:
        """The same with more inducing inputs ``[J, D]`` behind the others.

        ``f(X_u) = L_ref v[:M]`` with the same ``L_ref``, which is the leading block of the larger factor: evidence
        about it is evidence about ``v`` without information about new ones. Raises ValueError for other coordinates.
        """
        if self.coordinates != "whitened":
            raise ValueError(
                f'inducing inputs can join in "whitened" coordinates alone; these are "{self.coordinates}"'
            )
        return replace(self, inducing=np.concatenate([self.inducing, inputs]))

    def at(self, inputs: Array) -> FunctionBasis:
        """The same with other inducing inputs ``[M, D]`` and coordinates of their own, at the same reference."""
        return replace(self, inducing=inputs)

    @cached_property
    def frame(self) -> Frame:
        """The coordinates ``v``, which follow from inducing inputs and reference alone."""
        points = project(self.inducing, self.reference)
        factor = factorise(self.kernel.values(points, points), self.jitter)
        inverse, half = inverse_of_lower(factor), np.log(np.diagonal(factor, axis1=-2, axis2=-1)).sum(-1)
        upper = inverse.swapaxes(-1, -2)
        if self.coordinates == "whitened":
            return Frame(factor, inverse, half, upper)
        return Frame(factor @ factor.swapaxes(-1, -2), upper @ inverse, 2.0 * half, np.eye(factor.shape[-1]))


@dataclass(frozen=True)
class LatentBasis(InducingInputs):
    """Inducing points ``Z [M, P]`` in the standardized domain; messages are about ``u(Z) = Lv``, as in the paper.

    Exact where all agents share hyper-parameters, and right where their phenomena are scaled copies of one another;
    where all observe one function through different projections, statistics about ``u`` are about different values.
    """

    inducing: Array
    jitter: float
    kernel: Kernel = SE
    moves: ClassVar[bool] = False

    def geometry(self, projection: Array) -> Geometry:
        """The same points under any projection ``[..., P, D]``."""
        lead = (1,) * (projection.ndim - 2)
        points, slopes, factor, inverse = (matrix.reshape(*lead, *matrix.shape) for matrix in self._matrices)
        return Geometry(points=points, slopes=slopes, factor=factor, inverse=inverse)

    @cached_property
    def _matrices(self) -> tuple[Array, Array, Array, Array]:
        kernel, slopes = self.kernel.values_and_slopes(self.inducing, self.inducing)
        factor = factorise(kernel, self.jitter)
        return self.inducing, slopes, factor, inverse_of_lower(factor)

    def scales(self, signal_variance: Array, noise_variance: Array) -> tuple[Array, Array]:
        """``σ_s²/σ_η²`` and ``σ_s/σ_η²``: COOL-GP (AAAI-19), equation 3."""
        return signal_variance / noise_variance, np.sqrt(signal_variance) / noise_variance

    def amplitude(self, signal_variance: Array) -> Array:
        """One: the scale is in the evidence already."""
        return np.ones_like(signal_variance)

    def carry(self, old: Array, new: Array) -> Array | None:
        """``T = L⁻¹ k(Z', Z) L⁻ᵀ`` with ``Z' = W_new W_old⁻¹ Z``, the old points under the new projection."""
        geometry = self.geometry(new)
        moved = project(self.inducing, new @ np.linalg.inv(old))
        inverse = geometry.inverse
        transport: Array = inverse @ self.kernel.values(moved, geometry.points) @ inverse.swapaxes(-1, -2)
        return transport

    def stretched(self, factor: float) -> LatentBasis:
        """The points of the same inputs under the longer lengthscales."""
        return replace(self, inducing=self.inducing / factor)

    def expected(self, geometry: Geometry, x: Array, mean: Array, spread: Array) -> tuple[Array, Array]:
        """``E[κ] [..., B, M]`` and ``E[κκᵀ] [..., B, M, M]`` under ``q(W)`` with moments ``[..., P, D]``.

        Raises ValueError for a kernel that has no expectations.
        """
        return expectations_of(self.kernel).expected(x, geometry.points, mean, spread)
