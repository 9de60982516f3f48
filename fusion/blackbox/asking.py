"""What an expert is asked in an iteration, and the row that its agent adds to the sum.

Axes: ``S`` points of a query, ``Q`` queries, ``D`` inputs, ``K`` random directions.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.queries.black_box import BlackBox
from coolgp.fusion.blackbox.estimators import Density, Estimator, Slope

__all__ = ["Asking"]

CACHED = 64_000
"""Densities that an expert is asked for in one call where it is asked for more: their arrays stay in a core's cache."""


@dataclass(frozen=True)
class Asking:
    """curved: whether second derivatives are estimated too. width: of differences, in standard deviations."""

    estimator: Estimator
    curved: bool
    width: float

    def row(self, box: BlackBox, x: Array, y: Array, std: Array, z: Array | None) -> Array:
        """What an expert adds at x ``[Q, D]`` and points y ``[S, Q]``: its gradients, or curves, and a one.

        A curve is the Gaussian that fits its density at a point, ``λy + g`` and ``λ`` for ``λ = -f″``: an agent whose
        point is not quite that of another still adds the same. std ``[Q]``: its own; z ``[K, S, Q]``: directions.
        """
        slope = self.slope(partial(box.log_density, x), y, self.width * std, z)
        if slope.curvature is None:
            return np.append(slope.gradient, 1.0)
        precision = -slope.curvature
        return np.concatenate([(slope.gradient + precision * y).ravel(), precision.ravel(), [1.0]])

    def slope(self, density: Density, y: Array, width: Array, z: Array | None) -> Slope:
        """Derivatives at all points, of as many at a time as stay in a core's cache."""
        count = max(1, CACHED // max(1, self.estimator.queries(curved=self.curved) * len(width)))
        blocks = [slice(start, start + count) for start in range(0, len(y), count)]
        slopes = [
            self.estimator.slope(density, y[at], width, None if z is None else z[:, at], curved=self.curved)
            for at in blocks
        ]
        gradients, curvatures = [each.gradient for each in slopes], [each.curvature for each in slopes]
        second = [each for each in curvatures if each is not None]
        return Slope(np.concatenate(gradients), np.concatenate(second) if self.curved else None)
