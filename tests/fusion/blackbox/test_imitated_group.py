"""Laws of `BlackBoxFusion` by imitation: experts are asked when it is fitted, and never again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import BayesianRidge, LogisticRegression

from coolgp import BlackBoxFusion, read_model_file, write_model_file
from coolgp.agents import BlackBox
from coolgp.agents.experts.adapters import expert_of

X, Y = load_diabetes(return_X_y=True)
IRIS, LABELS = load_iris(return_X_y=True)
POOL, TEST = X[200:280], X[300:340]


def ridges(count: int = 5) -> list[BlackBox]:
    models = [BayesianRidge().fit(X[30 * i :][:30], Y[30 * i :][:30]) for i in range(count)]
    return [BlackBox(expert_of(model, f"ridge {i}"), queries=80) for i, model in enumerate(models)]


def test_new_inputs_ask_nobody_and_come_near_what_experts_online_say() -> None:
    boxes = ridges()
    group = BlackBoxFusion(boxes, nx.path_graph(5), method="colbi").fit(POOL)
    assert [box.used for box in boxes] == [80] * 5
    mean, std = group.predict(TEST, return_std=True)
    assert [box.used for box in boxes] == [80] * 5
    online = BlackBoxFusion(ridges(), method="cigar").fit().predict(TEST, return_std=True)
    assert np.sqrt(np.mean((mean - online[0]) ** 2)) < 0.3 * online[0].std()
    np.testing.assert_allclose(std, online[1], rtol=0.2)
    assert group.consensus_.all()
    assert group.trace_[0]["messages"] == 8


@pytest.mark.parametrize("uncertainty", ["gpoe", "product"])
def test_a_file_of_the_fused_model_predicts_as_the_group_does(uncertainty: Any, tmp_path: Path) -> None:
    group = BlackBoxFusion(ridges(), method="colbi", uncertainty=uncertainty).fit(POOL)
    write_model_file(tmp_path / "surrogate.npz", group.fused_.model)  # type: ignore[attr-defined]
    model = expert_of(read_model_file(tmp_path / "surrogate.npz"))
    np.testing.assert_allclose(model.predict(TEST), group.predict(TEST, return_std=True), rtol=1e-10)  # type: ignore[union-attr]


def test_classes_are_fused_by_their_weights_and_kept_in_a_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    shards = [rng.choice(150, 40, replace=False) for _ in range(4)]
    experts = [LogisticRegression(max_iter=500).fit(IRIS[rows], LABELS[rows]) for rows in shards]
    group = BlackBoxFusion(experts, nx.star_graph(3), method="colbi").fit(IRIS[::2])
    online = BlackBoxFusion(experts).fit()
    assert np.mean(group.predict(IRIS[1::2]) == online.predict(IRIS[1::2])) > 0.95
    write_model_file(tmp_path / "surrogate.npz", group.fused_.model)  # type: ignore[attr-defined]
    model = expert_of(read_model_file(tmp_path / "surrogate.npz"))
    np.testing.assert_allclose(model.predict_proba(IRIS), group.predict_proba(IRIS), atol=1e-10)  # type: ignore[union-attr]


def test_one_surrogate_of_all_is_the_same_over_any_graph_and_in_a_file(tmp_path: Path) -> None:
    boxes = ridges()
    group = BlackBoxFusion(boxes, nx.path_graph(5), method="colbi-parameters").fit(POOL)
    mean, std = group.predict(TEST, return_std=True)
    assert max(box.used for box in boxes) <= 80
    together = BlackBoxFusion(ridges(), method="colbi-parameters").fit(POOL).predict(TEST, return_std=True)
    np.testing.assert_allclose((mean, std), together, rtol=1e-6)
    average = np.mean([box.predict(TEST)[0] for box in ridges()], axis=0)
    assert np.sqrt(np.mean((mean - average) ** 2)) < 0.4 * average.std()
    write_model_file(tmp_path / "surrogate.npz", group.fused_.model)  # type: ignore[attr-defined]
    model = expert_of(read_model_file(tmp_path / "surrogate.npz"))
    np.testing.assert_allclose(model.predict(TEST), (mean, std), rtol=1e-10)  # type: ignore[union-attr]
    for settings, words in (
        ({"uncertainty": "product"}, "no other uncertainty"),
        ({"rounds": 2}, "no setting 'rounds'"),
    ):
        with pytest.raises(ValueError, match=words):
            BlackBoxFusion(ridges(), method="colbi-parameters", **settings).fit(POOL)  # type: ignore[arg-type]


def test_what_does_not_fit_is_refused() -> None:
    for settings, words in (
        ({"rounds": 3}, "colbi has no setting 'rounds'"),
        ({"objective": "reverse"}, "imitation needs objective kl | moments | published; got 'reverse'"),
        ({"inducing": 0}, "inducing is out of its range; got 0"),
    ):
        with pytest.raises(ValueError, match=words.replace("|", r"\|")):
            BlackBoxFusion(ridges(), method="colbi", **settings).fit(POOL)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least 5 inputs without targets; got 0"):
        BlackBoxFusion(ridges(), method="colbi").fit()
    mixed = BlackBoxFusion(ridges(), method="colbi", uncertainty="mixture").fit(POOL)
    with pytest.raises(ValueError, match=r"a product of linear ones: .* got \"mixture\""):
        mixed.fused_.model  # type: ignore[attr-defined]  # noqa: B018
