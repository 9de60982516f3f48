"""Regressors that only answer: a newcomer's model from their surrogates, with queries counted and capped."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm
from sklearn.svm import SVR

import coolgp
from coolgp.fusion.personalise.alternatives import of_mixture, of_owners, owners_densities
from coolgp.fusion.personalise.outcome import PersonalRegressor
from coolgp.fusion.personalise.relations import World, drawn_world


def related(relation: str, seed: int, owners: int = 12) -> tuple[World, list[SVR]]:
    here = drawn_world(relation, owners, 1, 30, np.random.default_rng(seed))
    return here, [SVR(C=10, gamma=8).fit(*here.rows(owner, 150)) for owner in range(owners)]


def error(model: PersonalRegressor, here: World, task: int) -> dict[str, float]:
    """Root mean square errors of the mixture and its parts."""
    at = np.random.default_rng(9).uniform(size=(150, 2))
    truth = here.features(at) @ here.weights[task]
    parts = {candidate.name: one for candidate, one in zip(model.model.candidates, model.model.members, strict=True)}
    means = {"mine": model.predict(at)} | {name: one.predict(at)[0] for name, one in parts.items()}
    return {name: float(np.sqrt(np.mean(np.square(mean - truth)))) for name, mean in means.items()}


@pytest.mark.parametrize(("relation", "share"), [("same", 0.5), ("deviations", 0.8), ("unrelated", 1.1)])
def test_answers_alone_help_where_tasks_are_related_and_do_no_harm_elsewhere(relation: str, share: float) -> None:
    errors = []
    for seed in range(3):
        here, models = related(relation, seed)
        pool = np.random.default_rng(seed).uniform(size=(120, 2))
        mine = coolgp.personalise(models, *here.rows(12, 8), unlabelled=pool)
        assert mine.report.chosen.endswith("from surrogates")
        errors.append([error(mine, here, 12)[name] for name in ("mine", "scratch")])
    own, scratch = np.sqrt(np.mean(np.square(errors), axis=0))
    assert own < share * scratch


@pytest.fixture(scope="module")
def waves() -> list[object]:
    return [lambda x, a=a: np.sin(2 * x[:, 0]) + a for a in (-0.2, -0.1, 0.0, 0.1, 0.2)]


X = np.linspace(-1.93, 1.93, 7)[:, None]
Y = np.sin(2 * X[:, 0]) + 0.05
POOL = np.linspace(-2, 2, 80)[:, None]


def test_every_row_is_asked_for_once_and_none_beyond_the_cap(waves: list[object]) -> None:
    counts = [0] * len(waves)

    def counting(place: int) -> object:
        def answer(x: np.ndarray) -> np.ndarray:
            counts[place] += len(x)
            return waves[place](x)

        return answer

    models = [counting(place) for place in range(len(waves))]
    mine = coolgp.personalise(models, X, Y, unlabelled=POOL)
    assert counts == [80 + 7 + 5] * 5
    assert mine.report.details["queries"] == "460 rows in all, at most 92 of a model (10,000 allowed)"
    counts[:] = [0] * 5
    coolgp.personalise(models, X, Y, unlabelled=POOL, queries=40)
    assert max(counts) <= 40
    with pytest.raises(ValueError, match=r"needed 17 rows of each model, 7 of the newcomer's, .*; got 16"):
        coolgp.personalise(models, X, Y, unlabelled=POOL, queries=16)


def test_the_file_holds_the_model_and_a_graph_changes_nothing(waves: list[object], tmp_path: object) -> None:
    mine = coolgp.personalise(waves, X, Y, unlabelled=POOL)
    coolgp.write_model_file(tmp_path / "mine.skops", mine.stored)
    read = coolgp.read_model_file(tmp_path / "mine.skops")
    over = coolgp.personalise(waves, X, Y, unlabelled=POOL, graph=nx.star_graph(4))
    for expected, stored, there in zip(
        *(model.predict(POOL, return_std=True) for model in (mine, read, over)), strict=True
    ):
        np.testing.assert_allclose(stored, expected, atol=1e-5)
        np.testing.assert_allclose(there, expected, atol=1e-6)


def test_the_report_scores_scratch_and_the_mean_of_the_models_too(waves: list[object]) -> None:
    scores = coolgp.personalise(waves, X, Y, unlabelled=POOL).report.left_out
    assert scores["this model"] > scores["scratch"]
    assert {"population", "half-way", "scratch", "one task", "mean of the models", "best of the models"} < set(scores)
    bad = coolgp.personalise([lambda x: 9.0 + x[:, 0] ** 2, lambda x: x[:, 0] ** 2 - 9.0], X, Y, unlabelled=POOL)
    assert bad.report.left_out["mean of the models"] < bad.report.left_out["scratch"]


def test_rows_without_targets_are_needed_and_have_to_fit(waves: list[object]) -> None:
    with pytest.raises(ValueError, match="rows without targets, at which they are asked: give unlabelled"):
        coolgp.personalise(waves, X, Y)
    with pytest.raises(ValueError, match="unlabelled rows have 2 inputs; X has 1"):
        coolgp.personalise(waves, X, Y, unlabelled=np.ones((9, 2)))
    with pytest.raises(ValueError, match="need 5 rows without targets or more; got 4"):
        coolgp.personalise(waves, X, Y, unlabelled=POOL[:4])


def test_a_mixture_scores_a_row_with_the_weights_of_the_others() -> None:
    rng = np.random.default_rng(0)
    each, prior = np.log(rng.uniform(0.1, 1.0, (3, 6))), np.array([0.5, 0.3, 0.2])  # rows independent given a candidate
    expected = [
        logsumexp(np.log(prior) + each.sum(1)) - logsumexp(np.log(prior) + np.delete(each, row, 1).sum(1))
        for row in range(6)
    ]
    assert of_mixture(prior, each.sum(1), each) == pytest.approx(np.mean(expected))


def test_owners_are_scored_as_they_are_and_the_best_is_chosen_by_the_other_rows() -> None:
    y, means = np.array([0.0, 1.0, 2.0]), np.array([[0.0, 1.0, 5.0], [0.1, 1.1, 2.1]])
    stds = np.array([[1.0, 1.0, 1.0], [np.nan] * 3])
    densities = owners_densities(means, stds, y, 0.04)
    np.testing.assert_allclose(densities[0], norm(means[0], 1.0).logpdf(y))
    np.testing.assert_allclose(densities[1], norm(means[1], np.sqrt((0.01 + 0.01 + 0.04) / 3)).logpdf(y))
    scores = of_owners(densities)
    assert scores["mean of the models"] == pytest.approx(np.mean(logsumexp(densities, 0) - np.log(2)))
    assert scores["best of the models"] == pytest.approx(np.mean(densities[1]))
