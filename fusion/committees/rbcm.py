"""Robust Bayesian committee machine (Deisenroth & Ng, Distributed Gaussian processes, ICML-15)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.fusion.committees.base import Committee, Experts

__all__ = ["RBCM"]


@dataclass(frozen=True)
class RBCM(Committee):
    """Robust Bayesian committee machine: experts are weighted by information at the query; the prior far from data.

    ``1/σ² = Σ β_i/σ_i² + (1-Σβ_i)/σ_s²`` and ``μ = σ² Σ β_i μ_i/σ_i²`` with ``β_i = ½(log σ_s² - log σ_i²)``.
    """

    def terms(self, experts: Experts) -> Array:
        """Weighted precision gained over the prior's, and mean weighted by the weighted precision."""
        precision = experts.entropy_gain * experts.precision
        return np.stack([precision - experts.entropy_gain / experts.prior, precision * experts.mean], axis=1)

    def combined(self, sums: Array, experts: Experts, count: Array) -> tuple[Array, Array]:
        """The prior once, and every expert's information."""
        precision = 1.0 / experts.prior + sums[:, 0]
        return sums[:, 1] / precision, 1.0 / precision
