"""What the bound of a sparse Gaussian process is a function of."""

from __future__ import annotations

from dataclasses import dataclass

from coolgp.agents.base.arrays import Array
from coolgp.agents.kernels.base import Kernel

__all__ = ["Parameters", "covariance"]


@dataclass(frozen=True)
class Parameters:
    """inducing_inputs ``[M, D]``, lengthscale ``[D]``, two variances."""

    inducing_inputs: Array
    lengthscale: Array
    signal_variance: float
    noise_variance: float


def covariance(x: Array, at: Parameters, kernel: Kernel) -> Array:
    """``s² k(Z, x)``, ``[M, n]``, of rows x ``[n, D]``."""
    values = kernel.values(at.inducing_inputs / at.lengthscale, x / at.lengthscale)
    return at.signal_variance * values
