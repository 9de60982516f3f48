"""Generalised product of experts: each expert's density to a power of its own.

Cao & Fleet, Generalized product of experts for automatic and principled fusion of Gaussian process predictions, 2014
(entropy weights); Deisenroth & Ng, Distributed Gaussian processes, ICML-15 (uniform weights).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.fusion.committees.base import Committee, Experts

__all__ = ["GPoE"]

IGNORANT = 1e-12
"""Weight of an expert without information, in nats: where no expert has any, all weigh alike."""


@dataclass(frozen=True)
class GPoE(Committee):
    """Generalised product of experts: precisions weighted by powers that sum to one, so that the prior is counted once.

    weights: ``entropy``, by what each expert knows of the function at the query, or ``uniform``, ``1/N``.
    ``1/σ² = Σ β_i/σ_i²`` and ``μ = σ² Σ β_i μ_i/σ_i²`` with ``Σ β_i = 1``.
    """

    sums_a_query: ClassVar[int] = 3
    weights: Literal["entropy", "uniform"] = "entropy"

    def terms(self, experts: Experts) -> Array:
        """Weight, weighted precision, and mean weighted by it."""
        gain = experts.entropy_gain + IGNORANT
        power = gain if self.weights == "entropy" else np.ones_like(gain)
        precision = power * experts.precision
        return np.stack([power, precision, precision * experts.mean], axis=1)

    def combined(self, sums: Array, experts: Experts, count: Array) -> tuple[Array, Array]:
        """The product, its powers scaled to sum to one."""
        return sums[:, 2] / sums[:, 1], sums[:, 0] / sums[:, 1]
