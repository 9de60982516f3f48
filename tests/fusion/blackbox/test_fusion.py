"""Laws of `BlackBoxFusion`: fitted models and functions, fused by queries alone."""

from typing import Any

import networkx as nx
import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import BayesianRidge, LogisticRegression

from coolgp import BlackBoxFusion
from coolgp.agents import BlackBox
from coolgp.agents.experts.adapters import expert_of
from coolgp.agents.experts.queries.black_box import DensityExpert
from coolgp.fusion.blackbox.gaussians import product

IRIS, LABELS = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[LABELS]
DIABETES, SCORES = load_diabetes(return_X_y=True)


def ridges(count: int = 5) -> list[Any]:
    return [BayesianRidge().fit(DIABETES[30 * i :][:30], SCORES[30 * i :][:30]) for i in range(count)]


def test_the_group_of_gaussian_experts_is_their_product() -> None:
    experts = ridges()
    x = DIABETES[300:310]
    mean, std = product(*np.swapaxes([expert.predict(x, return_std=True) for expert in experts], 0, 1))
    for graph in (None, nx.path_graph(5)):
        group = BlackBoxFusion(experts, graph, uncertainty="product").fit(DIABETES[200:250])
        found = group.predict(x, return_std=True)
        np.testing.assert_allclose(found[0], mean, rtol=1e-9)
        np.testing.assert_allclose(found[1], std, rtol=1e-9)
        assert group.consensus_.all()


def test_each_uncertainty_has_the_mean_and_they_differ_in_how_sure_they_are() -> None:
    x = DIABETES[300:310]
    found = {
        name: BlackBoxFusion(ridges(), uncertainty=name).fit().predict(x, return_std=True)  # type: ignore[arg-type]
        for name in ("gpoe", "product", "mixture")
    }
    for mean, _ in found.values():
        np.testing.assert_allclose(mean, found["gpoe"][0], rtol=1e-9)
    np.testing.assert_allclose(found["gpoe"][1], np.sqrt(5) * found["product"][1], rtol=1e-9)
    assert (found["mixture"][1] > found["product"][1]).all()


def test_a_temperature_makes_the_rows_of_one_owner_as_likely_as_they_can_be() -> None:
    group = BlackBoxFusion(ridges(), nx.star_graph(4), uncertainty="product").fit()
    x, y = DIABETES[200:240], SCORES[200:240]
    before = group.predict(x, return_std=True)
    after = group.recalibrate(x, y, owner=3).predict(x, return_std=True)
    np.testing.assert_allclose(after[0], before[0])
    np.testing.assert_allclose(np.mean(np.square((y - after[0]) / after[1])), 1.0)
    assert group.temperature_ > 1.5


def test_classes_are_pooled_by_their_names_and_a_temperature_never_changes_the_most_likely() -> None:
    rng = np.random.default_rng(0)
    rows = [rng.choice(150, 40, replace=False) for _ in range(4)]
    experts = [LogisticRegression(max_iter=1000).fit(IRIS[own], NAMES[own]) for own in rows[:3]]
    experts.append(RandomForestClassifier(5, random_state=0).fit(IRIS[:100], NAMES[:100]))
    shares = {}
    for name in ("gpoe", "product", "mixture"):
        group = BlackBoxFusion(experts, nx.path_graph(4), uncertainty=name).fit()  # type: ignore[arg-type]
        assert group.classes_.tolist() == ["setosa", "versicolor", "virginica"]
        shares[name] = group.predict_proba(IRIS)
        np.testing.assert_allclose(shares[name].sum(axis=1), 1.0)
        before = group.predict(IRIS)
        group.recalibrate(IRIS[::10], NAMES[::10])
        assert (group.predict(IRIS) == before).all()
    own = [expert.predict_proba(IRIS) for expert in experts[:3]]
    forest = np.zeros((150, 3))
    forest[:, :2] = experts[3].predict_proba(IRIS)
    np.testing.assert_allclose(shares["mixture"], np.mean([*own, forest], axis=0), rtol=1e-9)
    logs = np.log(np.maximum([*own, forest], 1e-3)).sum(axis=0)
    np.testing.assert_allclose(shares["product"], np.exp(logs) / np.exp(logs).sum(axis=1, keepdims=True), rtol=1e-6)


def test_experts_that_fail_are_named_and_left_out_where_enough_are_left() -> None:
    def fails(x: np.ndarray) -> np.ndarray:
        raise RuntimeError("no power")

    experts = [*ridges(3), fails]
    with pytest.raises(ValueError, match=r"expert 3: raised RuntimeError \(no power\)\n3 of 4 experts are left"):
        BlackBoxFusion(experts).fit().predict(DIABETES[:2])
    group = BlackBoxFusion(experts, at_least=3).fit()
    with pytest.warns(UserWarning, match="left out: expert 3"):
        mean = group.predict(DIABETES[:2])
    np.testing.assert_allclose(mean, BlackBoxFusion(experts[:3]).fit().predict(DIABETES[:2]), rtol=1e-9)
    assert list(group.left_out_) == ["expert 3"]


def test_queries_messages_and_bytes_are_counted() -> None:
    boxes = [BlackBox(expert_of(expert)) for expert in ridges()]
    group = BlackBoxFusion(boxes, nx.path_graph(5)).fit()
    group.predict(DIABETES[:7])
    group.predict(DIABETES[:7])
    assert [box.used for box in boxes] == [7] * 5  # each row once
    last = group.trace_[-1]
    assert last["density_queries"] == 2 * 3 * 5 * 5 * 7  # two iterations, three densities at every owner's point
    assert last["messages"] == 3 * 2 * 4  # three sums along the path, there and back
    assert last["bytes"] == 8 * 2 * 4 * ((5 * 7 + 5 + 2 * 7) + 2 * (2 * 5 * 7 + 1))
    assert [round(step["spread"], 6) > 0 for step in group.trace_] == [True, False, False]


def test_owners_that_do_not_agree_are_said_and_the_group_takes_one_of_their_points() -> None:
    group = BlackBoxFusion(ridges(), step="published", iterations=2).fit()
    with pytest.warns(UserWarning, match="do not agree at 4 of 4 inputs"):
        mean = group.predict(DIABETES[:4])
    distance = np.abs(group.answers_ - np.median(group.answers_, axis=0))
    np.testing.assert_array_equal(mean, group.answers_[distance.argmin(axis=0), np.arange(4)])


@pytest.mark.parametrize(
    "change, words",
    [
        ({"method": "average"}, "method cigar"),
        ({"step": "long"}, "step newton"),
        ({"speed": 3}, "no setting 'speed'"),
        ({"uncertainty": "none"}, "uncertainty gpoe"),
        ({"at_least": 9}, "at_least from 1 to 5"),
        ({"width": -1.0}, "width above 0"),
        ({"seed": -1}, "a seed of at least 0"),
        ({"via": "none"}, "via tree"),
        ({"graph": nx.path_graph(3)}, "a node for each of 5"),
        ({"experts": []}, "at least one expert"),
        ({"experts": ["model.onnx"]}, "fitted scikit-learn model"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        BlackBoxFusion(**({"experts": ridges()} | change)).fit()


def test_regressors_and_classifiers_are_not_fused_and_experts_need_a_standard_deviation() -> None:
    classifier = LogisticRegression().fit(IRIS[:100], NAMES[:100])
    with pytest.raises(ValueError, match="predict the same"):
        BlackBoxFusion([classifier, ridges(1)[0]]).fit()
    silent = [lambda x: x[:, 0], lambda x: x[:, 1]]
    with pytest.raises(ValueError, match="expert 0: states no standard deviation"):
        BlackBoxFusion(silent).fit().predict(DIABETES[:2])
    np.testing.assert_allclose(BlackBoxFusion(silent, std=2.0).fit().predict([[1.0, 4.0]]), [2.5])
    with pytest.raises(ValueError, match="call fit first"):
        BlackBoxFusion(silent).predict([[1.0, 4.0]])
    with pytest.raises(ValueError, match="no probabilities"):
        BlackBoxFusion(silent).fit().predict_proba([[1.0, 4.0]])


def test_a_cap_that_ends_the_climb_is_said() -> None:
    experts = [
        DensityExpert(f"at {c}", lambda x, y, c=c: -0.5 * (y - c) ** 2, lambda x, c=c: np.full(len(x), c))  # type: ignore[misc]
        for c in (0.0, 1.0)
    ]
    group = BlackBoxFusion(experts, std=1.0, queries=20, step="published").fit()
    cap, apart = "a cap on queries ended the climb after 4 iterations", "do not agree at 1 of 1 inputs"
    with pytest.warns(UserWarning, match=apart), pytest.warns(UserWarning, match=cap):
        group.predict([[0.0]])
    assert [box.used for box in group.group_.boxes] == [17, 17]  # one for the start, four for each iteration
