"""Imitating a classifier by a softmax that is linear in features, from its probabilities at inputs.

Axes: ``U`` inputs, ``P`` features, ``K`` classes.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.surrogates.features import InducingFeatures
from coolgp.agents.experts.surrogates.softmax import SoftmaxSurrogate

__all__ = ["imitated_classifier"]

RIDGE = 1e-5
"""Half of it times the squared weights is added to the mean cross-entropy."""
ITERATIONS = 500


def imitated_classifier(
    probabilities: Array, x: Array, features: InducingFeatures, classes: Array, floor: float = 1e-3
) -> SoftmaxSurrogate:
    """The surrogate of least mean cross-entropy to probabilities ``[U, K]`` at x ``[U, D]``: convex, one query each.

    classes ``[K]``: labels. floor: the probabilities are mixed with so much of the uniform distribution, for a product
    of experts would be decided by the one that is surest of what it never saw.
    """
    phi, count = features(x), len(classes)
    target = (1.0 - floor) * probabilities + floor / count
    shape = (features.count, count)

    def loss(flat: Array) -> tuple[float, Array]:
        weights = flat.reshape(shape)
        logarithms = log_softmax(phi @ weights, axis=1)
        slope = phi.T @ (np.exp(logarithms) - target) / len(x) + RIDGE * weights
        value = -float(np.sum(target * logarithms)) / len(x) + 0.5 * RIDGE * float(np.sum(np.square(weights)))
        return value, slope.ravel()

    found = minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS})
    return SoftmaxSurrogate(features, found.x.reshape(shape), classes)
