"""A sparse Gaussian process as a scikit-learn estimator, fitted by the collapsed bound (Titsias, AISTATS 2009)."""

from __future__ import annotations

import warnings
from typing import Any, Literal, Self, overload

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from coolgp.agents.base.arrays import Array
from coolgp.agents.features.inducing import kmeans
from coolgp.agents.kernels.base import Kernel
from coolgp.agents.kernels.registry import KERNELS
from coolgp.agents.pilot import Start, fit_start
from coolgp.agents.sparse.collapsed import Parameters, posterior_of
from coolgp.agents.sparse.fitting import best_start, maximise
from coolgp.agents.sparse.gp import SparseGP
from coolgp.agents.sparse.rows import Pooled

__all__ = ["SparseGPRegressor"]

EXACT_ROWS = 600
"""Rows whose exact evidence the search for a start maximises: a cube of them is the cost of an iteration."""
STARTING_NOISE = 0.1
"""Share of the target's variance that the plain start takes for noise."""


class SparseGPRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A Gaussian process with M inducing inputs and a lengthscale for each input, fitted by L-BFGS.

    Hyper-parameters and inducing inputs are found together at the maximum of the collapsed bound, from k-means
    inducing inputs and the better of two starts: lengthscales that maximise the exact evidence of up to 600 rows, and
    plain ones. The bound is never below that of the start. Inputs and target are standardised inside; what is stored
    as an attribute is in original units. An iteration costs ``O(n M²)``.

    Parameters
    ----------
    n_inducing : int
        Inducing inputs M; as many as there are distinct rows where there are fewer.
    kernel : str
        A name of ``coolgp.agents.kernels.registry.KERNELS``: "se", "matern32" or "matern52".
    max_iter : int
        Iterations of L-BFGS; 0 keeps the start.
    optimize_inducing : bool
        Whether inducing inputs move; where not they stay at the centres of k-means clusters.
    jitter : float
        Added to the diagonal of the kernel matrix, relative to the signal variance.
    random_state : int, RandomState or None
        For k-means and the rows of the exact evidence.

    Attributes
    ----------
    inducing_inputs_ : array [M, D]
    lengthscale_ : array [D]
    signal_variance_, noise_variance_ : float
    bound_, start_bound_ : float
        In nats of the standardised target, at the end and at the start.
    n_iter_ : int
    n_features_in_ : int

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = rng.uniform(-3, 3, size=(200, 1))
    >>> y = np.sin(x[:, 0]) + 0.1 * rng.normal(size=200)
    >>> model = SparseGPRegressor(n_inducing=10, random_state=0).fit(x, y)
    >>> mean, std = model.predict(np.array([[0.5]]), return_std=True)
    >>> bool(abs(mean[0] - np.sin(0.5)) < 0.1), bool(0.08 < std[0] < 0.12)
    (True, True)
    """

    def __init__(
        self,
        n_inducing: int = 100,
        kernel: str = "se",
        max_iter: int = 150,
        optimize_inducing: bool = True,
        jitter: float = 1e-6,
        random_state: Any = None,
    ) -> None:
        self.n_inducing = n_inducing
        self.kernel = kernel
        self.max_iter = max_iter
        self.optimize_inducing = optimize_inducing
        self.jitter = jitter
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Fit to X ``[n, D]`` and y ``[n]``; warns where a hyper-parameter ends at a limit of the search."""
        X, y = validate_data(self, X, y, y_numeric=True, dtype=np.float64)
        self._check_settings()
        kernel, rng = KERNELS[self.kernel], check_random_state(self.random_state)
        self._center, self._scale = X.mean(0), _spread(X)
        self._target_center, self._target_scale = float(y.mean()), float(_spread(y[:, None])[0])
        x, target = (X - self._center) / self._scale, (y - self._target_center) / self._target_scale
        starts = self._starts(x, target, kernel, np.random.default_rng(rng.randint(2**31)))
        rows = Pooled(x, target)
        start = best_start(rows, starts, kernel, self.jitter)
        fit = maximise(rows, start, kernel, self.jitter, self.max_iter, move_inputs=self.optimize_inducing)
        if fit.at_limits:
            words = f"{', '.join(fit.at_limits)} ended at a limit of the search"
            warnings.warn(words, ConvergenceWarning, stacklevel=2)
        self._posterior = posterior_of(x, target, fit.parameters, kernel, self.jitter)
        self.bound_, self.start_bound_, self.n_iter_ = fit.bound, fit.start_bound, fit.iterations
        self.inducing_inputs_ = fit.parameters.inducing_inputs * self._scale + self._center
        self.lengthscale_ = fit.parameters.lengthscale * self._scale
        self.signal_variance_ = fit.parameters.signal_variance * self._target_scale**2
        self.noise_variance_ = fit.parameters.noise_variance * self._target_scale**2
        return self

    @overload
    def predict(self, X: Any, return_std: Literal[False] = False) -> Array: ...
    @overload
    def predict(self, X: Any, return_std: Literal[True]) -> tuple[Array, Array]: ...
    def predict(self, X: Any, return_std: bool = False) -> Array | tuple[Array, Array]:
        """Mean ``[Q]`` at X ``[Q, D]``; with return_std also the standard deviation ``[Q]`` of an observation there."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        mean, variance = self._posterior.predict((X - self._center) / self._scale, KERNELS[self.kernel])
        mean = mean * self._target_scale + self._target_center
        if not return_std:
            return mean
        return mean, np.sqrt(variance * self._target_scale**2 + self.noise_variance_)

    def to_sparse_gp(self) -> SparseGP:
        """Inducing inputs, hyper-parameters and evidence, in original units: what fusion takes, and no row of data."""
        check_is_fitted(self)
        at = Parameters(self.inducing_inputs_, self.lengthscale_, self.signal_variance_, self.noise_variance_)
        evidence = self._posterior.evidence()
        return SparseGP(at, *evidence, center=self._target_center, kernel=self.kernel, jitter=self.jitter)

    @classmethod
    def of_sparse_gp(cls, record: SparseGP) -> Self:
        """A fitted estimator that predicts as the record does; it has seen no row itself, and its bounds are NaN."""
        at = record.parameters
        model = cls(n_inducing=len(record.shift), kernel=record.kernel, jitter=record.jitter)
        width = at.inducing_inputs.shape[1]
        model._center, model._scale = np.zeros(width), np.ones(width)
        model._target_center, model._target_scale = record.center, 1.0
        model._posterior, model.n_features_in_ = record.posterior, width
        model.bound_, model.start_bound_, model.n_iter_ = np.nan, np.nan, 0
        model.inducing_inputs_, model.lengthscale_ = np.asarray(at.inducing_inputs), np.asarray(at.lengthscale)
        model.signal_variance_, model.noise_variance_ = at.signal_variance, at.noise_variance
        return model

    def _check_settings(self) -> None:
        if self.kernel not in KERNELS:
            raise ValueError(f"kernel needs one of {', '.join(KERNELS)}; got {self.kernel!r}")
        for name, least in (("n_inducing", 1), ("max_iter", 0)):
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or value < least:
                raise ValueError(f"{name} needs a whole number of at least {least}; got {value!r}")
        if not self.jitter > 0:
            raise ValueError(f"jitter needs a positive number; got {self.jitter!r}")

    def _starts(self, x: Array, y: Array, kernel: Kernel, rng: np.random.Generator) -> list[Parameters]:
        inducing = _inducing(x, self.n_inducing, rng)
        plain = Start(np.full(x.shape[1], np.sqrt(x.shape[1])), 1.0, STARTING_NOISE, -np.inf)
        rows = rng.choice(len(x), min(len(x), EXACT_ROWS), replace=False)
        exact = fit_start(x[rows], y[rows], plain, (True, True, True), kernel)
        return [
            Parameters(inducing, start.lengthscale, start.signal_variance, start.noise_variance)
            for start in (exact, plain)
        ]


def _inducing(x: Array, count: int, rng: np.random.Generator) -> Array:
    """Centres of k-means clusters, or all distinct rows where there are no more than asked for."""
    distinct = np.unique(x, axis=0)
    return distinct if len(distinct) <= count else kmeans(x, count, rng)


def _spread(values: Array) -> Array:
    """Standard deviation of each column ``[D]``, 1 of a column that is constant."""
    spread = values.std(0)
    constant = spread <= 1e-12 * np.maximum(np.abs(values).max(0), 1e-300)
    return np.where(constant, 1.0, spread)
