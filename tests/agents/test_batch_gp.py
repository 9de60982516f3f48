"""Centralised DTC and PITC against the dense formulas of the textbook, and against each other."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from coolgp.agents.batch_gp import BatchGP, Sums, Trained

RNG = np.random.default_rng(5)
X, Y, U, QUERIES = RNG.normal(size=(30, 2)), RNG.normal(size=30), RNG.normal(size=(7, 2)), RNG.normal(size=(9, 2))
BLOCKS = [slice(0, 12), slice(12, 13), slice(13, 30)]
GP = BatchGP(U, np.array([0.8, 1.5]), 1.7, 0.2)


def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return 1.7 * np.exp(-0.5 * cdist(a / GP.lengthscale, b / GP.lengthscale, "sqeuclidean"))


def dense(blocks: list[slice] | None) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance from the covariance of all rows, `[Q]` each; without blocks DTC."""
    inverse = np.linalg.inv(kernel(U, U) + 1.7 * GP.jitter * np.eye(len(U)))

    def q(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return kernel(a, U) @ inverse @ kernel(U, b)

    observed = q(X, X) + 0.2 * np.eye(len(X))
    for block in blocks or ():
        observed[block, block] += kernel(X[block], X[block]) - q(X[block], X[block])
    gain = q(QUERIES, X) @ np.linalg.inv(observed)
    return gain @ Y, 1.7 - np.einsum("qn,nq->q", gain, q(X, QUERIES))


def pitc(blocks: list[slice]) -> Sums:
    return GP.pitc((X[block], Y[block]) for block in blocks)


def agree(trained: Trained, mean: np.ndarray, variance: np.ndarray) -> None:
    prediction = trained.predict(QUERIES)
    np.testing.assert_allclose(prediction[0], mean, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(prediction[1], variance, rtol=1e-8, atol=1e-10)


def test_dtc_is_the_dense_formula() -> None:
    agree(GP.trained(GP.dtc(X, Y)), *dense(None))


@pytest.mark.parametrize("blocks", [BLOCKS, [slice(0, 30)]])
def test_pitc_is_the_dense_formula(blocks: list[slice]) -> None:
    agree(GP.trained(pitc(blocks)), *dense(blocks))


def test_sums_of_both_add_up_over_rows_and_blocks() -> None:
    agree(GP.trained(GP.dtc(X[:11], Y[:11]) + GP.dtc(X[11:], Y[11:])), *dense(None))
    agree(GP.trained(pitc(BLOCKS[:1]) + pitc(BLOCKS[1:])), *dense(BLOCKS))


def test_where_inducing_inputs_are_the_rows_both_are_the_exact_process() -> None:
    gp = BatchGP(X, GP.lengthscale, 1.7, 0.2, jitter=1e-10)
    gain = kernel(QUERIES, X) @ np.linalg.inv(kernel(X, X) + 0.2 * np.eye(len(X)))
    for sums in (gp.dtc(X, Y), gp.pitc((X[block], Y[block]) for block in BLOCKS)):
        np.testing.assert_allclose(gp.trained(sums).predict(QUERIES)[0], gain @ Y, atol=1e-5)
