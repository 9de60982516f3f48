"""One call for a model of one's own: what it is made from is chosen by what the models of others are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.queries.black_box import QUERIES
from coolgp.fusion.personalise.from_answers import from_answers
from coolgp.fusion.personalise.from_boxes import from_boxes
from coolgp.fusion.personalise.from_gps import from_gps
from coolgp.fusion.personalise.from_networks import from_networks
from coolgp.fusion.personalise.outcome import PersonalClassifier, PersonalRegressor, Request
from coolgp.network.graphs.given import Graph

__all__ = ["WAYS", "model_for", "personalise"]

WAYS: Mapping[str, Callable[[Request], PersonalClassifier | PersonalRegressor]] = {
    "sparse Gaussian processes": from_gps,
    "networks of one depth": from_networks,
    "classifiers": from_boxes,
    "models of a number that are asked": from_answers,
}
"""By what models are, what uses most of them first; each raises ValueError where it does not fit."""


def personalise(
    models: Sequence[Any],
    X: npt.ArrayLike,
    y: npt.ArrayLike,
    unlabelled: npt.ArrayLike | None = None,
    graph: Graph | None = None,
    *,
    queries: int | None = QUERIES,
    time_limit: float | None = None,
) -> PersonalClassifier | PersonalRegressor:
    """A newcomer's model from few rows X ``[n, D]``, y ``[n]``, and from models of others for tasks of their own.

    models: fitted sparse GPs (:class:`coolgp.SparseGPRegressor`), networks of one depth, or any classifiers or any
    regressors; or paths of model files. unlabelled ``[Q, D]``: rows without targets, at which models are asked that
    only answer. graph: of the owners, over which their sums travel, and networks are merged. queries, time_limit: rows
    that such a model is asked for at most, and seconds for a call of it. The result predicts
    (``predict(X, return_std=True)`` or ``predict_proba(X)``), and its ``report`` says what was chosen and why, the
    weights, which models were left out and why (parameters or answers that are not finite, other inputs, calls that
    fail), and what alternatives would have said of rows left out. Raises ValueError for rows that do not fit, and
    where no way takes the models, with the reason of each.

    >>> import numpy as np, coolgp
    >>> rng = np.random.default_rng(0)
    >>> def rows(count):
    ...     x = rng.uniform(-2, 2, (count, 1))
    ...     return x, np.sin(2 * x[:, 0]) + 0.05 * rng.normal(size=count)
    >>> others = [coolgp.SparseGPRegressor(8, max_iter=10, random_state=0).fit(*rows(50)) for _ in range(6)]
    >>> mine = coolgp.personalise(others, *rows(3))
    >>> bool(abs(mine.predict([[0.5]])[0] - np.sin(1.0)) < 0.15), mine.report.chosen
    (True, 'mixture of Gaussian process priors')
    """
    pool = None if unlabelled is None else _inputs(unlabelled)
    names = [str(model) if isinstance(model, str | Path) else f"model {place}" for place, model in enumerate(models)]
    return model_for(Request(list(models), *_rows(X, y), pool, graph, names, queries, time_limit))


def model_for(request: Request) -> PersonalClassifier | PersonalRegressor:
    """What :func:`personalise` returns, for models with names. Raises ValueError as it does."""
    reasons = []
    for name, way in WAYS.items():
        try:
            return way(request)
        except ValueError as problem:
            reasons.append(f"  as {name}: {problem}")
    raise ValueError("personalise cannot use these models:\n" + "\n".join(reasons))


def _rows(X: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Array, npt.NDArray[Any]]:
    x, targets = _inputs(X), np.asarray(y)
    if not len(x) or targets.shape != (len(x),):
        raise ValueError(f"personalise needs rows X [n, D] and y [n], one at least; got {x.shape} and {targets.shape}")
    if targets.dtype.kind == "f" and not np.isfinite(targets).all():
        raise ValueError("personalise needs finite targets; y has NaN or infinity")
    return x, targets


def _inputs(X: npt.ArrayLike) -> Array:
    x = np.asarray(X, dtype=float)
    if x.ndim != 2 or not np.isfinite(x).all():
        raise ValueError(f"personalise needs finite inputs [n, D]; got shape {x.shape}")
    return x
