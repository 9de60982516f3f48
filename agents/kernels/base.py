"""What a kernel is to everything else: values and slopes, and what only some kernels have.

An agent sees ``f(x) = σ_s u(Wx)`` with a unit Gaussian process ``u``, so every covariance is the unit kernel of two
projected inputs, ``k(a, b) = h(-½‖a - b‖²)`` with ``h(0) = 1``. Kernels are batched over leading axes.
Axes: ``B`` rows, ``M`` inducing points, ``D`` inputs, ``P`` projected inputs.

A new kernel is a file here with a frozen dataclass that derives from :class:`Kernel` (its docstring's first sentence is
what ``coolgp list`` shows), and a line in ``coolgp.agents.kernels.registry``. It may also offer what
:class:`HasSpectrum` and :class:`HasExpectations` ask for; where it does not, scenarios that need them are refused.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol, runtime_checkable

import numpy as np

from coolgp.agents.base.arrays import Array

__all__ = [
    "HasExpectations",
    "HasSpectrum",
    "Kernel",
    "differenced",
    "expectations_of",
    "exponents",
    "is_far",
    "project",
    "spectrum_of",
]


def project(x: Array, projection: Array) -> Array:
    """``Wx`` for each row: x ``[..., B, D]``, projection ``[..., P, D]`` -> ``[..., B, P]``."""
    return x @ projection.swapaxes(-1, -2)


def exponents(a: Array, b: Array) -> Array:
    """``-½‖a_n - b_j‖²``, at most 0: a ``[..., B, P]``, b ``[..., M, P]`` -> ``[..., B, M]``.

    >>> import numpy as np
    >>> exponents(np.zeros((1, 2)), np.array([[0.0, 0.0], [1.0, 1.0]])).tolist()
    [[0.0, -1.0]]
    """
    if is_far(a) or is_far(b):
        return differenced(a, b)
    exponent = a @ b.swapaxes(-1, -2)
    exponent -= 0.5 * np.square(a).sum(-1)[..., :, None]
    exponent -= 0.5 * np.square(b).sum(-1)[..., None, :]
    np.minimum(exponent, 0.0, out=exponent)  # rounding may leave a positive distance for equal points
    return exponent


FURTHEST = {8: 1e5, 4: 1e4}
"""Squared distances from the origin, in lengthscales, up to which a product leaves enough digits of distances: at least
ten in double precision, three in single; by bytes of a number."""


def is_far(points: Array) -> bool:
    """Whether a coordinate of points ``[...]`` is so far from the origin that its square hides differences."""
    most = FURTHEST.get(points.dtype.itemsize, FURTHEST[8]) ** 0.5
    return bool(points.size) and not (float(points.max()) <= most and float(points.min()) >= -most)


def differenced(a: Array, b: Array) -> Array:
    """``-½‖a_n - b_j‖²`` from differences, an input at a time: as accurate wherever the origin is; slower.

    >>> import numpy as np
    >>> differenced(np.array([[1e8]]), np.array([[1e8 + 1.0], [0.0]])).tolist()
    [[-0.5, -5000000000000000.0]]
    """
    exponent = np.zeros((*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-2]), a.dtype)
    for place in range(a.shape[-1]):
        apart = a[..., :, None, place] - b[..., None, :, place]
        with np.errstate(over="ignore"):  # infinitely far apart
            np.square(apart, out=apart)
        exponent -= 0.5 * apart
    return exponent


class Kernel(ABC):
    """A unit kernel of the distance of projected inputs, ``k(a, b) = h(-½‖a - b‖²)`` with ``h(0) = 1``."""

    @abstractmethod
    def of_exponents(self, exponent: Array) -> Array:
        """``h`` of exponents ``[...]``, whose memory it may reuse; rounding may leave exponents just above 0."""

    @abstractmethod
    def with_slopes(self, exponent: Array) -> tuple[Array, Array]:
        """``h`` and its derivative ``h'``, each ``[...]``, of exponents at most 0 ``[...]``; finite at 0.

        The two may be one array: nobody writes into them.
        """

    def values(self, a: Array, b: Array) -> Array:
        """``k(a_n, b_j)``: a ``[..., B, P]``, b ``[..., M, P]`` -> ``[..., B, M]``."""
        return self.of_exponents(exponents(a, b))

    def values_and_slopes(self, a: Array, b: Array) -> tuple[Array, Array]:
        """``k`` and ``h'``, each ``[..., B, M]``: the gradient of ``k(a_n, b_j)`` by ``a_n`` is ``-h'·(a_n - b_j)``."""
        return self.with_slopes(exponents(a, b))


@runtime_checkable
class HasSpectrum(Protocol):
    """A kernel whose spectral density can be sampled: what random Fourier features are made of."""

    def frequencies(self, count: int, width: int, rng: np.random.Generator) -> Array:
        """``ω [F, P]`` such that ``k(a, b)`` is the mean of ``cos ω·(a - b)``; F = count, P = width."""
        ...


@runtime_checkable
class HasExpectations(Protocol):
    """A kernel with closed forms under a factorised Gaussian ``q(W)`` of moments mean, spread ``[..., P, D]``.

    Each takes x ``[..., B, D]`` and points ``[..., M, P]`` in the standardized domain; ``κ(x) [M]`` are the kernel's
    values at the points.
    """

    def expected(self, x: Array, points: Array, mean: Array, spread: Array) -> tuple[Array, Array]:
        """``E[κ] [..., B, M]`` and ``E[κκᵀ] [..., B, M, M]`` by row."""
        ...

    def expected_slopes(
        self, x: Array, points: Array, mean: Array, spread: Array, linear: Array, quadratic: Array
    ) -> tuple[Array, Array]:
        """Derivatives of ``Σ_n linear_nᵀE[κ(x_n)] + tr(quadratic_n E[κκᵀ(x_n)])`` by the mean and by the spread.

        Points ``[M, P]``; linear ``[..., B, M]``, quadratic ``[..., B, M, M]``, symmetric; derivatives ``[..., P, D]``.
        """
        ...


def spectrum_of(kernel: Kernel) -> HasSpectrum:
    """The kernel itself, where its spectral density can be sampled; raises ValueError where it cannot."""
    if isinstance(kernel, HasSpectrum):
        return kernel
    raise ValueError(
        f"random Fourier features need a kernel with spectral sampling; {type(kernel).__name__} has none: "
        'take agents.basis = "inducing"'
    )


def expectations_of(kernel: Kernel) -> HasExpectations:
    """The kernel itself, where it has expectations under a Gaussian ``q(W)``; raises ValueError where it has none."""
    if isinstance(kernel, HasExpectations):
        return kernel
    raise ValueError(
        f"an uncertain projection needs a kernel with expectations under q(W); {type(kernel).__name__} has none: "
        "take agents.projection_std = 0"
    )
