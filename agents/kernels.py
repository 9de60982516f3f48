"""The squared exponential kernel on projected inputs, and its expectations under a Gaussian projection.

An agent sees ``f(x) = σ_s u(Wx)`` with a unit Gaussian process ``u``, so every covariance is the unit kernel of two
projected points. All functions are batched over leading axes; axes: ``B`` rows, ``M`` inducing points, ``D`` inputs,
``P`` projected inputs.
"""

from __future__ import annotations

import numpy as np

from coolgp.agents.base.arrays import Array

__all__ = ["expected_kernel", "expected_outer", "project", "squared_exponential"]


def project(x: Array, projection: Array) -> Array:
    """``Wx`` for each row: x ``[..., B, D]``, projection ``[..., P, D]`` -> ``[..., B, P]``."""
    return x @ projection.swapaxes(-1, -2)


def squared_exponential(a: Array, b: Array) -> Array:
    """Unit kernel ``exp(-½‖a_n - b_j‖²)``: a ``[..., B, P]``, b ``[..., M, P]`` -> ``[..., B, M]``.

    >>> import numpy as np
    >>> squared_exponential(np.zeros((1, 2)), np.array([[0.0, 0.0], [1.0, 1.0]])).round(4)
    array([[1.    , 0.3679]])
    """
    exponent = a @ b.swapaxes(-1, -2)
    exponent -= 0.5 * np.square(a).sum(-1)[..., :, None]
    exponent -= 0.5 * np.square(b).sum(-1)[..., None, :]
    np.minimum(exponent, 0.0, out=exponent)  # rounding may leave a positive distance for equal points
    return np.exp(exponent, out=exponent)


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
