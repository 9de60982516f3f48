"""What a sparse Gaussian process that was fitted alone hands over: its belief about f at its inducing inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.sparse_gp import SparseGPRegressor
from coolgp.agents.kernels.base import Kernel
from coolgp.agents.kernels.registry import KERNELS

__all__ = ["Belief", "Hyperparameters", "belief_of", "shared_hyperparameters"]

JITTER = 1e-6
"""Added to the diagonal of a kernel matrix, relative to the signal variance."""


@dataclass(frozen=True)
class Hyperparameters:
    """Of a Gaussian process with a constant mean: level, lengthscale ``[D]``, signal_variance, noise_variance."""

    level: float
    lengthscale: Array
    signal_variance: float
    noise_variance: float
    kernel: Kernel = KERNELS["se"]

    def covariance(self, a: Array, b: Array) -> Array:
        """``k(a, b)``: a ``[n, D]``, b ``[m, D]`` -> ``[n, m]``."""
        return self.signal_variance * self.kernel.values(a / self.lengthscale, b / self.lengthscale)

    def jittered(self, a: Array, b: Array) -> Array:
        """The covariance with the jitter where inputs are equal, as if it were a part of the kernel."""
        jitter = np.where((a[:, None] == b).all(axis=-1), JITTER * self.signal_variance, 0.0)
        return self.covariance(a, b) + jitter

    def factor(self, inputs: Array, nugget: float = 0.0) -> Array:
        """Lower Cholesky factor of ``k(Z, Z)`` with jitter and a nugget, a variance, on its diagonal."""
        gram = self.covariance(inputs, inputs)
        gram[np.diag_indices(len(inputs))] += JITTER * self.signal_variance + nugget
        return np.asarray(cholesky(gram, lower=True))


@dataclass(frozen=True)
class Belief:
    """``q(u) = N(mean, covariance)`` of f at inducing_inputs ``[M, D]``, under the prior of the hyper-parameters."""

    inducing_inputs: Array
    mean: Array
    covariance: Array
    hyperparameters: Hyperparameters

    def __post_init__(self) -> None:
        size = len(self.inducing_inputs)
        arrays = self.inducing_inputs, self.mean, self.covariance, self.hyperparameters.lengthscale
        shapes = [array.shape for array in arrays]
        if self.inducing_inputs.ndim != 2 or shapes[1:3] != [(size,), (size, size)]:
            raise ValueError(f"A belief needs inputs [M, D], a mean [M] and a covariance [M, M]; got {shapes[:3]}")
        if not all(np.isfinite(array).all() for array in arrays):
            raise ValueError("A belief needs finite numbers; got NaN or infinity")

    def evidence(self) -> tuple[Array, Array]:
        """What the rows said of ``v = L⁻¹(u - level)``, with ``L Lᵀ = k(Z, Z)``: directions and signal, no prior in it.

        ``q(v)`` has the precision ``I + R Rᵀ``, of which the prior gave the identity. R ``[M, M]``: columns are
        directions times the root of the precision; t ``[M]``: the value that was seen along each, so that the rows are
        worth the observations ``Rᵀ v = t`` with unit variance.
        """
        factor = self.hyperparameters.factor(self.inducing_inputs)
        half = solve_triangular(factor, self.covariance, lower=True)
        spread, directions = np.linalg.eigh(solve_triangular(factor, half.T, lower=True))
        spread = np.clip(spread, 1e-12, 1.0)
        roots = np.sqrt(1.0 / spread - 1.0)
        mean = directions.T @ solve_triangular(factor, self.mean - self.hyperparameters.level, lower=True)
        seen = np.where(roots > 0, mean / (spread * np.where(roots > 0, roots, 1.0)), 0.0)
        return directions * roots, seen


def belief_of(model: SparseGPRegressor) -> Belief:
    """The belief of a fitted regressor, in original units."""
    posterior, scale = model._posterior, model._target_scale
    mean, covariance = posterior.inducing_moments()
    settings = Hyperparameters(
        level=model._target_center,
        lengthscale=model.lengthscale_,
        signal_variance=model.signal_variance_,
        noise_variance=model.noise_variance_,
        kernel=KERNELS[model.kernel],
    )
    return Belief(model.inducing_inputs_, mean * scale + model._target_center, covariance * scale**2, settings)


def shared_hyperparameters(beliefs: Sequence[Belief]) -> Hyperparameters:
    """Median of each hyper-parameter over the beliefs, of its logarithm where it is positive.

    Raises ValueError for beliefs of different inputs or kernels.
    """
    all_of = [belief.hyperparameters for belief in beliefs]
    widths = {len(one.lengthscale) for one in all_of}
    if len(widths) != 1 or len({one.kernel for one in all_of}) != 1:
        raise ValueError("Fusing Gaussian processes needs one kernel and the same inputs in all of them")
    return Hyperparameters(
        level=float(np.median([one.level for one in all_of])),
        lengthscale=np.exp(np.median([np.log(one.lengthscale) for one in all_of], axis=0)),
        signal_variance=float(np.exp(np.median([np.log(one.signal_variance) for one in all_of]))),
        noise_variance=float(np.exp(np.median([np.log(one.noise_variance) for one in all_of]))),
        kernel=all_of[0].kernel,
    )
