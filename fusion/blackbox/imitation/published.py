"""The imitation that Hoang et al. (ICML 2019) print: an alternation whose objective has no lower bound.

Samples are ``y = h(ε; u) = c + d ε``, a transport with parameters of its own. The surrogate's step lowers
``log q(y|x)`` with the samples held fixed, so that it moves away from them; the expert has no part in it. The
divergence grows without limit. Kept to be compared with; the samples have to be the surrogate's own, as in ``slopes``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.surrogates.linear import LinearSurrogate
from coolgp.fusion.blackbox.imitation.slopes import AnswersDensities

__all__ = ["published"]

LARGEST = 100.0
"""A logarithm of standard deviations above which nothing is left to compute."""


def published(
    surrogate: LinearSurrogate,
    expert: AnswersDensities,
    x: Array,
    draws: Sequence[Array],
    rate: float,
    difference: float,
    transport: tuple[float, float] | None = None,
) -> LinearSurrogate:
    """The surrogate after a step of either kind for each draw ``ε [S, U]``, plain steps of one rate.

    transport: ``c`` and ``d`` at the start; default the surrogate's mean and standard deviation, averaged. Raises
    ValueError once the standard deviation cannot be represented.
    """
    phi, (mean, std) = surrogate.features(x), surrogate.predict(x)
    centre, spread = transport or (float(mean.mean()), float(std.mean()))
    for number, epsilon in enumerate(draws):
        y = centre + spread * epsilon
        by_mean, by_log_std = (slope.mean(axis=0) @ phi / len(x) for slope in surrogate.slopes(x, y))
        surrogate = surrogate.moved(-rate * by_mean, -rate * by_log_std)
        if not np.abs(phi @ surrogate.log_std_weights).max() <= LARGEST:
            raise ValueError(
                f'objective: "published" has diverged after {number + 1} steps, as that alternation does: take "kl"'
            )
        step = difference * abs(spread)
        pair = expert.log_density(x, np.stack([y + step, y - step]))
        slope = -surrogate.slopes(x, y)[0] - (pair[0] - pair[1]) / (2.0 * step)
        centre, spread = centre - rate * float(slope.mean()), spread - rate * float((slope * epsilon).mean())
    return surrogate
