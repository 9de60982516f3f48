"""What is compared: the fused model of many agents, and models of all rows in one place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.model_selection import cross_val_predict
from sklearn.preprocessing import StandardScaler

from coolgp.agents.experts.sparse_gp import SparseGPRegressor
from coolgp.agents.kernels.registry import KERNELS
from coolgp.agents.pilot import Start, fit_start
from coolgp.agents.sparse.collapsed import posterior_of
from coolgp.agents.sparse.starting import planned_search
from coolgp.scenarios.estimators.collective import CollectiveGPRegressor
from coolgp.scenarios.metrics.scores import Forecast

from benchmarks.accuracy.sets import Rows

__all__ = ["ALL_ROWS", "COOLGP", "METHODS", "SAME_BUDGET", "Method"]

AGENTS, BATCH, PILOT = 20, 20, 2_000
"""Agents, rows of a batch, and rows of the pilot (its default)."""
EXACT_ROWS = 1_000
"""Rows of the exact Gaussian process; half as many where there are many inputs."""
MANY_INPUTS = 20
FOLDS, ITERATIONS = 5, 150
COOLGP, SAME_BUDGET, ALL_ROWS = "coolgp", "central, same budget", "central, all rows"


@dataclass(frozen=True)
class Method:
    """words: what it does. forecast: of the test rows, ``[1, Q]``, from rows, inducing inputs and seed.

    sparse: whether it has inducing inputs.
    """

    words: str
    forecast: Callable[[Rows, int, int], Forecast]
    sparse: bool = True


def _forecast(mean: np.ndarray, std: np.ndarray) -> Forecast:
    return Forecast(mean[None], np.square(np.broadcast_to(std, mean.shape))[None])


def _fused(rows: Rows, inducing: int, seed: int) -> Forecast:
    model = CollectiveGPRegressor(AGENTS, inducing, batch_size=BATCH, random_state=seed)
    return _forecast(*model.fit(rows.x, rows.y).predict(rows.x_test, return_std=True))


def _same_budget(rows: Rows, inducing: int, seed: int) -> Forecast:
    """Fitted to a pilot as large and for as many iterations as the agents' start; the posterior is of all rows."""
    pilot = np.random.default_rng(seed).permutation(len(rows.y))[:PILOT]
    search = planned_search(len(pilot), inducing, rows.x.shape[1])
    model = SparseGPRegressor(inducing, max_iter=search.iterations, optimize_inducing=search.moves, random_state=seed)
    record = model.fit(rows.x[pilot], rows.y[pilot]).to_sparse_gp()
    kernel = KERNELS[record.kernel]
    posterior = posterior_of(rows.x, rows.y - record.center, record.parameters, kernel, record.jitter)
    mean, variance = posterior.predict(rows.x_test, kernel)
    return _forecast(mean + record.center, np.sqrt(variance + record.parameters.noise_variance))


def _all_rows(rows: Rows, inducing: int, seed: int) -> Forecast:
    model = SparseGPRegressor(inducing, random_state=seed).fit(rows.x, rows.y)
    return _forecast(*model.predict(rows.x_test, return_std=True))


def _exact(rows: Rows, inducing: int, seed: int) -> Forecast:
    width = rows.x.shape[1]
    count = EXACT_ROWS if width < MANY_INPUTS else EXACT_ROWS // 2
    few = np.random.default_rng(seed).permutation(len(rows.y))[:count]
    scaler = StandardScaler().fit(rows.x[few])
    x, center, height = scaler.transform(rows.x[few]), float(rows.y[few].mean()), float(rows.y[few].std())
    y, plain = (rows.y[few] - center) / height, Start(np.full(width, width**0.5), 1.0, 0.1, np.nan)
    at = fit_start(x, y, plain, (True, True, True), iterations=ITERATIONS)
    kernel = ConstantKernel(at.signal_variance) * RBF(at.lengthscale) + WhiteKernel(at.noise_variance)
    model = GaussianProcessRegressor(kernel, optimizer=None).fit(x, y)
    mean, std = model.predict(scaler.transform(rows.x_test), return_std=True)
    return _forecast(mean * height + center, std * height)


def _boosted(rows: Rows, inducing: int, seed: int) -> Forecast:
    """Its spread is one number: that of the errors in cross-validation."""
    model = HistGradientBoostingRegressor(random_state=seed)
    errors = cross_val_predict(model, rows.x, rows.y, cv=FOLDS) - rows.y
    return _forecast(model.fit(rows.x, rows.y).predict(rows.x_test), np.sqrt(np.mean(np.square(errors))))


METHODS: dict[str, Method] = {
    COOLGP: Method(
        f"{AGENTS} agents with the defaults, each row seen once in batches of {BATCH}, fused along a tree",
        _fused,
    ),
    SAME_BUDGET: Method(
        f"one sparse GP of the same M: hyper-parameters and inducing inputs from {PILOT:,} random rows, in as many "
        "iterations as the agents' start has, and the posterior of all rows",
        _same_budget,
    ),
    ALL_ROWS: Method("one sparse GP of the same M, fitted to all rows by up to 150 iterations of L-BFGS", _all_rows),
    "exact, subset": Method(
        f"exact GP of {EXACT_ROWS:,} random rows, half as many from {MANY_INPUTS} inputs on, with the largest evidence",
        _exact,
        sparse=False,
    ),
    "boosting": Method(
        "HistGradientBoostingRegressor with its defaults; its intervals are of one width, from cross-validated errors",
        _boosted,
        sparse=False,
    ),
}
"""By name."""
