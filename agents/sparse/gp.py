"""A sparse Gaussian process as a record: what its owner hands over, and what comes back from fusion.

With ``K + jitter·s² I = L Lᵀ`` the function at the inducing inputs is ``f(Z) = c + L v`` and the prior ``v ~ N(0, I)``.
Rows add evidence about ``v``, a precision ``G`` and a shift ``b``, so that the posterior ``N(μ, S)`` of ``f(Z)`` has

    S⁻¹ - K⁻¹ = L⁻ᵀ G L⁻¹        S⁻¹ (μ - c) = L⁻ᵀ b

``G`` and ``b`` have no unit, and nothing is lost to the difference of two inverses. Axes: ``M`` inducing inputs, ``D``
inputs, ``Q`` queries.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from coolgp.agents.base.arrays import Array
from coolgp.agents.kernels.registry import KERNELS
from coolgp.agents.sparse.collapsed import Parameters, SparsePosterior, covariance

__all__ = ["SparseGP"]


@dataclass(frozen=True)
class SparseGP:
    """Inducing inputs, hyper-parameters, and evidence about the function at the inducing inputs.

    parameters: inducing inputs, lengthscales and variances in the units of inputs and target. precision ``G [M, M]``,
    shift ``b [M]``: see the module. center: prior mean ``c`` of the function, a constant. kernel: a name of
    ``coolgp.agents.kernels.registry.KERNELS``. jitter: relative to the signal variance.
    """

    parameters: Parameters
    precision: Array
    shift: Array
    center: float = 0.0
    kernel: str = "se"
    jitter: float = 1e-6

    @staticmethod
    def of_posterior(posterior: SparsePosterior, center: float, kernel: str, jitter: float) -> SparseGP:
        """The record of a posterior of deviations from the center."""
        return SparseGP(posterior.parameters, *posterior.evidence(), center, kernel, jitter)

    @staticmethod
    def of_moments(
        parameters: Parameters,
        mean: Array,
        covariance: Array,
        center: float = 0.0,
        kernel: str = "se",
        jitter: float = 1e-6,
    ) -> SparseGP:
        """The record of a model that another program fitted, from mean ``[M]`` and covariance ``[M, M]`` of ``f(Z)``.

        Directions in which the covariance exceeds that of the prior have no evidence. Raises
        numpy.linalg.LinAlgError where the covariance is not positive definite.
        """
        size = len(mean)
        prior = SparseGP(parameters, np.zeros((size, size)), np.zeros(size), center, kernel, jitter)
        root = prior.whitened(cholesky(covariance, lower=True))
        variances, directions = np.linalg.eigh(root @ root.T)
        gained = np.maximum(1.0 / variances - 1.0, 0.0)
        deviations = directions.T @ prior.whitened(mean - center)
        shift = directions @ ((gained + (gained > 0)) * deviations)
        return SparseGP(parameters, (directions * gained) @ directions.T, shift, center, kernel, jitter)

    @property
    def size(self) -> int:
        """Numbers that predictions need: inducing inputs, hyper-parameters and evidence."""
        count, width = len(self.shift), len(self.parameters.lengthscale)
        return count * width + width + 3 + count * (count + 1) // 2 + count

    def in_units(self, mean: Array, scale: Array, target_mean: float, target_scale: float) -> SparseGP:
        """The same function, ``f·target_scale + target_mean`` of inputs ``z·scale + mean``; mean and scale ``[D]``."""
        at = self.parameters
        return replace(
            self,
            parameters=Parameters(
                inducing_inputs=at.inducing_inputs * scale + mean,
                lengthscale=at.lengthscale * scale,
                signal_variance=at.signal_variance * target_scale**2,
                noise_variance=at.noise_variance * target_scale**2,
            ),
            center=self.center * target_scale + target_mean,
        )

    def without_evidence(self) -> SparseGP:
        """The prior."""
        return replace(self, precision=np.zeros_like(self.precision), shift=np.zeros_like(self.shift))

    @cached_property
    def factor(self) -> Array:
        """``L [M, M]``, lower."""
        gram = self.covariance(self.parameters.inducing_inputs)
        gram[np.diag_indices(len(gram))] += self.jitter * self.parameters.signal_variance
        lower: Array = cholesky(gram, lower=True)
        return lower

    @cached_property
    def posterior(self) -> SparsePosterior:
        """Of deviations from the center; its bound, which only rows could tell, is NaN."""
        inner = cholesky(self.precision + np.eye(len(self.shift)), lower=True)
        half = solve_triangular(inner, self.shift, lower=True)
        mean = solve_triangular(inner, half, trans="T", lower=True)
        weights = solve_triangular(self.factor, mean, trans="T", lower=True)
        return SparsePosterior(self.parameters, self.factor, inner, weights, np.nan)

    def covariance(self, x: Array) -> Array:
        """Prior covariance ``[M, Q]`` of ``f(Z)`` and ``f(x)``, x ``[Q, D]``, without jitter."""
        return covariance(x, self.parameters, KERNELS[self.kernel])

    def whitened(self, values: Array) -> Array:
        """``L⁻¹ values``, values ``[M, ...]``."""
        solved: Array = solve_triangular(self.factor, values, lower=True)
        return solved

    def moments(self) -> tuple[Array, Array]:
        """Mean ``[M]`` and covariance ``[M, M]`` of the function at the inducing inputs."""
        mean, spread = self.posterior.inducing_moments()
        return mean + self.center, spread

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of an observation at x ``[Q, D]``, each ``[Q]``."""
        mean, variance = self.posterior.predict(x, KERNELS[self.kernel])
        return mean + self.center, np.sqrt(variance + self.parameters.noise_variance)
