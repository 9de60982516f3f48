"""The squared exponential kernel, with its expectations under a Gaussian projection."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.kernels.base import Kernel, project

__all__ = ["SE", "SquaredExponential", "expected_kernel", "expected_outer"]


@dataclass(frozen=True)
class SquaredExponential(Kernel):
    """Squared exponential, exp(-½r²): infinitely smooth functions; the one with expectations under q(W)."""

    def of_exponents(self, exponent: Array) -> Array:
        """Their exponentials, in their memory."""
        return np.exp(exponent, out=exponent)

    def with_slopes(self, exponent: Array) -> tuple[Array, Array]:
        """The exponential is its own derivative: one array twice."""
        values = np.exp(exponent, out=exponent)
        return values, values

    def frequencies(self, count: int, width: int, rng: np.random.Generator) -> Array:
        """Standard normal ``[F, P]``."""
        return rng.standard_normal((count, width))

    def expected(self, x: Array, points: Array, mean: Array, spread: Array) -> tuple[Array, Array]:
        """``E[κ] [..., B, M]`` and ``E[κκᵀ] [..., B, M, M]``."""
        return expected_kernel(x, points, mean, spread), expected_outer(x, points, mean, spread)

    def expected_slopes(
        self, x: Array, points: Array, mean: Array, spread: Array, linear: Array, quadratic: Array
    ) -> tuple[Array, Array]:
        """Derivatives of the closed forms below, through ``μ_i·x`` and ``t_i``."""
        first, second = self.expected(x, points, mean, spread)
        centre, t = project(x, mean), np.square(x) @ np.square(spread).swapaxes(-1, -2)
        one = _moments(linear * first, centre, points)
        two = _pair_moments(quadratic * second, centre, points)
        by_centre = -one[1] / (1 + t) - 2 * two[1] / (1 + 2 * t)
        by_t = -0.5 * one[0] / (1 + t) + 0.5 * one[2] / (1 + t) ** 2
        by_t += -two[0] / (1 + 2 * t) + 2 * two[2] / (1 + 2 * t) ** 2
        by_mean: Array = by_centre.swapaxes(-1, -2) @ x
        by_spread: Array = 2 * spread * (by_t.swapaxes(-1, -2) @ np.square(x))
        return by_mean, by_spread


SE = SquaredExponential()


def expected_kernel(x: Array, points: Array, mean: Array, spread: Array) -> Array:
    """``E_q(W)[κ_j(x)]`` for a factorised Gaussian ``q(W)`` with mean and standard deviation ``[..., P, D]``.

    x ``[..., B, D]``, points ``[..., M, P]`` in the standardized domain -> ``[..., B, M]``. COOL-GP (AAAI-19), the
    expectation in equation 3, in closed form: ``Π_i (1+t_i)^-½ exp(-½ (μ_i·x - z_ji)² / (1+t_i))``, with
    ``t_i = Σ_d s_id² x_d²``.
    """
    t = np.square(x) @ np.square(spread).swapaxes(-1, -2)
    gap = project(x, mean)[..., :, None, :] - points[..., None, :, :]
    exponent = -0.5 * (np.square(gap) / (1.0 + t)[..., :, None, :]).sum(-1)
    expected: Array = np.exp(exponent - 0.5 * np.log1p(t).sum(-1)[..., None])
    return expected


def expected_outer(x: Array, points: Array, mean: Array, spread: Array) -> Array:
    """``E_q(W)[κ_j(x) κ_k(x)]`` per row, ``[..., B, M, M]``; arguments as in :func:`expected_kernel`.

    ``exp(-¼‖z_j - z_k‖²) Π_i (1+2t_i)^-½ exp(-(μ_i·x - (z_ji+z_ki)/2)² / (1+2t_i))``.
    """
    t = np.square(x) @ np.square(spread).swapaxes(-1, -2)
    share, centre = 1.0 / (1.0 + 2.0 * t), project(x, mean)
    middle = 0.5 * (points[..., :, None, :] + points[..., None, :, :])
    pairs = np.concatenate([middle, np.square(middle)], axis=-1).reshape(*points.shape[:-2], -1, 2 * points.shape[-1])
    rows = np.concatenate([2.0 * centre * share, -share], axis=-1)
    apart = np.square(points[..., :, None, :] - points[..., None, :, :]).sum(-1)
    exponent = (rows @ pairs.swapaxes(-1, -2)).reshape(*rows.shape[:-1], *apart.shape[-2:])
    exponent -= (np.square(centre) * share + 0.5 * np.log1p(2.0 * t)).sum(-1)[..., None, None]
    exponent -= 0.25 * apart[..., None, :, :]
    expected: Array = np.exp(exponent, out=exponent)
    return expected


def _moments(weight: Array, centre: Array, points: Array) -> tuple[Array, Array, Array]:
    """``Σ_j H_nj (c_ni - z_ji)^p`` for p = 0, 1, 2: weight ``[A,B,M]``, centre ``[A,B,P]`` -> three ``[A,B,P]``."""
    total = weight.sum(-1)[..., None]
    once, twice = weight @ points, weight @ np.square(points)
    return total, total * centre - once, total * np.square(centre) - 2 * centre * once + twice


def _pair_moments(weight: Array, centre: Array, points: Array) -> tuple[Array, Array, Array]:
    """The same about pair midpoints ``(z_ji + z_ki)/2``: symmetric weight ``[A,B,M,M]``."""
    total = weight.sum((-2, -1))[..., None]
    rows = weight.sum(-1)
    once = rows @ points
    crossed = np.einsum("abji,ji->abi", weight @ points, points)
    twice = 0.5 * (rows @ np.square(points) + crossed)
    return total, total * centre - once, total * np.square(centre) - 2 * centre * once + twice
