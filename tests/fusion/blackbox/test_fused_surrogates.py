"""Laws of fused surrogates: by predictions, by weights, and by parameters, over a graph."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.expert import Classifier, Regressor
from coolgp.agents.experts.models.base import LocalRows
from coolgp.agents.experts.queries.black_box import BlackBox, DensityExpert
from coolgp.agents.experts.surrogates.features import features_over
from coolgp.agents.experts.surrogates.linear import FusedLinearSurrogates, LinearSurrogate
from coolgp.agents.experts.task import Task
from coolgp.fusion.apart.members import Members, asked
from coolgp.fusion.apart.registry import apart_rule_named
from coolgp.fusion.blackbox.imitation.parameters import PseudoLabels, begun, row_length, stepped
from coolgp.network.graphs.generate import generate
from coolgp.network.links.faults import PERFECT, Faults
from coolgp.network.serial import SerialTransport

NUMBERS, CLASSES = Task(), Task(("cat", "dog", "owl"))
RNG = np.random.default_rng(0)
POOL = RNG.normal(size=(60, 2))
X = np.random.default_rng(7).normal(size=(9, 2))
FEATURES = features_over(POOL, 8, np.random.default_rng(1))


def surrogate(seed: int) -> LinearSurrogate:
    rng = np.random.default_rng(seed)
    return LinearSurrogate(FEATURES, rng.normal(size=9), 0.2 * rng.normal(size=9) - 0.5)


def members_of(boxes: list[BlackBox], task: Task = NUMBERS) -> Members:
    experts = tuple(box.expert for box in boxes)
    rows = (LocalRows(POOL[:2], np.zeros(2)),) * len(boxes)
    members = Members(task=task, experts=experts, rows=rows, queries=X, answers=X, unlabelled=POOL, boxes=tuple(boxes))
    return replace(members, answers=asked(experts, members))


def regressors(count: int = 5) -> list[BlackBox]:
    return [BlackBox(Regressor(f"expert {seed}", surrogate(seed).predict)) for seed in range(count)]


def classifiers(count: int = 4) -> list[BlackBox]:
    def shares(x: Array, seed: int) -> Array:
        scores = np.exp(x @ np.random.default_rng(seed).normal(size=(2, 3)))
        return scores / scores.sum(axis=1, keepdims=True)

    names = np.array(CLASSES.labels)
    return [BlackBox(Classifier(f"expert {i}", lambda x, i=i: shares(x, i), names)) for i in range(count)]


def fused(
    rule: str, members: Members, graph: str = "random-tree", faults: Faults = PERFECT, rounds: int = 0, **options: Any
) -> Any:
    topology = generate(graph, len(members.boxes), seed=0)
    made = apart_rule_named(rule, options).fit(topology, faults)
    made.check(members.task)
    transport = SerialTransport(made.links(topology))
    state = made.init(members, transport)
    state = made.exchange(state, members, transport, rounds) if rounds else made.converge(state, members, transport)
    return made.fused(state, members, transport)


def test_fused_surrogates_of_experts_of_the_family_are_what_cigar_agrees_on() -> None:
    members = members_of(regressors())
    by_surrogates = fused("colbi", members, objective="moments", inducing=60).answers
    by_queries = fused("cigar", members_of(regressors())).answers
    np.testing.assert_allclose(by_surrogates, by_queries, rtol=2e-2, atol=5e-2)


def test_copies_of_experts_are_fused_to_what_cigar_agrees_on() -> None:
    """Surrogates that are the experts themselves: the sum of their answers is the product, to rounding."""
    model = FusedLinearSurrogates(
        LinearSurrogate(
            FEATURES,
            np.stack([surrogate(seed).mean_weights for seed in range(5)]),
            np.stack([surrogate(seed).log_std_weights for seed in range(5)]),
        ),
        power=0.2,
    )
    mean, std = model.predict(X)
    by_queries = fused("cigar", members_of(regressors())).answers[0]
    np.testing.assert_allclose(by_queries[:, 0], mean, atol=1e-10)
    np.testing.assert_allclose(by_queries[:, 1], std**2, rtol=1e-8)


@pytest.mark.parametrize("rule", ["colbi", "colbi-parameters"])
def test_over_a_tree_the_decentralised_result_is_the_centralised_one(rule: str) -> None:
    central, tree = (
        fused(rule, members_of(regressors()), graph="random-tree", via=via, objective="moments").answers
        for via in ("central", "tree")
    )
    np.testing.assert_allclose(tree, central, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("rule", ["colbi", "colbi-parameters"])
def test_all_agents_agree_whatever_graph_and_carrier(rule: str) -> None:
    expected = fused(rule, members_of(regressors()), graph="complete", via="central", objective="moments").answers
    np.testing.assert_array_equal(expected, np.broadcast_to(expected[0], expected.shape))
    for graph, via in (("random-tree", "tree"), ("ring", "flood"), ("complete", "consensus")):
        answers = fused(rule, members_of(regressors()), graph=graph, via=via, objective="moments").answers
        np.testing.assert_allclose(answers, expected, rtol=1e-7, atol=1e-9)


def test_class_weights_add_up_to_the_product_of_the_surrogates() -> None:
    members = members_of(classifiers(), CLASSES)
    product = fused("colbi", members, uncertainty="product").answers[0]
    each = np.stack(
        [fused("colbi", members_of([box], CLASSES), graph="random-tree").answers[0] for box in classifiers()]
    )
    shares = each.prod(axis=0)
    np.testing.assert_allclose(product, shares / shares.sum(axis=1, keepdims=True), atol=1e-10)
    mean = np.exp(np.log(each).mean(axis=0))
    gpoe = fused("colbi", members).answers[0]
    np.testing.assert_allclose(gpoe, mean / mean.sum(axis=1, keepdims=True), atol=1e-10)


def test_new_inputs_ask_no_expert() -> None:
    boxes = regressors()
    members = members_of(boxes)
    used = [box.used for box in boxes]
    result = fused("colbi", members)
    assert [box.used - before for box, before in zip(boxes, used, strict=True)] == [len(POOL)] * 5
    assert result.queries == 5 * len(POOL)
    assert result.density_queries == sum(box.density_queries for box in boxes)


def test_an_expert_that_fails_is_left_out_and_its_agent_still_predicts() -> None:
    def failing(x: Array) -> tuple[Array, Array]:
        if len(x) > len(X):
            raise RuntimeError("no such tensor")
        return surrogate(2).predict(x)

    boxes = regressors()
    boxes[2] = BlackBox(Regressor("broken", failing))
    others = [box for place, box in enumerate(regressors()) if place != 2]
    for rule in ("colbi", "colbi-parameters"):
        answers = fused(rule, replace(members_of(boxes), at_least=4), objective="moments").answers
        expected = fused(rule, members_of(others), objective="moments").answers[0]
        np.testing.assert_allclose(answers, np.broadcast_to(expected, answers.shape), rtol=1e-9)
        boxes[2] = BlackBox(Regressor("broken", failing))
    with pytest.raises(ValueError, match="broken: raised RuntimeError"):
        fused("colbi", members_of(boxes))


def test_a_surrogate_of_parameters_climbs_the_sum_of_the_owners_objectives() -> None:
    """Each step of Fisher scoring from the sum raises it, and at the end no gradient is left."""
    labels = [PseudoLabels(FEATURES(POOL), *_moments(seed)) for seed in range(3)]
    at = begun(FEATURES)
    values = []
    for _ in range(30):
        values.append(sum(own.objective(at) for own in labels))
        at = stepped(at, np.sum([own.row(at) for own in labels], axis=0))
    assert np.diff(values).min() > -1e-9
    gradient = np.sum([own.row(at) for own in labels], axis=0)[: 2 * FEATURES.count]
    assert np.abs(gradient).max() < 1e-3 * len(POOL)


def _moments(seed: int) -> tuple[Array, Array]:
    mean, std = surrogate(seed).predict(POOL)
    return mean, std**2


def test_rows_of_parameters_are_the_slopes_of_the_objective() -> None:
    own, at, step = PseudoLabels(FEATURES(POOL), *_moments(1)), surrogate(2), 1e-6
    row = own.row(at)
    assert len(row) == row_length(FEATURES.count)
    nothing = np.zeros(FEATURES.count)
    for place, unit in enumerate(np.eye(FEATURES.count)):
        for half, moves in enumerate(((step * unit, nothing), (nothing, step * unit))):
            above, below = at.moved(*moves), at.moved(-moves[0], -moves[1])
            difference = (own.objective(above) - own.objective(below)) / (2 * step)
            assert row[half * FEATURES.count + place] == pytest.approx(difference, rel=1e-5, abs=1e-4)


def test_one_surrogate_has_the_moments_of_the_mixture_of_the_experts() -> None:
    result = fused("colbi-parameters", members_of(regressors()), inducing=40).answers[0]
    means, stds = (np.stack(each) for each in zip(*(surrogate(seed).predict(X) for seed in range(5)), strict=True))
    np.testing.assert_allclose(result[:, 0], means.mean(axis=0), atol=0.15)
    variance = (stds**2 + means**2).mean(axis=0) - means.mean(axis=0) ** 2
    np.testing.assert_allclose(np.log(result[:, 1]), np.log(variance), atol=0.5)


def test_a_sum_that_has_not_arrived_leaves_an_agent_its_own_surrogate() -> None:
    members = members_of(regressors(4))
    early, late = (fused("colbi", members, rounds=rounds, via="flood").answers for rounds in (1, 3))
    assert np.isfinite(early).all()
    assert np.abs(early - early[0]).max() > 1e-3
    np.testing.assert_allclose(late, np.broadcast_to(late[0], late.shape), atol=1e-9)


def test_lost_messages_leave_predictions_that_are_sound() -> None:
    members = members_of(regressors(5))
    answers = fused("colbi", members, graph="complete", faults=Faults(loss=0.3), rounds=4, via="push-sum").answers
    assert np.isfinite(answers).all()
    assert (answers[:, :, 1] > 0).all()
    with pytest.raises(ValueError, match="messages that are late would arrive"):
        fused("colbi-parameters", members, faults=Faults(delay=2), via="flood")


@pytest.mark.parametrize(
    ("options", "task", "message"),
    [
        ({"uncertainty": "mixture"}, CLASSES, '"mixture" of classes is a mean of probabilities'),
        ({"family": "sparse-gp"}, CLASSES, "imitates regression models; the data have classes"),
        ({"family": "sparse-gp", "objective": "published"}, Task(), '"published" is of the family "linear"'),
    ],
)
def test_what_does_not_go_together_is_refused(options: dict[str, Any], task: Task, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        apart_rule_named("colbi", options).check(task)


def test_inputs_have_to_be_set_aside_and_experts_to_tell_a_standard_deviation() -> None:
    with pytest.raises(ValueError, match=r"set some aside \(data.unlabelled_count\)"):
        fused("colbi", replace(members_of(regressors()), unlabelled=None))
    silent = [BlackBox(Regressor("silent", lambda x: (x[:, 0], np.full(len(x), np.nan))))]
    with pytest.raises(ValueError, match=r"silent: states no standard deviation, .* set rows aside"):
        fused("colbi", members_of(silent))
    aside = LocalRows(POOL[:20], POOL[:20, 0] + 0.1 * RNG.normal(size=20))
    answers = fused("colbi", replace(members_of(silent), labelled=aside)).answers
    assert np.isfinite(answers).all()


def test_experts_that_answer_densities_alone_are_imitated_and_fused() -> None:
    def density(x: Array, y: Array) -> Array:
        return -np.square(y - x[:, 0])

    boxes = [BlackBox(DensityExpert(f"density {i}", density, lambda x: x[:, 0]), queries=20_000) for i in range(2)]
    answers = fused("colbi", members_of(boxes)).answers
    np.testing.assert_allclose(answers[0, :, 0], X[:, 0], atol=0.05)
    np.testing.assert_allclose(answers[0, :, 1], 0.5, rtol=0.05)


@pytest.mark.parametrize("family", ["linear", "sparse-gp"])
def test_both_families_come_near_the_product_of_the_experts(family: str) -> None:
    exact = fused("cigar", members_of(regressors(3))).answers[0, :, 0]
    answers = fused("colbi", members_of(regressors(3)), family=family, objective="moments", inducing=30).answers
    assert np.sqrt(np.mean((answers[0, :, 0] - exact) ** 2)) < 0.25 * exact.std()
