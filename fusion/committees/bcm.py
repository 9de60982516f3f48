"""Bayesian committee machine (Tresp, Neural Computation 2000)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.fusion.committees.base import Committee, Experts

__all__ = ["BCM"]


@dataclass(frozen=True)
class BCM(Committee):
    """Bayesian committee machine: a product of experts that counts the prior once.

    ``1/σ² = Σ 1/σ_i² + (1-N)/σ_s²`` and ``μ = σ² Σ μ_i/σ_i²``.
    """

    def terms(self, experts: Experts) -> Array:
        """Precision gained over the prior's, and mean weighted by the precision."""
        return np.stack([experts.precision - 1.0 / experts.prior, experts.precision * experts.mean], axis=1)

    def combined(self, sums: Array, experts: Experts, count: Array) -> tuple[Array, Array]:
        """The prior once, and every expert's information."""
        precision = 1.0 / experts.prior + sums[:, 0]
        return sums[:, 1] / precision, 1.0 / precision
