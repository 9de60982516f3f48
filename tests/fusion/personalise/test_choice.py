"""`personalise`: one call for models of every kind, and what it refuses."""

from __future__ import annotations

import warnings
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from scipy.special import log_softmax
from scipy.stats import multivariate_normal
from sklearn.datasets import load_digits
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor

import coolgp
from coolgp.agents.experts.sparse_gp import SparseGPRegressor
from coolgp.fusion.personalise.heads import class_head, ridge_about, with_one
from coolgp.fusion.personalise.outcome import PersonalClassifier, PersonalRegressor

RNG = np.random.default_rng(0)


def waves(count: int, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    x = RNG.uniform(-2, 2, (count, 1))
    return x, np.sin(2 * x[:, 0]) + shift + 0.05 * RNG.normal(size=count)


@pytest.fixture(scope="module")
def gps() -> list[SparseGPRegressor]:
    return [SparseGPRegressor(8, max_iter=10, random_state=0).fit(*waves(50, shift)) for shift in (0, 0.1, -0.1) * 2]


@pytest.fixture(scope="module")
def digits() -> tuple[list[MLPClassifier], np.ndarray, np.ndarray]:
    """Networks of three owners, and rows of a newcomer who has other names for the digits."""
    x, y = load_digits(return_X_y=True)
    x = x / 16
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parts = [slice(300 * owner, 300 * owner + 300) for owner in range(3)]
        nets = [MLPClassifier((20,), max_iter=60, random_state=0).fit(x[part], y[part]) for part in parts]
    return nets, x[1000:], (y[1000:] + 1) % 10  # the fused head is wrong on all


def test_sparse_gps_give_a_mixture_with_weights_and_scores(gps: list[SparseGPRegressor]) -> None:
    mine = coolgp.personalise(gps, *waves(4))
    assert isinstance(mine, PersonalRegressor)
    assert sum(mine.report.weights.values()) == pytest.approx(1.0)
    alternatives = {"population", "half-way", "scratch", "one task", "mean of the models", "best of the models"}
    assert set(mine.report.left_out) == {"this model"} | alternatives
    x = np.linspace(-2, 2, 30)[:, None]
    mean, std = mine.predict(x, return_std=True)
    assert np.sqrt(np.mean(np.square(mean - np.sin(2 * x[:, 0])))) < 0.15
    assert (std > 0).all()
    assert "chosen: mixture" in str(mine.report)


def test_the_stored_model_is_the_mixture(gps: list[SparseGPRegressor], tmp_path: Path) -> None:
    mine = coolgp.personalise(gps, *waves(3, 0.3))
    coolgp.write_model_file(tmp_path / "mine.skops", mine.stored)
    read = coolgp.read_model_file(tmp_path / "mine.skops")
    x = np.linspace(-3, 3, 40)[:, None]
    for expected, found in zip(mine.predict(x, return_std=True), read.predict(x, return_std=True), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_over_a_graph_the_model_is_that_made_in_one_place(gps: list[SparseGPRegressor]) -> None:
    few, x = waves(5), np.linspace(-2, 2, 20)[:, None]
    here, there = coolgp.personalise(gps, *few), coolgp.personalise(gps, *few, graph=nx.path_graph(6))
    np.testing.assert_allclose(here.predict(x), there.predict(x), atol=1e-6)


def test_a_head_for_the_newcomers_rows_beats_the_fused_network(digits: tuple) -> None:
    nets, x, y = digits
    mine = coolgp.personalise(nets, x[:50], y[:50])
    assert isinstance(mine, PersonalClassifier)
    assert np.mean(mine.predict(x[50:]) == y[50:]) > 0.5
    best = mine.report.details["prior of the head"]
    assert mine.report.left_out[best] > mine.report.left_out["fused network"]
    np.testing.assert_allclose(mine.predict_proba(x[:5]).sum(axis=1), 1.0)
    np.testing.assert_allclose(mine.stored.predict_proba(x[:5]), mine.predict_proba(x[:5]))


def test_where_the_fused_network_is_right_few_rows_do_not_spoil_it(digits: tuple) -> None:
    nets, x, y = digits
    true = (y - 1) % 10
    mine = coolgp.personalise(nets, x[:10], true[:10])
    fused = coolgp.PFNM(settings=(coolgp.Setting(mass=50.0, noise_variance=0.5),)).fuse(nets)
    assert np.mean(mine.predict(x[10:]) == true[10:]) > np.mean(fused.predict(x[10:]) == true[10:]) - 0.03


def test_networks_of_a_number_get_a_head_with_a_standard_deviation() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nets = [
            MLPRegressor(hidden_layer_sizes=(20,), max_iter=300, random_state=seed).fit(*waves(200))
            for seed in range(3)
        ]
    x, y = waves(60, 1.0)
    mine = coolgp.personalise(nets, x[:30], y[:30])
    mean, std = mine.predict(x[30:], return_std=True)
    assert np.sqrt(np.mean(np.square(mean - y[30:]))) < 0.5
    assert np.mean(np.abs(mean - y[30:]) < 1.96 * std) > 0.8


def test_classifiers_that_only_answer_give_prototypes() -> None:
    x, y = load_digits(return_X_y=True)
    own = [np.flatnonzero(y[:500] // 2 == pair) for pair in range(3)]
    experts = [LogisticRegression(max_iter=200).fit(x[rows], y[rows]) for rows in own]
    new = y >= 8
    mine = coolgp.personalise(experts, x[new][:6], y[new][:6], unlabelled=x[900:])
    assert mine.report.chosen.startswith("prototypes")
    assert np.mean(mine.predict(x[new][6:]) == y[new][6:]) > 0.7


def test_a_departure_of_a_number_is_the_ridge_of_what_is_left_over() -> None:
    phi, leftover = with_one(RNG.normal(size=(12, 4))), RNG.normal(size=(12, 1))
    ridge = ridge_about(phi, leftover)
    inverse = np.linalg.inv(phi.T @ phi + ridge.strength * np.eye(5))
    np.testing.assert_allclose(ridge.weights, inverse @ phi.T @ leftover, atol=1e-8)
    expected = ridge.noise_variance * np.einsum("nh,hk,nk->n", phi, inverse, phi)
    np.testing.assert_allclose(ridge.variance(phi), expected, atol=1e-10)


def test_the_evidence_of_a_classifiers_head_is_laplaces() -> None:
    phi, y, prior = with_one(RNG.normal(size=(9, 2))), RNG.integers(3, size=9), RNG.normal(size=(9, 3))
    head = class_head(phi, y, prior)
    shares = np.exp(log_softmax(prior + phi @ head.departure, axis=1))
    hessian = sum(np.kron(np.outer(f, f), np.diag(p) - np.outer(p, p)) for f, p in zip(phi, shares, strict=True))
    likelihood = np.log(shares[np.arange(9), y]).sum() - 0.5 * head.strength * np.square(head.departure).sum()
    volume = np.linalg.slogdet(np.eye(9) + hessian / head.strength)[1]
    assert head.log_evidence == pytest.approx(likelihood - 0.5 * volume, abs=1e-6)


def test_what_does_not_fit_is_refused_with_the_reason_of_every_way(gps: list[SparseGPRegressor]) -> None:
    x, y = waves(4)
    with pytest.raises(
        ValueError, match=r"as sparse Gaussian .*\n.*as networks of .*\n.*as class.*\n.*number that are asked"
    ):
        coolgp.personalise([LinearRegression().fit(x, y)], x, y)
    with pytest.raises(ValueError, match=r"left: model 0, model 1, .*: takes 1 inputs; the newcomer's rows have 2"):
        coolgp.personalise(gps, np.ones((2, 2)), np.ones(2))
    with pytest.raises(ValueError, match=r"one at least; got \(4, 1\) and \(3,\)"):
        coolgp.personalise(gps, x, y[:3])
    with pytest.raises(ValueError, match="y has NaN"):
        coolgp.personalise(gps, x, np.full(4, np.nan))


def test_a_class_that_no_network_knows_is_named(digits: tuple) -> None:
    nets, x, _ = digits
    with pytest.raises(ValueError, match=r"know the classes 0, 1, .*; the newcomer has 17 too"):
        coolgp.personalise(nets, x[:2], [3, 17])


def test_the_evidence_of_a_ridge_is_that_of_the_dense_gaussian() -> None:
    phi, leftover = with_one(RNG.normal(size=(12, 4))), RNG.normal(size=(12, 1))
    ridge = ridge_about(phi, leftover)
    covariance = ridge.noise_variance * (np.eye(12) + phi @ phi.T / ridge.strength)
    assert ridge.log_evidence == pytest.approx(multivariate_normal(np.zeros(12), covariance).logpdf(leftover[:, 0]))


def test_of_a_fused_classifier_that_is_right_and_unsure_few_rows_make_a_surer_one(digits: tuple) -> None:
    nets, x, y = digits
    true = (y - 1) % 10
    fused = coolgp.PFNM(settings=(coolgp.Setting(mass=50.0, noise_variance=0.5),)).fuse(nets).network
    mine = coolgp.personalise(nets, x[:10], true[:10])

    def density(shares: np.ndarray) -> float:
        return float(np.log(shares[np.arange(len(shares)), true[10:]]).mean())

    assert density(mine.predict_proba(x[10:])) > density(fused.predict_proba(x[10:])) + 0.2
