"""What alternatives say of a newcomer's rows that were left out: mean log densities in nats, larger is better.

Axes: ``A`` models of owners, ``n`` rows, ``C`` candidates of a mixture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from scipy.special import logsumexp

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.experts.queries.density import gaussian_log_density

__all__ = ["MINE", "FoldScores", "by_folds", "of_mixture", "of_owners", "owners_densities"]

MINE = "this model"
"""The alternative that is handed over: what is chosen, or weighed, by the rows that are not left out."""
FOLDS = 5

FoldScores = tuple[float, Array]
"""Log evidence of the rows that are seen, and log densities ``[n]`` of all rows, by a model that has seen these."""


def of_owners(densities: Array) -> dict[str, float]:
    """Of the mixture of the owners' models as they are, and of the one that is best on the other rows.

    densities ``[A, n]``: log densities of the rows under each.
    """
    mean = logsumexp(densities, axis=0) - np.log(len(densities))
    others = densities.sum(axis=1, keepdims=True) - densities
    best = densities[others.argmax(axis=0), np.arange(densities.shape[1])] if densities.shape[1] > 1 else mean
    return {"mean of the models": float(mean.mean()), "best of the models": float(best.mean())}


def owners_densities(means: Array, stds: Array, y: Array, noise_variance: float) -> Array:
    """Log densities ``[A, n]`` of y ``[n]`` under models with means and standard deviations ``[A, n]``.

    Where a model states none (NaN), its residuals on the other rows tell it, and one that has the noise variance.
    """
    squares, rows = np.square(y - means), len(y)
    others = (squares.sum(axis=1, keepdims=True) - squares + noise_variance) / rows
    return gaussian_log_density(y, means, np.where(np.isnan(stds), np.sqrt(others), stds))


def of_mixture(weights: Array, log_evidence: Array, densities: Array) -> float:
    """Of a mixture whose weights follow from the other rows.

    weights ``[C]``: before any row. log_evidence ``[C]``: of all rows. densities ``[C, n]``: of each row given all
    others. What a candidate says of the others is its evidence less the row's density.
    """
    logs = (np.log(weights) + log_evidence)[:, None]
    return float(np.mean(logsumexp(logs, axis=0) - logsumexp(logs - densities, axis=0)))


def by_folds(rows: int, alternatives: Mapping[str, Callable[[Array], FoldScores]]) -> dict[str, float]:
    """Of rows of a fold under each alternative, fitted to the rows ``[n]``, true or false, of the other folds.

    Of `MINE` too: the alternative with the largest evidence of these.
    """
    folds: Indices = np.arange(rows) % FOLDS
    scores = {name: np.empty(rows) for name in (MINE, *alternatives)}
    for fold in np.unique(folds):
        seen = folds != fold
        fits = {name: fit(seen) for name, fit in alternatives.items()}
        best = max(fits, key=lambda name: fits[name][0])
        for name, (_, densities) in (*fits.items(), (MINE, fits[best])):
            scores[name][~seen] = densities[~seen]
    return {name: float(values.mean()) for name, values in scores.items()}
