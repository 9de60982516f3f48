"""Laws of all rules that fuse models trained apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from coolgp.agents.experts.expert import Expert, Regressor
from coolgp.agents.experts.models.base import LocalRows, labelled
from coolgp.agents.experts.network import Network
from coolgp.agents.experts.task import Task, with_network
from coolgp.fusion.apart.members import Members, asked
from coolgp.fusion.apart.registry import APART_RULES, apart_rule_named
from coolgp.fusion.apart.rule import KnownAfterwards
from coolgp.network.graphs.generate import generate
from coolgp.network.links.faults import PERFECT, Faults
from coolgp.network.serial import SerialTransport
from coolgp.network.transport import Transport

CLASSES = Task(("cat", "dog", "owl"))
OPTIONS: dict[str, dict[str, Any]] = {
    "pfnm": {"mass": 1.0, "read_out": "split"},
    "k-means": {"units": 4},
    "poe": {"least": 1e-15},
    "gpoe": {"least": 1e-15},
    "cigar": {"least": 1e-15},
}
"""Settings under which one model is fused to itself."""


def _classifies(name: str) -> bool:
    try:
        apart_rule_named(name).check(CLASSES)
    except ValueError:
        return False
    return True


WITHOUT_MODELS, BY_THE_FIRST = ("random-features", "colbi"), ("re-basin", "k-means")
"""Rules that do not predict by the models of owners themselves, and those whose result depends on who is the first."""
CLASSIFYING = [name for name in APART_RULES if _classifies(name)]
FUSING = [name for name in CLASSIFYING if not issubclass(APART_RULES[name], KnownAfterwards)]


def network(seed: int, hidden: int = 4, outputs: int = 3) -> Network:
    rng = np.random.default_rng(seed)
    shapes = ((2, hidden), (hidden, outputs))
    weights = tuple(2.0 * rng.normal(size=shape) for shape in shapes)
    return Network(weights, tuple(rng.normal(size=shape[1]) for shape in shapes), classes=np.arange(outputs))


def classifiers(*seeds: int) -> Members:
    rng = np.random.default_rng(9)
    experts = tuple(labelled(network(seed), f"expert {seed}", CLASSES) for seed in seeds)
    rows = tuple(_rows(seed) for seed in seeds)
    return replace(answered(CLASSES, experts, rows, rng.normal(size=(7, 2))), unlabelled=rng.normal(size=(60, 2)))


def _rows(seed: int) -> LocalRows:
    rng = np.random.default_rng(100 + seed)
    return LocalRows(rng.normal(size=(6 + seed, 2)), rng.integers(2, size=6 + seed).astype(float))  # none is an owl


def answered(task: Task, experts: tuple[Expert, ...], rows: tuple[LocalRows, ...], queries: Any) -> Members:
    members = Members(
        task=task,
        experts=experts,
        rows=rows,
        queries=queries,
        answers=queries,
        pooled=lambda: experts[0],
        labelled=_rows(50),
    )
    return replace(members, answers=asked(experts, members))


def fused(rule: str, members: Members, faults: Faults = PERFECT, rounds: int = 0, **options: Any) -> Any:
    topology = generate("complete", len(members.experts), seed=0)
    made = apart_rule_named(rule, OPTIONS.get(rule, {}) | options).fit(topology, faults)
    transport: Transport = SerialTransport(made.links(topology))
    state = made.init(members, transport)
    state = made.exchange(state, members, transport, rounds) if rounds else made.converge(state, members, transport)
    return made.fused(state, members, transport)


@pytest.mark.parametrize("rule", [name for name in CLASSIFYING if name not in WITHOUT_MODELS])
def test_one_model_is_fused_to_itself(rule: str) -> None:
    members = classifiers(1)
    np.testing.assert_allclose(fused(rule, members).answers, members.answers, atol=1e-12)


@pytest.mark.parametrize("rule", [name for name in FUSING if name not in BY_THE_FIRST])
def test_renaming_the_agents_renames_their_predictions(rule: str) -> None:
    order = [2, 0, 1]
    agents = np.array([1, 2, 3])
    pool = classifiers(*agents)
    renamed = replace(classifiers(*agents[order]), pooled=pool.pooled)
    np.testing.assert_allclose(fused(rule, renamed).answers, fused(rule, pool).answers[order], atol=1e-12)


@pytest.mark.parametrize("rule", [name for name in FUSING if name != "alone"])
def test_at_the_fixed_point_all_agents_predict_alike(rule: str) -> None:
    answers = fused(rule, classifiers(1, 2, 3)).answers
    np.testing.assert_allclose(answers, np.broadcast_to(answers[0], answers.shape), atol=1e-12)
    np.testing.assert_allclose(answers.sum(axis=2), 1.0)


@pytest.mark.parametrize("via", ["tree", "consensus", "push-sum", "flood", "server"])
@pytest.mark.parametrize("rule", ["ensemble", "average", "poe", "gpoe", "stacking"])
def test_what_carries_a_sum_does_not_change_it(rule: str, via: str) -> None:
    members = classifiers(1, 2, 3)
    np.testing.assert_allclose(fused(rule, members, via=via).answers, fused(rule, members).answers, atol=1e-9)


def test_ensembles_are_the_weighted_means_of_all_predictions() -> None:
    members = classifiers(1, 2, 3)
    np.testing.assert_allclose(fused("ensemble", members).answers[0], members.answers.mean(axis=0))
    counts = np.stack([rows.counts(3) for rows in members.rows])
    assert not counts[:, 2].any()
    shares = np.where(counts.sum(axis=0) > 0, counts / np.maximum(counts.sum(axis=0), 1), 1 / 3)
    weighted = np.einsum("jqk,jk->qk", members.answers, shares)
    expected = weighted / weighted.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(fused("ensemble", members, weights="classes").answers[1], expected, rtol=1e-9)


def regressors(*stds: float) -> Members:
    experts = tuple(
        Regressor(f"expert {i}", lambda x, i=i, std=std: (x[:, 0] + i, np.full(len(x), std)))  # type: ignore[misc]
        for i, std in enumerate(stds)
    )
    rows = tuple(LocalRows(np.zeros((i + 1, 1)), np.zeros(i + 1)) for i in range(len(stds)))
    return answered(Task(), experts, rows, np.array([[0.0], [5.0]]))


def test_an_ensemble_of_regressors_has_the_moments_of_their_mixture() -> None:
    answers = fused("ensemble", regressors(1.0, 2.0)).answers
    np.testing.assert_allclose(answers[0, :, 0], [0.5, 5.5])
    np.testing.assert_allclose(answers[1, :, 1], 2.5 + 0.25)
    by_rows = fused("ensemble", regressors(1.0, 2.0), weights="rows").answers
    np.testing.assert_allclose(by_rows[0, :, 0], np.array([0.0, 5.0]) + 2 / 3)


def test_where_one_model_has_no_variance_the_ensemble_has_none() -> None:
    answers = fused("ensemble", regressors(1.0, np.nan)).answers
    assert np.isfinite(answers[:, :, 0]).all()
    assert np.isnan(answers[:, :, 1]).all()


def test_the_average_is_that_of_all_weights() -> None:
    members = classifiers(1, 2)
    nets = [expert.parameters for expert in members.experts]
    mean = replace(
        nets[0],
        weights=tuple(np.mean(pair, axis=0) for pair in zip(*(each.weights for each in nets), strict=True)),
        biases=tuple(np.mean(pair, axis=0) for pair in zip(*(each.biases for each in nets), strict=True)),
    )
    expert = with_network(members.experts[0], mean)
    np.testing.assert_allclose(fused("average", members).answers[1], asked([expert], members)[0], atol=1e-12)


def test_networks_of_any_widths_are_matched_and_none_before_all_have_arrived() -> None:
    nets = [network(1), network(2, hidden=6)]
    experts = tuple(labelled(each, "expert", CLASSES) for each in nets)
    members = answered(CLASSES, experts, (_rows(1), _rows(2)), np.ones((3, 2)))
    matched = fused("pfnm", members)
    assert matched.parameters[0] >= nets[1].size
    three = classifiers(1, 2, 3)
    np.testing.assert_array_equal(fused("pfnm", three, rounds=1, via="tree").answers, three.answers)
    assert (fused("pfnm", three, rounds=2, via="tree").answers != three.answers).any()


def test_permuted_copies_are_fused_to_the_same_function() -> None:
    one = network(1)
    order = np.array([2, 0, 3, 1])
    copy = replace(
        one, weights=(one.weights[0][:, order], one.weights[1][order]), biases=(one.biases[0][order], one.biases[1])
    )
    experts = tuple(labelled(each, "expert", CLASSES) for each in (one, copy))
    members = answered(CLASSES, experts, (_rows(1), _rows(2)), np.ones((3, 2)))
    for rule in ("pfnm", "re-basin", "k-means"):
        np.testing.assert_allclose(fused(rule, members).answers, members.answers, atol=1e-10)
    assert (np.abs(fused("average", members).answers - members.answers) > 1e-3).any()


def test_an_output_layer_is_refitted_from_sums_over_the_owners() -> None:
    members = classifiers(1, 2, 3)
    refitted, plain = fused("pfnm", members, head="refit"), fused("pfnm", members)
    assert refitted.parameters[0] == plain.parameters[0]
    assert (refitted.answers != plain.answers).any()


@pytest.mark.parametrize("deep", [False, True])
def test_as_many_clusters_as_units_are_the_ensemble_of_logits_by_class_shares(deep: bool) -> None:
    members = _mixed([(_deep if deep else network)(seed) for seed in (1, 2, 3)])
    counts = np.stack([rows.counts(3) for rows in members.rows])
    shares = np.where(counts.sum(axis=0) > 0, counts / np.maximum(counts.sum(axis=0), 1), 1 / 3)
    logits = np.stack([expert.parameters.outputs(members.queries) for expert in members.experts])
    for power in (0.5, 1.0):
        weights = shares**power / (shares**power).sum(axis=0)
        together = with_softmax(np.einsum("jqk,jk->qk", logits, weights))
        if np.allclose(fused("k-means", members, units=12).answers[0], together, atol=1e-10):
            return
    raise AssertionError("neither the class shares nor their roots")


def with_softmax(logits: Any) -> Any:
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def test_the_owners_choose_the_number_of_clusters_by_the_rows_that_they_get_right() -> None:
    members = classifiers(1, 2, 3)
    right = {}
    for units in (None, 3, 6, 9, 12):
        local = replace(members, queries=np.concatenate([rows.x for rows in members.rows]))
        answers = fused("k-means", local, units=units).answers[0]
        y = np.concatenate([rows.y for rows in members.rows])
        right[units] = int((answers.argmax(axis=1) == y).sum())
    assert right.pop(None) == max(right.values())


@pytest.mark.parametrize(
    "rule, members, message",
    [
        ("average", lambda: _mixed([network(1), network(2, hidden=6)]), "networks of one shape, and that of agent 1"),
        (
            "average",
            lambda: regressors(1.0, 1.0),
            "needs neural networks, whose weights it fuses; the model of agent 0",
        ),
        ("pfnm", lambda: regressors(1.0, 1.0), "needs neural networks"),
        ("pooled", lambda: replace(classifiers(1, 2), pooled=None), "these come from files"),
    ],
)
def test_models_that_do_not_fit_are_refused(rule: str, members: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fused(rule, members())


def _deep(seed: int) -> Network:
    one, rng = network(seed), np.random.default_rng(seed)
    weights, biases = (
        (one.weights[0], rng.normal(size=(4, 4)), one.weights[1]),
        (one.biases[0], np.ones(4), one.biases[1]),
    )
    return replace(one, weights=weights, biases=biases)


def _mixed(nets: Sequence[Network]) -> Members:
    experts = tuple(labelled(each, "expert", CLASSES) for each in nets)
    return answered(CLASSES, experts, tuple(map(_rows, range(len(nets)))), np.ones((3, 2)))


@pytest.mark.parametrize(
    "rule, task, options, message",
    [
        ("ensemble", Task(), {"weights": "classes"}, "needs classes to predict"),
        ("pfnm", Task(), {}, "fuses classifiers; the data are of regression"),
    ],
)
def test_rules_refuse_a_task_that_they_are_not_for(rule: str, task: Task, options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        apart_rule_named(rule, options).check(task)


def test_matching_refuses_a_network_that_fails_and_says_what_fails() -> None:
    with pytest.raises(ValueError, match=r"where nothing fails \(loss, delay\)"):
        fused("pfnm", classifiers(1, 2), faults=Faults(loss=0.1, delay=1))


def test_the_output_layer_of_random_units_is_that_of_all_rows_together() -> None:
    three = classifiers(1, 2, 3)
    together = LocalRows(*(np.concatenate([getattr(own, name) for own in three.rows]) for name in ("x", "y")))
    pooled = replace(three, experts=three.experts[:1], rows=(together,), answers=three.answers[:1])
    options = {"units": 5, "seed": 3}
    one, many = fused("random-features", pooled, **options), fused("random-features", three, **options)
    np.testing.assert_allclose(many.answers[1], one.answers[0], atol=1e-9)


def test_an_unknown_rule_or_setting_is_refused() -> None:
    with pytest.raises(ValueError, match="needs one of alone, best"):
        apart_rule_named("mean")
    with pytest.raises(ValueError, match="'average' cannot be set up"):
        apart_rule_named("average", {"colour": 1})
