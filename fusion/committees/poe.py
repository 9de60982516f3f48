"""Product of experts: predictive densities are multiplied (Hinton, Neural Computation 2002)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.fusion.committees.base import Committee, Experts

__all__ = ["PoE"]


@dataclass(frozen=True)
class PoE(Committee):
    """Product of experts: precisions add up, the prior's of every expert among them, and make it over-confident.

    ``1/σ² = Σ 1/σ_i²`` and ``μ = σ² Σ μ_i/σ_i²``.
    """

    def terms(self, experts: Experts) -> Array:
        """Precision, and mean weighted by it."""
        return np.stack([experts.precision, experts.precision * experts.mean], axis=1)

    def combined(self, sums: Array, experts: Experts, count: Array) -> tuple[Array, Array]:
        """The product of all experts."""
        return sums[:, 1] / sums[:, 0], 1.0 / sums[:, 0]
