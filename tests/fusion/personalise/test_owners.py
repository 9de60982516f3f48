"""Broken models are named and left out, whatever the models are; where none is left they are named and refused."""

from __future__ import annotations

import time
import warnings
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

import coolgp
from coolgp.agents.experts.expert import Classifier
from coolgp.agents.experts.network import network_of
from coolgp.agents.experts.sparse_gp import SparseGPRegressor
from coolgp.agents.sparse.gp import SparseGP
from coolgp.fusion.personalise.owners import without_owners
from coolgp.network.graphs.given import checked_graph

RNG = np.random.default_rng(0)


def waves(count: int) -> tuple[np.ndarray, np.ndarray]:
    x = RNG.uniform(-2, 2, (count, 1))
    return x, np.sin(2 * x[:, 0]) + 0.05 * RNG.normal(size=count)


@pytest.fixture(scope="module")
def gps() -> list[SparseGP]:
    return [SparseGPRegressor(8, max_iter=10, random_state=0).fit(*waves(50)).to_sparse_gp() for _ in range(6)]


def at(gp: SparseGP, **numbers: object) -> SparseGP:
    return replace(gp, parameters=replace(gp.parameters, **numbers))


BROKEN_GPS = {
    "not finite": lambda gp: replace(gp, shift=np.full(8, np.nan)),
    "lengthscales or variances": lambda gp: at(gp, lengthscale=-gp.parameters.lengthscale),
    "takes 2 inputs; the newcomer's rows have 1": lambda gp: at(
        gp, inducing_inputs=np.ones((8, 2)), lengthscale=np.ones(2)
    ),
    "no rows leave": lambda gp: replace(gp, precision=100 * np.random.default_rng(1).normal(size=(8, 8))),
    "standard deviations of its own prior": lambda gp: replace(
        gp, precision=np.eye(8), shift=1e3 * np.random.default_rng(1).normal(size=8)
    ),
}


@pytest.mark.parametrize("reason", BROKEN_GPS)
def test_a_broken_sparse_gp_is_left_out_and_changes_nothing(gps: list[SparseGP], reason: str) -> None:
    few, x = waves(4), np.linspace(-2, 2, 20)[:, None]
    path = nx.path_graph(7)
    mine = coolgp.personalise([*gps[:2], BROKEN_GPS[reason](gps[0]), *gps[2:]], *few, graph=path)
    assert list(mine.report.models_left_out) == ["model 2"]
    assert reason in mine.report.models_left_out["model 2"]
    assert "left out: model 2: " in str(mine.report)
    np.testing.assert_allclose(mine.predict(x), coolgp.personalise(gps, *few).predict(x), atol=1e-6)


def test_where_no_sparse_gp_is_left_all_are_named(gps: list[SparseGP]) -> None:
    broken = [BROKEN_GPS["not finite"](gp) for gp in gps[:2]]
    with pytest.raises(ValueError, match="no model is left: model 0, model 1: has parameters that are not finite"):
        coolgp.personalise(broken, *waves(4))


def test_who_is_left_out_still_passes_messages_on() -> None:
    star = checked_graph(nx.star_graph(4), 5)
    assert nx.is_connected(coolgp.network.to_networkx(without_owners(star, [0, 3])))


def test_broken_networks_are_left_out() -> None:
    x = RNG.normal(size=(90, 3))
    y = (x[:, 0] > 0).astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nets = [MLPClassifier((6,), max_iter=20, random_state=0).fit(x, y) for _ in range(4)]
        other = MLPClassifier((6,), max_iter=5, random_state=0).fit(x[:, :2], y)
        nan = MLPClassifier((6,), max_iter=5, random_state=0).fit(x, y)
    nan.coefs_[0][0, 0] = np.nan
    own = network_of(nets[3])
    huge = replace(own, weights=(1e6 * own.weights[0], own.weights[1]))
    mine = coolgp.personalise([nan, *nets[:3], other, huge], x[:8], y[:8])
    reasons = mine.report.models_left_out
    assert list(reasons) == ["model 0", "model 4", "model 5"]
    for name, words in (("model 0", "not finite"), ("model 4", "takes 2 inputs"), ("model 5", "times as large")):
        assert words in reasons[name]
    np.testing.assert_allclose(mine.predict_proba(x), coolgp.personalise(nets[:3], x[:8], y[:8]).predict_proba(x))
    with pytest.raises(ValueError, match="no model is left: model 0: has weights that are not finite"):
        coolgp.personalise([nan], x[:8], y[:8])


def dies(x: np.ndarray) -> np.ndarray:
    raise RuntimeError("out of memory")


def hangs(x: np.ndarray) -> np.ndarray:
    time.sleep(2.0)
    return np.zeros(len(x))


def chaos(x: np.ndarray) -> np.ndarray:
    """Another function of x to which nothing is similar: smooth nowhere."""
    return np.modf(1e4 * np.sin(1e4 * x[:, 0]))[0]


BROKEN_BOXES = {
    "not finite": lambda x: np.full(len(x), np.nan),
    "needed a mean for each": lambda x: np.zeros(3),
    "raised RuntimeError (out of memory)": dies,
    "gave no answer within 0.2 s": hangs,
    "answers the same rows differently": lambda x: np.random.default_rng().normal(size=len(x)),
    "answers what no surrogate explains": chaos,
}


def test_broken_regressors_that_only_answer_are_left_out() -> None:
    pool, few, x = waves(60)[0], waves(4), np.linspace(-2, 2, 20)[:, None]
    sound = [lambda x, shift=shift: np.sin(2 * x[:, 0]) + shift for shift in (-0.1, 0.0, 0.1)]
    models = [*sound, *BROKEN_BOXES.values()]
    mine = coolgp.personalise(models, *few, unlabelled=pool, time_limit=0.2, graph=nx.path_graph(9))
    reasons = mine.report.models_left_out
    assert list(reasons) == [f"model {place}" for place in range(3, 9)]
    for words, reason in zip(BROKEN_BOXES, reasons.values(), strict=True):
        assert words in reason
    np.testing.assert_allclose(mine.predict(x), coolgp.personalise(sound, *few, unlabelled=pool).predict(x), atol=1e-6)
    with pytest.raises(ValueError, match="no model is left: model 0: raised RuntimeError"):
        coolgp.personalise([dies], *few, unlabelled=pool)


def test_broken_classifiers_that_only_answer_are_left_out() -> None:
    x = RNG.normal(size=(120, 2))
    y = np.digitize(x[:, 0], (-0.5, 0.5))
    sound = [LogisticRegression().fit(x[y != out], y[y != out]) for out in range(3)]
    classes = np.array([0, 1])
    random = Classifier("random", lambda x: np.random.default_rng().dirichlet(np.ones(2), len(x)), classes)
    wrong = Classifier("wrong", lambda x: np.full((len(x), 2), np.nan), classes)
    other = LogisticRegression().fit(x[:, :1], y)
    mine = coolgp.personalise([*sound, random, wrong, other], x[:9], y[:9], unlabelled=x)
    reasons = mine.report.models_left_out
    assert list(reasons) == ["model 3", "model 4", "model 5"]
    assert "answers the same rows differently" in reasons["model 3"]
    assert "takes 1 inputs; the newcomer's rows have 2" in reasons["model 5"]
    np.testing.assert_allclose(
        mine.predict_proba(x), coolgp.personalise(sound, x[:9], y[:9], unlabelled=x).predict_proba(x)
    )
