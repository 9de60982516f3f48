"""Imitating a regression expert by a sparse Gaussian process, fitted to the moments that its answers tell."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.sparse_gp import SparseGPRegressor
from coolgp.agents.sparse.gp import SparseGP

__all__ = ["sparse_gp_of_moments"]


def sparse_gp_of_moments(x: Array, mean: Array, std: Array, inducing: int, seed: int) -> SparseGP:
    """The sparse GP of pseudo-rows ``(x, mean - std)`` and ``(x, mean + std)``; x ``[U, D]``, moments ``[U]``.

    Two rows with the moments that the expert states leave nothing to a draw. The surrogate has one noise variance, the
    expert's averaged over the inputs; it is less sure where there were no queries.
    """
    rows, targets = np.concatenate([x, x]), np.concatenate([mean - std, mean + std])
    model = SparseGPRegressor(n_inducing=inducing, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # an input that the expert ignores: its lengthscale is long
        return model.fit(rows, targets).to_sparse_gp()
