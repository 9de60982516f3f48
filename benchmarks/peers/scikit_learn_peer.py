"""scikit-learn: ``GaussianProcessRegressor`` with fixed hyper-parameters, refitted to its last rows.

The time of a refit does not depend on how many of them are new.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel

from benchmarks import work
from benchmarks.peers.call import Case, serve


def _fitted(rows: int) -> tuple[GaussianProcessRegressor, work.Stream]:
    data = work.stream(1, rows, 1)
    kernel = ConstantKernel(work.SIGNAL_VARIANCE, "fixed") * RBF(work.LENGTHSCALE, "fixed")
    model = GaussianProcessRegressor(kernel, alpha=work.NOISE_VARIANCE, optimizer=None, copy_X_train=False)
    return model.fit(data.x[0], data.y[0]), data


def _update(case: Case) -> partial[Any]:
    model, data = _fitted(case["window"])
    return partial(model.fit, data.x[0], data.y[0])


def _predict(case: Case) -> partial[Any]:
    model, _ = _fitted(case["window"])
    return partial(model.predict, work.stream(1, 1, 1, case["Q"]).queries, return_std=True)


if __name__ == "__main__":
    serve({"update": _update, "predict": _predict})
