"""The estimator: scikit-learn's conventions, and predictions that do not depend on how rows were dealt."""

import pickle
import warnings

import networkx as nx
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from coolgp import CollectiveGPRegressor

FIXED = {"n_inducing": 25, "hyperparameters": "fixed", "random_state": 0}


def draw(rows: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, size=(rows, 2))
    return x, np.sin(2 * x[:, 0]) + x[:, 1] + 0.1 * rng.normal(size=rows)


def test_it_keeps_the_conventions_of_scikit_learn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_estimator(CollectiveGPRegressor(n_agents=3, n_inducing=8, random_state=0))


@pytest.mark.parametrize("graph", ["ring", nx.path_graph(["a", "b", "c"])])
def test_with_an_exact_rule_neither_agents_nor_dealing_matter(graph: object) -> None:
    x, y = draw()
    alone = CollectiveGPRegressor(n_agents=1, **FIXED).fit(x, y)
    many = CollectiveGPRegressor(n_agents=12, graph=graph, **FIXED).fit(x, y)
    queries = draw(50, seed=1)[0]
    for agent in many.agents_[:3]:
        for mean, other in zip(alone.predict(queries, True), many.predict(queries, True, agent), strict=True):
            assert mean == pytest.approx(other, rel=1e-8)


def test_an_agent_knows_only_its_own_rows_without_fusion() -> None:
    x, y = draw()
    groups = np.floor(2 * x[:, 0]).astype(int)
    apart = CollectiveGPRegressor(rule="none", graph="random-tree", **FIXED).fit(x, y, groups)
    assert set(apart.agents_) == set(map(str, groups.tolist()))
    spread = np.stack([apart.predict(x, True, agent)[1] for agent in apart.agents_])
    surest = np.array(apart.agents_, dtype=int)[spread.argmin(axis=0)]
    assert np.mean(surest == groups) > 0.8


def test_more_rows_add_up_in_any_portions() -> None:
    x, y = draw()
    more, target = draw(seed=2)
    once = CollectiveGPRegressor(n_agents=4, **FIXED).partial_fit(x, y).partial_fit(more, target)
    twice = CollectiveGPRegressor(n_agents=4, **FIXED).fit(x, y)
    for part in (slice(0, 70), slice(70, None)):
        twice.partial_fit(more[part], target[part])
    assert once.predict(x) == pytest.approx(twice.predict(x), abs=1e-8)
    assert once.score(*draw(seed=3)) > 0.98


def test_agents_that_forget_follow_a_function_that_changed() -> None:
    x, y = draw()
    more, target = draw(seed=2)
    error = {}
    for forget in (1.0, 0.5):
        model = CollectiveGPRegressor(n_agents=4, forget=forget, **FIXED).fit(x, y).partial_fit(more, -target)
        error[forget] = np.sqrt(np.mean(np.square(model.predict(x) + y)))
    assert error[1.0] > 0.9  # half-way between a function and its opposite
    assert error[0.5] < 0.3


def test_it_goes_on_after_a_copy_and_keeps_no_row() -> None:
    model = CollectiveGPRegressor(n_agents=4, **FIXED).fit(*draw(4000))
    stored = pickle.dumps(model)
    copied = pickle.loads(stored)
    assert len(stored) < 4000 * 3 * 8
    assert copied.partial_fit(*draw(seed=2)).predict(draw()[0]) == pytest.approx(
        model.partial_fit(*draw(seed=2)).predict(draw()[0]), abs=1e-12
    )


def test_it_stands_in_pipelines_and_searches() -> None:
    x, y = draw(120)
    pipeline = make_pipeline(StandardScaler(), CollectiveGPRegressor(n_agents=3, n_inducing=10, random_state=0))
    name = "collectivegpregressor__rule"
    search = GridSearchCV(pipeline, {name: ["tree", "rbcm"]}, cv=2).fit(x, y)
    assert search.best_params_[name] == "tree"
    assert cross_val_score(pipeline, x, y, cv=2).min() > 0.8


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"n_agents": 0}, "n_agents needs a whole number of at least 1; got 0"),
        ({"kernel": "cubic", "rule": "trea"}, r"(?s)kernel.*fusion.rule.*tree"),
        ({"settings": {"loss": 0.1}}, 'settings needs keys such as "network.loss"'),
        ({"settings": {"network.los": 0.1}}, 'network.los: unknown key; did you mean "loss"'),
    ],
)
def test_what_cannot_be_is_refused(parameters: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        CollectiveGPRegressor(**parameters).fit(*draw(50))


def test_agents_that_are_not_there_are_named() -> None:
    x, y = draw(60)
    model = CollectiveGPRegressor(n_agents=3, **FIXED).fit(x, y)
    with pytest.raises(ValueError, match="such as '0'; got 'nobody'"):
        model.predict(x, agent="nobody")
    with pytest.raises(ValueError, match="names of the 3 agents, such as '0'; got 7"):
        model.partial_fit(x, y, np.full(60, 7))
