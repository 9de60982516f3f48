"""A newcomer's model: a mixture of priors weighed by the evidence of its rows."""

from __future__ import annotations

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from scipy.stats import norm

from coolgp.agents.experts.sparse_gp import SparseGPRegressor
from coolgp.agents.sparse.gp import SparseGP
from coolgp.fusion.personalise.gps import PersonalisedGPs, common_inputs
from coolgp.fusion.personalise.learning import learn
from coolgp.fusion.personalise.mixture import PersonalGP, candidates_of
from coolgp.fusion.personalise.over_graph import OverGraph
from coolgp.fusion.personalise.population import Population
from coolgp.network.graphs.given import checked_graph

from tests.fusion.personalise.tasks import World, alike, world


def newcomer(here: World, spread: float = 0.2) -> tuple[PersonalGP, np.ndarray]:
    weights = alike(here, 21, spread)
    evidence = here.evidence([here.rows(each, 30) for each in weights[:-1]])
    return PersonalGP(candidates_of(learn(evidence).populations[0]), here.gp), weights[-1]


def test_rows_at_once_or_one_by_one_give_the_same_model() -> None:
    here = world(0)
    start, weights = newcomer(here)
    x, y = here.rows(weights, 20)
    at_once, later = start.observe(x, y), start
    for row in range(20):
        later = later.observe(x[row : row + 1], y[row : row + 1])
    np.testing.assert_allclose(later.weights, at_once.weights, atol=1e-9)
    np.testing.assert_allclose(later.predict(x), at_once.predict(x), atol=1e-9)
    assert later.rows == at_once.rows == 20


def test_weights_are_shares_of_the_evidence() -> None:
    here = world(1)
    start, weights = newcomer(here)
    np.testing.assert_allclose(start.weights, 1 / 3)
    seen = start.observe(*here.rows(weights, 6))
    assert seen.weights.sum() == pytest.approx(1.0)
    ratio = np.log(seen.weights) - seen.log_evidence
    np.testing.assert_allclose(ratio, ratio[0], atol=1e-9)


def test_left_out_scores_are_those_of_models_without_the_row() -> None:
    here = world(2)
    start, weights = newcomer(here)
    x, y = here.rows(weights, 7)
    scores = start.observe(x, y).left_out(x, y).mean(axis=1)
    explained = np.square(here.features(x)).sum(axis=1)
    others = [np.arange(7) != row for row in range(7)]
    for place, score in enumerate(scores):
        expected = []
        for row, rest in enumerate(others):
            member = start.observe(x[rest], y[rest]).members[place]
            mean, std = member.predict(x[row : row + 1])
            spread = np.sqrt(std**2 - np.maximum(1.0 - explained[row], 0.0))  # of what inducing inputs can say
            expected.append(norm(mean, spread).logpdf(y[row])[0])
        assert score == pytest.approx(np.mean(expected), abs=1e-6)


def test_related_tasks_help_and_unrelated_ones_do_no_harm() -> None:
    ratios = {}
    for spread in (0.0, 0.2, 1.0):
        errors = []
        for seed in range(6):
            here = world(seed)
            start, weights = newcomer(here, spread)
            x = np.linspace(0, 1, 100)[:, None]
            model = start.observe(*here.rows(weights, 4))
            truth = here.features(x) @ weights
            errors.append(
                [np.mean(np.square(mean - truth)) for mean in (model.predict(x)[0], model.members[2].predict(x)[0])]
            )
        own, scratch = np.sqrt(np.mean(errors, axis=0))
        ratios[spread] = own / scratch
    assert ratios[0.0] < 0.3
    assert ratios[0.2] < 0.8
    assert ratios[1.0] < 1.1


def test_owners_own_posteriors_share_a_quarter() -> None:
    candidates = candidates_of(Population.standard(3), [Population.standard(3)] * 5)
    assert sum(candidate.weight for candidate in candidates) == pytest.approx(1.0)
    assert sum(candidate.weight for candidate in candidates[3:]) == pytest.approx(0.25)


def test_fitted_models_of_owners_give_a_newcomer_a_start() -> None:
    rng = np.random.default_rng(5)

    def rows(shift: float, count: int) -> tuple[np.ndarray, np.ndarray]:
        x = rng.uniform(-2, 2, (count, 1))
        return x, np.sin(2 * x[:, 0]) + shift + 0.05 * rng.normal(size=count)

    models = [SparseGPRegressor(10, max_iter=20, random_state=0).fit(*rows(0.1 * rng.normal(), 60)) for _ in range(8)]
    start, learned = PersonalisedGPs().start(models)
    assert len(start.common.shift) == 20
    assert len(learned.populations) == 1
    x = np.linspace(-2, 2, 50)[:, None]
    few = start.observe(*rows(0.0, 3))
    error = np.sqrt(np.mean(np.square(few.predict(x)[0] - np.sin(2 * x[:, 0]))))
    assert error < 0.15
    assert few.weights[2] < 0.1


def test_common_inputs_are_all_of_them_or_as_many_as_asked_for() -> None:
    rng = np.random.default_rng(6)
    models = [
        SparseGPRegressor(6, max_iter=0, random_state=0).fit(rng.normal(size=(30, 2)), rng.normal(size=30))
        for _ in range(3)
    ]
    owners = [model.to_sparse_gp() for model in models]
    assert len(common_inputs(owners, 18, 0)) == 18
    fewer = common_inputs(owners, 7, 0)
    assert fewer.shape == (7, 2)
    np.testing.assert_array_equal(common_inputs(owners[::-1], 7, 0), fewer)


def test_where_all_tasks_are_one_the_newcomer_takes_it_and_where_not_leaves_it() -> None:
    for spread, share in ((0.0, (0.9, 1.0)), (0.5, (0.0, 0.01))):
        here = world(3)
        weights = alike(here, 31, spread)
        learned = learn(here.evidence([here.rows(each, 30) for each in weights[:-1]]))
        start = PersonalGP(candidates_of(learned.populations[0], pooled=learned.pooled), here.gp)
        low, high = share
        assert low <= start.observe(*here.rows(weights[-1], 20)).weights[3] <= high


def owners_and_newcomers(here: World, count: int) -> tuple[list[SparseGP], list[tuple[np.ndarray, np.ndarray]]]:
    """Owners with models about the inducing inputs of the world, and the rows of two newcomers."""
    weights = alike(here, count + 2, 0.2)
    owners = [_model(here, *here.rows(each, 30)) for each in weights[:count]]
    return owners, [here.rows(each, 12) for each in weights[count:]]


def _model(here: World, x: np.ndarray, y: np.ndarray) -> SparseGP:
    evidence = here.evidence([(x, y)])
    return replace(here.gp, precision=evidence.precision[0], shift=evidence.shift[0])


@pytest.mark.parametrize("tree", [False, True])
def test_a_newcomer_that_joins_is_one_owner_among_others(tree: bool) -> None:
    owners, (rows, others) = owners_and_newcomers(world(7), 8)
    start, _ = PersonalisedGPs(n_inducing=8).starting_point(owners)
    newcomer = start.newcomer()
    for row in range(len(rows[1])):
        newcomer = newcomer.observe(rows[0][row : row + 1], rows[1][row : row + 1])
    path = OverGraph.along_tree(checked_graph(nx.path_graph(9), 9))
    joined = start.join(newcomer, path.learn if tree else learn)
    at_once, _ = PersonalisedGPs(n_inducing=8).starting_point([*owners, newcomer.common])
    np.testing.assert_allclose(joined.evidence.pack(), at_once.evidence.pack(), rtol=1e-9, atol=1e-9)
    for one, other in ((joined.population, at_once.population), (joined.learned.pooled, at_once.learned.pooled)):
        np.testing.assert_allclose(one.mean, other.mean, atol=1e-10)
        np.testing.assert_allclose(one.covariance, other.covariance, atol=1e-10)
    again, expected = (each.newcomer().observe(*others) for each in (joined, at_once))
    np.testing.assert_allclose(again.weights, expected.weights, atol=1e-10)
    np.testing.assert_allclose(again.predict(others[0]), expected.predict(others[0]), atol=1e-10)
    assert np.abs(joined.population.mean - start.population.mean).max() > 1e-3


def test_who_cannot_join_is_told_why() -> None:
    here = world(8)
    start, _ = PersonalisedGPs(n_inducing=8).starting_point(owners_and_newcomers(here, 6)[0])
    with pytest.raises(ValueError, match="has observed none"):
        start.join(start.newcomer())
    moved = replace(start.common, center=1.0)
    with pytest.raises(ValueError, match="needs a newcomer that started here"):
        start.join(replace(start, common=moved).newcomer().observe(np.zeros((1, 1)), np.zeros(1)))
