"""Rules that fuse answers to queries: closed forms of products, medians, and weights found on rows set aside."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import networkx as nx
import numpy as np
import pytest

from coolgp.agents.experts.expert import Classifier, Expert, Regressor
from coolgp.agents.experts.models.base import LocalRows
from coolgp.agents.experts.task import Task
from coolgp.fusion.apart.answers.stacking import class_weights, number_weights
from coolgp.fusion.apart.members import Members, asked
from coolgp.fusion.apart.registry import apart_rule_named
from coolgp.network.graphs.interchange import from_networkx
from coolgp.network.links.faults import PERFECT, Faults
from coolgp.network.serial import SerialTransport
from coolgp.network.transport import Transport

QUERIES = np.linspace(-2.0, 2.0, 7)[:, None]
RNG = np.random.default_rng(0)
MEANS, STDS = RNG.normal(size=(4, 7)), RNG.uniform(0.2, 0.9, size=(4, 7))
SHARES = RNG.dirichlet(np.ones(3), size=(4, 7))
NUMBERS = Task()
CLASSES = Task(("cat", "dog", "owl"))
TARGETS = 3.0 + 2.0 * RNG.normal(size=(4, 9))


def members(experts: tuple[Expert, ...], task: Task = NUMBERS, **more: Any) -> Members:
    rows = tuple(LocalRows(np.zeros((9, 1)), targets) for targets in TARGETS[: len(experts)])
    made = Members(task=task, experts=experts, rows=rows, queries=QUERIES, answers=QUERIES, **more)
    return replace(made, answers=asked(experts, made))


def regressors(means: Any = MEANS, stds: Any = STDS, **more: Any) -> Members:
    """Experts whose answers to the queries, and to their first rows, are given."""
    experts = tuple(
        Regressor(f"expert {i}", lambda x, m=m, s=s: (m[: len(x)], s[: len(x)]))  # type: ignore[misc]
        for i, (m, s) in enumerate(zip(means, stds, strict=True))
    )
    return members(experts, **more)


def classifiers(shares: Any = SHARES, **more: Any) -> Members:
    experts = tuple(
        Classifier(f"expert {i}", lambda x, p=p: p[: len(x)], np.array(CLASSES.labels))  # type: ignore[misc]
        for i, p in enumerate(shares)
    )
    return members(experts, CLASSES, **more)


def fused(
    rule: str, given: Members, graph: Any = nx.path_graph, faults: Faults = PERFECT, rounds: int = 0, **options: Any
) -> Any:
    topology = from_networkx(graph(len(given.experts)))
    made = apart_rule_named(rule, options).fit(topology, faults)
    transport: Transport = SerialTransport(made.links(topology))
    state = made.init(given, transport)
    state = made.exchange(state, given, transport, rounds) if rounds else made.converge(state, given, transport)
    return made.fused(state, given, transport).answers


@pytest.mark.parametrize("graph", [nx.path_graph, nx.cycle_graph, nx.complete_graph])
def test_the_product_is_the_precision_weighted_mean(graph: Any) -> None:
    precision = (1 / STDS**2).sum(axis=0)
    answers = fused("poe", regressors(), graph)
    np.testing.assert_allclose(answers[2, :, 0], (MEANS / STDS**2).sum(axis=0) / precision, rtol=1e-12)
    np.testing.assert_allclose(answers[1, :, 1], 1 / precision, rtol=1e-12)


def test_the_generalised_product_has_the_same_mean_and_the_mean_precision() -> None:
    product_, generalised = fused("poe", regressors())[0], fused("gpoe", regressors())[0]
    np.testing.assert_allclose(generalised[:, 0], product_[:, 0], rtol=1e-12)
    np.testing.assert_allclose(generalised[:, 1], 4 * product_[:, 1], rtol=1e-12)


def test_copies_of_an_expert_make_the_product_surer_and_the_generalised_product_not() -> None:
    copies = regressors(np.tile(MEANS[:1], (4, 1)), np.tile(STDS[:1], (4, 1)))
    np.testing.assert_allclose(fused("gpoe", copies)[0], copies.answers[0], rtol=1e-12)
    np.testing.assert_allclose(fused("poe", copies)[0, :, 1], copies.answers[0, :, 1] / 4, rtol=1e-12)


def test_one_sure_expert_is_believed_and_equally_sure_ones_are_averaged() -> None:
    sure = STDS.copy()
    sure[2] = 1e-5
    for rule in ("poe", "gpoe", "rbcm"):
        np.testing.assert_allclose(fused(rule, regressors(stds=sure))[0, :, 0], MEANS[2], atol=1e-6)
    equal = regressors(stds=np.full_like(STDS, 0.5))
    for rule in ("poe", "gpoe"):
        np.testing.assert_allclose(fused(rule, equal)[0, :, 0], MEANS.mean(axis=0), rtol=1e-12)


def test_entropy_weights_are_the_information_of_each_expert() -> None:
    gain = np.log(TARGETS.std() / STDS)
    weights = gain / gain.sum(axis=0)
    precision = (weights / STDS**2).sum(axis=0)
    answers = fused("gpoe", regressors(), weights="entropy")
    np.testing.assert_allclose(answers[0, :, 1], 1 / precision, rtol=1e-9)
    np.testing.assert_allclose(answers[0, :, 0], (weights * MEANS / STDS**2).sum(axis=0) / precision, rtol=1e-9)


def test_the_robust_committee_falls_back_to_the_moments_of_all_targets() -> None:
    """Where no expert knows more than the owners' targets, it predicts these; elsewhere by its published formula."""
    mean, variance = TARGETS.mean(), TARGETS.var()
    doubtful = fused("rbcm", regressors(stds=np.full_like(STDS, 5.0)))[0]
    np.testing.assert_allclose(doubtful, np.tile([mean, variance], (7, 1)), rtol=1e-9)
    gain = 0.5 * np.log(variance / STDS**2)
    precision = (gain / STDS**2).sum(axis=0) + (1 - gain.sum(axis=0)) / variance
    expected = mean + (gain * (MEANS - mean) / STDS**2).sum(axis=0) / precision
    answers = fused("rbcm", regressors())[0]
    np.testing.assert_allclose(answers[:, 0], expected, rtol=1e-9)
    np.testing.assert_allclose(answers[:, 1], 1 / precision, rtol=1e-9)


def test_probabilities_are_multiplied() -> None:
    expected = SHARES.prod(axis=0)
    least = {"least": 1e-9}
    np.testing.assert_allclose(
        fused("poe", classifiers(), **least)[1], expected / expected.sum(axis=1, keepdims=True), rtol=1e-9
    )
    roots = expected**0.25
    np.testing.assert_allclose(
        fused("gpoe", classifiers(), **least)[1], roots / roots.sum(axis=1, keepdims=True), rtol=1e-9
    )


def test_who_has_never_seen_a_class_does_not_veto_it() -> None:
    blind = np.tile([0.01, 0.01, 0.98], (4, 7, 1))
    blind[0] = [1.0, 0.0, 0.0]
    assert (fused("poe", classifiers(blind))[0, :, 2] > 0.5).all()


@pytest.mark.parametrize("rule", ["poe", "gpoe", "rbcm"])
def test_an_expert_without_a_standard_deviation_is_named(rule: str) -> None:
    stds = STDS.copy()
    stds[2] = np.nan
    with pytest.raises(ValueError, match="that of agent 2 tells none"):
        fused(rule, regressors(stds=stds))


def test_the_median_is_that_of_all_answers_and_on_the_way_of_those_that_have_arrived() -> None:
    np.testing.assert_allclose(fused("median", regressors())[3, :, 0], np.median(MEANS, axis=0))
    after_one = fused("median", regressors(), rounds=1)
    np.testing.assert_allclose(after_one[0, :, 0], np.median(MEANS[:2], axis=0))
    np.testing.assert_allclose(after_one[2, :, 0], np.median(MEANS[1:], axis=0))


def test_one_wild_expert_does_not_move_the_median_far_and_lost_messages_do_not_either() -> None:
    wild = MEANS.copy()
    wild[1] += 1e6
    lossy = fused("median", regressors(means=wild), faults=Faults(loss=0.3))
    assert (np.abs(lossy[:, :, 0]) < np.abs(MEANS).max() + 1).all()


def simplex(models: int, steps: int) -> Any:
    grid = np.array([w for w in product(range(steps + 1), repeat=models) if sum(w) == steps])
    return grid / steps


def test_no_weights_on_a_grid_answer_rows_set_aside_better() -> None:
    rng = np.random.default_rng(3)
    y = rng.normal(size=12)
    means = y * rng.uniform(0.2, 1.0, size=(3, 1)) + rng.normal(size=(3, 12))
    weights = number_weights(means, y, 0.0)
    np.testing.assert_allclose(weights.sum(), 1.0)
    assert (weights >= 0).all()
    losses = np.square(simplex(3, 40) @ means - y).mean(axis=1)
    assert np.square(weights @ means - y).mean() <= losses.min() + 1e-6
    likely = rng.uniform(0.05, 1.0, size=(3, 12))
    found = np.log(class_weights(likely, 0.0) @ likely).mean()
    assert found >= np.log(simplex(3, 40) @ likely).mean(axis=1).max() - 1e-6


def test_a_strong_pull_makes_all_weights_alike() -> None:
    np.testing.assert_allclose(number_weights(MEANS, np.ones(7), 1e6), 0.25, atol=1e-3)
    np.testing.assert_allclose(class_weights(SHARES[:, :, 0], 1e9), 0.25, atol=1e-3)


def test_stacking_weighs_the_answers_by_what_rows_set_aside_say() -> None:
    held = LocalRows(QUERIES[:5], MEANS[1, :5])  # the second expert is right about all of them
    answers = fused("stacking", regressors(labelled=held), pull=0.0)
    np.testing.assert_allclose(answers[3, :, 0], MEANS[1], atol=1e-6)
    np.testing.assert_allclose(answers[0, :, 1], STDS[1] ** 2, atol=1e-5)
    labels = LocalRows(QUERIES[:5], SHARES[2, :5].argmax(axis=1).astype(float))
    weights = class_weights(SHARES[:, np.arange(5), labels.y.astype(int)], 2.0)
    expected = np.einsum("n,nqk->qk", weights, SHARES)
    np.testing.assert_allclose(fused("stacking", classifiers(labelled=labels), pull=2.0)[0], expected, rtol=1e-9)


def test_stacking_without_rows_set_aside_says_which_key_sets_them() -> None:
    with pytest.raises(ValueError, match=r"set data\.labelled_count"):
        fused("stacking", regressors())
    with pytest.raises(ValueError, match="needs a network where nothing fails"):
        fused("stacking", regressors(), faults=Faults(loss=0.1))
