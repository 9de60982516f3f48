"""Laws of new tasks by prototypes with the experts' classes as background."""

from typing import Any

import networkx as nx
import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.semi_supervised import LabelSpreading

from coolgp import TaskAgnosticFusion
from coolgp.agents import BlackBox
from coolgp.agents.experts.adapters import expert_of
from coolgp.fusion.prototypes.anchored import Anchors, anchors_of, balanced, expected, settled
from coolgp.fusion.prototypes.consulted import SummedExperts, known_anchors
from coolgp.fusion.prototypes.spreading import spread

from tests.fusion.prototypes.digits import IMAGES, LABELS, Asked, Case


def score(task: Any, case: Case) -> float:
    return float((task.predict(IMAGES[case.test]) == LABELS[case.test]).mean())


def few_shot(case: Case, shots: Any) -> float:
    model = LogisticRegression(max_iter=500).fit(IMAGES[shots], LABELS[shots])
    return float(model.score(IMAGES[case.test], LABELS[case.test]))


def test_new_digits_are_told_apart_by_one_example_each_where_the_pool_has_them() -> None:
    ours, alone, certain = [], [], []
    for seed in range(100, 110):
        case = Case(seed)
        shots = case.shots(1)
        task = TaskAgnosticFusion().fit(case.experts, IMAGES[case.pool]).adapt(IMAGES[shots], LABELS[shots])
        ours.append(score(task, case))
        alone.append(few_shot(case, shots))
        certain.append(np.exp(-task.uncertainty(IMAGES[case.test])).mean())
    assert np.mean(ours) >= 0.92
    assert np.mean(ours) > np.mean(alone) + 0.02
    assert np.all(np.array(certain) <= 1.0)


def test_five_examples_each_are_not_used_worse_than_by_training_on_them_alone() -> None:
    differences = []
    for seed in range(100, 108):
        case = Case(seed)
        shots = case.shots(5)
        task = TaskAgnosticFusion().fit(case.experts, IMAGES[case.pool]).adapt(IMAGES[shots], LABELS[shots])
        differences.append(score(task, case) - few_shot(case, shots))
    assert np.mean(differences) >= 0.0


def test_a_pool_without_the_new_classes_is_noticed_and_counts_for_little() -> None:
    weights = {True: [], False: []}  # type: dict[bool, list[float]]
    for seed in range(100, 106):
        case = Case(seed)
        shots = case.shots(5)
        for rich, pool in ((True, case.pool), (False, case.poor_pool)):
            fitted = TaskAgnosticFusion().fit(case.experts, IMAGES[pool]).adapt(IMAGES[shots], LABELS[shots])
            weights[rich].append(fitted.report.details["weight of a row of the pool"])
    assert np.median(weights[False]) < 0.02
    assert np.min(weights[True]) > 0.1


def test_where_experts_know_the_classes_their_sum_is_used() -> None:
    case = Case(7, seen=True)
    shots = case.shots(1)
    task = TaskAgnosticFusion().fit(case.experts, IMAGES[case.pool]).adapt(IMAGES[shots], LABELS[shots])
    assert task.report.details["classes that experts know"] == case.task.tolist()
    assert score(task, case) >= 0.95


def test_nothing_but_answers_is_asked_for_and_each_row_of_the_pool_once() -> None:
    case = Case(3)
    boxes = [Asked(expert) for expert in case.experts]
    experts = [expert_of(box, str(at), case.experts[at].classes_) for at, box in enumerate(boxes)]
    fusion = TaskAgnosticFusion().fit(experts, IMAGES[case.pool])
    for count in (1, 2):
        shots = case.shots(count)
        fusion.adapt(IMAGES[shots], LABELS[shots]).predict(IMAGES[case.test])
    assert [box.calls for box in boxes] == [500, 500]


def test_sums_over_a_graph_and_in_one_place_give_the_same_classifier() -> None:
    case = Case(11, seen=True)
    shots, pool = case.shots(2), IMAGES[case.pool]
    one, other = (
        TaskAgnosticFusion(graph=graph).fit(case.experts, pool).adapt(IMAGES[shots], LABELS[shots])
        for graph in (None, nx.path_graph(2))
    )
    x = IMAGES[case.test]
    np.testing.assert_allclose(one.predict_proba(x), other.predict_proba(x), rtol=1e-9)


def test_the_order_of_experts_and_of_examples_changes_nothing() -> None:
    case = Case(12)
    shots, x = case.shots(3), IMAGES[case.test]
    one = TaskAgnosticFusion().fit(case.experts, IMAGES[case.pool]).adapt(IMAGES[shots], LABELS[shots])
    turned = shots[::-1]
    other = TaskAgnosticFusion().fit(case.experts[::-1], IMAGES[case.pool]).adapt(IMAGES[turned], LABELS[turned])
    np.testing.assert_allclose(one.predict_proba(x), other.predict_proba(x), atol=1e-5)


def test_units_of_the_inputs_change_nothing() -> None:
    case = Case(13)
    shots, x = case.shots(2), IMAGES[case.test]
    answers = []
    for unit, shift in ((1.0, 0.0), (1e3, 50.0)):
        experts = [
            expert_of(lambda rows, e=e, unit=unit, shift=shift: e.predict_proba((rows - shift) / unit), "e", e.classes_)
            for e in case.experts
        ]
        fusion = TaskAgnosticFusion().fit(experts, unit * IMAGES[case.pool] + shift)
        answers.append(fusion.adapt(unit * IMAGES[shots] + shift, LABELS[shots]).predict_proba(unit * x + shift))
    np.testing.assert_allclose(answers[0], answers[1], atol=1e-3)


def test_shares_are_those_of_normal_distributions_of_equal_weight() -> None:
    random = np.random.default_rng(0)
    pool, centres = random.normal(size=(40, 3)), random.normal(size=(4, 3))
    found = expected(centres, pool, 2.0)
    densities = np.stack([multivariate_normal(c, 2.0 * found.variance).pdf(pool) for c in centres], axis=1)
    np.testing.assert_allclose(found.rows, densities / densities.sum(axis=1, keepdims=True), rtol=1e-9)
    nearest = np.square(pool[:, None] - centres).sum(axis=2).min(axis=1)
    np.testing.assert_allclose(found.variance, np.median(nearest) / 3)


def test_a_settled_prototype_is_the_mean_of_its_anchors_and_its_rows() -> None:
    random = np.random.default_rng(1)
    pool = np.vstack([random.normal(size=(60, 2)), random.normal(size=(60, 2)) + 6.0])
    examples = np.array([[0.5, 0.5], [6.5, 5.5], [0.0, -0.5]])
    anchors = anchors_of(examples, np.array([0, 1, 0]), 2, 3.0)
    found = settled(anchors, pool, 200, 2.0)
    for at, own in ((0, examples[[0, 2]]), (1, examples[[1]])):
        mean = (3.0 * own.sum(axis=0) + found.rows[:, at] @ pool) / (3.0 * len(own) + found.mass[at])
        np.testing.assert_allclose(found.centres[at], mean, rtol=1e-6)
    np.testing.assert_allclose(found.mass.sum(), len(pool))
    heavy = settled(Anchors(anchors.sums * 1e9, anchors.weights * 1e9), pool, 5, 2.0)
    np.testing.assert_allclose(heavy.centres, [[0.25, 0.0], [6.5, 5.5]], atol=1e-6)


def test_balanced_classes_have_equal_sums_and_the_background_keeps_its_odds() -> None:
    random = np.random.default_rng(3)
    shares, weights = random.dirichlet([4.0, 1.0, 2.0, 3.0], size=50), random.random(50)
    found = balanced(shares, 2, weights=weights)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    np.testing.assert_allclose(*(weights @ found)[:2], rtol=1e-6)
    np.testing.assert_allclose(found[:, 2] / found[:, 3], shares[:, 2] / shares[:, 3])
    odds = found[:, 0] / found[:, 1] / (shares[:, 0] / shares[:, 1])
    np.testing.assert_allclose(odds, odds[0])  # a factor of the class, not of the row
    np.testing.assert_allclose(balanced(shares, 2, 0.0), shares)


def test_labels_spread_as_those_of_scikit_learn() -> None:
    random = np.random.default_rng(2)
    pool = np.vstack([random.normal(size=(30, 2)), random.normal(size=(30, 2)) + 2.0])
    x, places, queries = pool[[0, 40, 50]] + 0.1, np.array([0, 1, 1]), random.normal(size=(20, 2)) + 1.0
    theirs = LabelSpreading(kernel="rbf", gamma=2.0, alpha=0.2, max_iter=1000, tol=1e-12)
    theirs.fit(np.vstack([x, pool]), np.concatenate([places, np.full(len(pool), -1)]))
    ours = spread(x, places, pool, 2, 2.0)
    np.testing.assert_allclose(ours.labels, theirs.label_distributions_, atol=1e-9)
    np.testing.assert_allclose(ours.predict_proba(queries), theirs.predict_proba(queries), atol=1e-9)
    np.testing.assert_allclose(ours.predict_proba(queries + 1e3).sum(axis=1), 1.0)  # far from all rows


def test_an_owner_names_classes_that_it_is_sure_of_for_three_rows() -> None:
    pool = np.arange(8.0)[:, None]
    given = np.array([[0.95, 0.05]] * 3 + [[0.5, 0.5]] * 3 + [[0.0, 1.0]] * 2)
    anchors = known_anchors(given, pool, 0.9, 5.0)
    np.testing.assert_allclose(anchors.weights, [5.0, 0.0])
    np.testing.assert_allclose(anchors.sums, [[5.0], [0.0]])


def test_experts_move_probability_between_classes_that_they_know_and_no_other() -> None:
    boxes = [
        BlackBox(expert_of(lambda x: np.tile([0.9, 0.1], (len(x), 1)), "one", [1, 2])),
        BlackBox(expert_of(lambda x: np.tile([0.3, 0.7], (len(x), 1)), "two", [2, 3])),
    ]
    experts = SummedExperts(boxes, np.array([1, 2, 3]), np.array([1, 3, 7]), lambda rows: rows.sum(axis=0))
    np.testing.assert_allclose(experts.sums(np.zeros((1, 1))), [[0.9, 0.7, 0.0]])
    before = np.array([[0.2, 0.3, 0.5]])
    after = experts.applied(before, np.zeros((1, 1)))
    np.testing.assert_allclose(after[0, 2], 0.5)
    np.testing.assert_allclose(after.sum(), 1.0)
    np.testing.assert_allclose(after[0, 0] / after[0, 1], 0.2 * 0.901 / (0.3 * 0.701))


def test_an_expert_that_fails_is_left_out_by_name_and_the_report_says_so() -> None:
    case = Case(5)
    broken = expert_of(lambda x: np.full((len(x), 2), np.nan), "broken", [0, 1])
    fusion = TaskAgnosticFusion()
    with pytest.warns(UserWarning, match="left out: broken"):
        fusion.fit([*case.experts, broken], IMAGES[case.pool])
    shots = case.shots(2)
    report = fusion.adapt(IMAGES[shots], LABELS[shots]).report
    assert list(report.left_out) == ["broken"]
    assert "left out: broken" in str(report)
    with pytest.warns(UserWarning, match="left out"), pytest.raises(ValueError, match="none is left"):
        TaskAgnosticFusion().fit([broken], IMAGES[case.pool])


def test_an_expert_that_fails_later_is_said_to_be_out_and_the_others_go_on() -> None:
    case = Case(7, seen=True)
    shots, calls = case.shots(1), list[int]()

    def once(x: Any) -> Any:
        calls.append(len(x))
        return case.experts[0].predict_proba(x) if len(calls) == 1 else np.full((len(x), 5), np.nan)

    experts = [expert_of(once, "once", case.experts[0].classes_.tolist()), case.experts[1]]
    task = TaskAgnosticFusion().fit(experts, IMAGES[case.pool]).adapt(IMAGES[shots], LABELS[shots])
    with pytest.warns(UserWarning, match="left out: once"):
        probabilities = task.predict_proba(IMAGES[case.test])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda f, c: TaskAgnosticFusion("foreground").fit(c.experts, IMAGES), "method background | embedding"),
        (lambda f, c: TaskAgnosticFusion(stpes=3).fit(c.experts, IMAGES), "no setting 'stpes'"),
        (lambda f, c: TaskAgnosticFusion(confidence=2.0).fit(c.experts, IMAGES), "confidence above 0 and below 1"),
        (lambda f, c: TaskAgnosticFusion(steps=2.5).fit(c.experts, IMAGES), "steps that is a whole number"),
        (lambda f, c: TaskAgnosticFusion(balance=1.5).fit(c.experts, IMAGES), "balance from 0 to 1"),
        (lambda f, c: TaskAgnosticFusion(scale="log").fit(c.experts, IMAGES), "scale common | each"),
        (lambda f, c: TaskAgnosticFusion().fit([], IMAGES), "needs experts and rows U"),
        (lambda f, c: TaskAgnosticFusion().fit(c.experts, IMAGES[0]), r"U \[rows, inputs\]"),
        (lambda f, c: TaskAgnosticFusion().fit([DummyRegressor().fit([[0]], [1])], IMAGES), "is a regressor"),
        (lambda f, c: TaskAgnosticFusion().adapt(IMAGES[:2], [0, 1]), "call fit first"),
        (lambda f, c: f.adapt(IMAGES[:2], [1, 1]), "two classes or more"),
        (lambda f, c: f.adapt(IMAGES[:2], [1, 2, 3]), r"X \[M, D\] and y \[M\]"),
        (lambda f, c: f.adapt(IMAGES[:2, :9], [1, 2]), r"X \[rows, 64\]"),
        (lambda f, c: TaskAgnosticFusion(graph=nx.path_graph(3)).fit(c.experts, IMAGES), "a node for each of 2"),
    ],
)
def test_mistakes_are_refused_in_words(change: Any, message: str) -> None:
    case = Case(5)
    fitted = TaskAgnosticFusion().fit(case.experts, IMAGES[case.pool])
    with pytest.raises(ValueError, match=message.replace("|", r"\|")):
        change(fitted, case)
