"""Laws of the published embedding: derivatives, bounds, adaptation and read-outs."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import log_softmax, logsumexp, softmax
from scipy.stats import norm

from coolgp import TaskAgnosticFusion
from coolgp.agents.experts.adapters import expert_of
from coolgp.fusion.prototypes.certificate import width
from coolgp.fusion.prototypes.embedding.adaptation import Examples, Styles, prior_of, risk, slopes
from coolgp.fusion.prototypes.embedding.architecture import Architecture
from coolgp.fusion.prototypes.embedding.forms import (
    Context,
    Embedded,
    Moves,
    embedded,
    joint,
    styles_alone,
    styles_and_head,
)
from coolgp.fusion.prototypes.embedding.mlp import backward, forward, initial
from coolgp.fusion.prototypes.embedding.normals import divergence, divergence_slopes, halves
from coolgp.fusion.prototypes.embedding.read_out import log_joint, mixture, soft, vote
from coolgp.fusion.prototypes.embedding.records import Records, records_of
from coolgp.fusion.prototypes.embedding.training import Training, objective, trained

from tests.fusion.prototypes.digits import IMAGES, LABELS, Case

Floats = NDArray[np.floating[Any]]

NETS = Architecture(inputs=6, classes=4, descriptor=4, style=2, concept=3, hidden=9)


def drawn_records(count: int, nets: Architecture = NETS, seed: int = 0) -> Records:
    random = np.random.default_rng(seed)
    eta = random.dirichlet(np.ones(nets.classes), size=count)
    tau = (random.random((count, nets.descriptor)) < 0.5).astype(float)
    return Records(random.random((count, nets.inputs)), tau, eta)


def numbers_of(nets: Architecture = NETS, seed: int = 1) -> Floats:
    random = np.random.default_rng(seed)
    return nets.initial(random) + 0.1 * random.normal(size=nets.places["critic"].stop)


def slope_along(function: Any, at: Floats, way: Floats, step: float = 1e-6) -> float:
    return float(function(at + step * way) - function(at - step * way)) / (2.0 * step)


def examples_of(count: int = 3) -> Examples:
    random = np.random.default_rng(5)
    within = np.array([True, False, True, True])
    return Examples(random.random((count, 6)), np.array([0, 2, 3])[:count], np.array([1.0, 0.0, 1.0, 1.0]), within)


@pytest.mark.parametrize("net", list(NETS.units))
def test_each_net_goes_up_its_side_of_the_game(net: str) -> None:
    records, numbers, random = drawn_records(5), numbers_of(), np.random.default_rng(2)
    noise, leakage = (random.normal(size=(5, 3)), random.normal(size=(5, 2))), 0.7

    def value(at: Floats) -> float:
        terms, _ = objective(at, NETS, records, noise, leakage)
        return terms.critic if net == "critic" else terms.bound - leakage * terms.critic

    _, gradient = objective(numbers, NETS, records, noise, leakage)
    for _ in range(4):
        way = np.zeros_like(numbers)
        way[NETS.places[net]] = random.normal(size=len(way[NETS.places[net]]))
        np.testing.assert_allclose(gradient @ way, slope_along(value, numbers, way), rtol=1e-6)


def test_the_slopes_of_the_bound_by_nets_and_styles_are_those_of_differences() -> None:
    numbers, examples, random = numbers_of(), examples_of(), np.random.default_rng(3)
    noise, concepts = random.normal(size=(4, 2)), random.normal(size=(7, 3))
    styles = Styles(random.normal(size=2), 0.3 * random.normal(size=2))
    found = slopes(numbers, NETS, examples, styles, noise, concepts)
    for net in ("decoder", "head", "prior"):
        way = np.zeros_like(numbers)
        way[NETS.places[net]] = random.normal(size=len(way[NETS.places[net]]))
        expected = slope_along(lambda at: risk(at, NETS, examples, styles, noise, concepts).bound, numbers, way)
        np.testing.assert_allclose(found.numbers @ way, expected, rtol=1e-6)
    for field, slope in (("mean", found.mean), ("log_variance", found.log_variance)):
        way = random.normal(size=2)

        def moved(at: Floats, field: str = field) -> float:
            return risk(numbers, NETS, examples, replace(styles, **{field: at}), noise, concepts).bound

        np.testing.assert_allclose(slope @ way, slope_along(moved, getattr(styles, field), way), rtol=1e-6)


def test_a_network_has_the_slopes_of_differences_by_its_inputs_too() -> None:
    units, random = (3, 8, 8, 2), np.random.default_rng(4)
    numbers, x, out = initial(units, random), random.normal(size=(5, 3)), random.normal(size=(5, 2))
    _, entering = forward(numbers, units, x)
    _, by_inputs = backward(numbers, units, entering, out)
    way = random.normal(size=x.shape)
    expected = slope_along(lambda at: (forward(numbers, units, at)[0] * out).sum(), x, way)
    np.testing.assert_allclose((by_inputs * way).sum(), expected, rtol=1e-6)


def test_a_divergence_is_none_where_distributions_are_one_and_has_the_slopes_of_differences() -> None:
    random = np.random.default_rng(6)
    values, way = random.normal(size=(4, 3)), random.normal(size=(4, 3))
    np.testing.assert_allclose(divergence(values[0], values[1], values[0], values[1]), 0.0, atol=1e-12)
    found = divergence_slopes(*values)
    expected = slope_along(lambda at: divergence(*at), values, way)
    np.testing.assert_allclose(sum((f * w).sum() for f, w in zip(found, way, strict=True)), expected, rtol=1e-6)


def test_the_width_of_the_bound_is_that_of_the_paper_and_the_start_has_no_divergence() -> None:
    widths = [width(0.0, count, 0.05) for count in (1, 2, 5, 10, 25)]
    np.testing.assert_allclose(widths, [1.7308, 1.1089, 0.7153, 0.5281, 0.3561], atol=5e-5)
    numbers, examples, random = numbers_of(), examples_of(), np.random.default_rng(7)
    start = risk(
        numbers, NETS, examples, prior_of(numbers, NETS, examples.tau), random.normal(size=(4, 2)), np.ones((2, 3))
    )
    np.testing.assert_allclose((start.divergence, start.width), (0.0, width(0.0, 3, 0.05)), atol=1e-12)


def test_the_critic_never_beats_the_true_conditional_of_discrete_answers() -> None:
    random = np.random.default_rng(8)
    for _ in range(200):
        joint_law = random.dirichlet(np.ones(12)).reshape(3, 4)  # styles by answers
        true = joint_law / joint_law.sum(axis=1, keepdims=True)
        least = (joint_law * np.log(true)).sum()  # -H(answer | style)
        assert (joint_law * log_softmax(random.normal(size=(3, 4)), axis=1)).sum() <= least + 1e-12


def test_the_evidence_bound_is_below_the_evidence() -> None:
    nets = Architecture(inputs=3, classes=2, descriptor=2, style=1, concept=1, hidden=6)
    numbers, record = numbers_of(nets), drawn_records(1, nets)
    points = norm.ppf((np.arange(60) + 0.5) / 60)  # of equal weight under N(0, 1)
    z, w = (grid.ravel()[:, None] for grid in np.meshgrid(points, points))
    terms, _ = objective(numbers, nets, record[np.zeros(len(z), dtype=np.intp)], (z, w), 0.0)
    at, units = nets.places, nets.units
    mean, log_variance, _ = halves(forward(numbers[at["prior"]], units["prior"], record.tau)[0])
    styles = mean + w * np.exp(0.5 * log_variance)
    images, _ = forward(numbers[at["decoder"]], units["decoder"], np.hstack([styles, z]))
    heads, _ = forward(numbers[at["head"]], units["head"], z)
    logs = (record.x * images - np.logaddexp(0.0, images)).sum(axis=1) + log_softmax(heads, axis=1) @ record.eta[0]
    assert terms.bound <= logsumexp(logs) - np.log(len(logs)) + 1e-3


def read(concepts: Floats, styles: int = 3) -> tuple[Floats, Floats]:
    numbers, random = numbers_of(), np.random.default_rng(9)
    at = Embedded(NETS, numbers, Styles(np.array([0.3, -0.2]), np.array([0.1, 0.4])), concepts)
    x = random.random((5, 6))
    return log_joint(at, x, np.array([True, False, True, True]), random.normal(size=(styles, 2))), x


def test_concepts_may_be_permuted_and_doubled() -> None:
    concepts = np.random.default_rng(10).normal(size=(6, 3))
    expected = soft(read(concepts)[0])
    np.testing.assert_allclose(expected.sum(axis=1), 1.0)
    for same in (concepts[::-1], concepts.repeat(2, axis=0)):
        np.testing.assert_allclose(soft(read(same)[0]), expected, rtol=1e-10)


def test_one_concept_gives_the_same_answer_everywhere() -> None:
    concepts = np.random.default_rng(11).normal(size=(1, 3))
    head, _ = forward(numbers_of()[NETS.places["head"]], NETS.units["head"], concepts)
    answer = softmax(head[0][[0, 2, 3]])
    for read_out in (soft, mixture):
        np.testing.assert_allclose(read_out(read(concepts)[0]), np.broadcast_to(answer, (5, 3)), rtol=1e-10)


def test_one_style_gives_the_same_class_by_each_read_out() -> None:
    logs, _ = read(np.random.default_rng(12).normal(size=(8, 3)), styles=1)
    classes = [read_out(logs).argmax(axis=1) for read_out in (soft, vote, mixture)]
    np.testing.assert_array_equal(classes[0], classes[1])
    np.testing.assert_array_equal(classes[0], classes[2])
    np.testing.assert_allclose(soft(logs + 7.0), soft(logs))


def test_the_loss_of_drawn_prototypes_is_that_of_their_mean() -> None:
    examples, random, numbers = examples_of(), np.random.default_rng(13), numbers_of()
    styles, concepts, noise = Styles(np.zeros(2), np.zeros(2)), random.normal(size=(6, 3)), random.normal(size=(5, 2))
    loss = risk(numbers, NETS, examples, styles, noise, concepts).loss
    logs = log_joint(Embedded(NETS, numbers, styles, concepts), examples.x, examples.within, noise)
    np.testing.assert_allclose(loss, 1.0 - soft(logs)[np.arange(3), [0, 1, 2]].mean(), rtol=1e-10)


def test_a_prototype_is_largest_at_a_vertex_of_the_simplex() -> None:
    random = np.random.default_rng(14)
    weights, answers = random.dirichlet(np.ones(5)), np.log(random.dirichlet(np.ones(4), size=5))  # [m], [m, K]
    vertices = (weights @ np.exp(answers)).max()
    inside = random.dirichlet(np.ones(4), size=2000)
    assert (np.exp(inside @ answers.T) @ weights <= vertices + 1e-12).all()


def context_of(records: Records, moves: Moves) -> Context:
    return Context(records, Training(batch=16), moves, np.random.default_rng(15))


def test_each_form_moves_what_it_may_and_lowers_the_bound() -> None:
    numbers, examples, random = numbers_of(), examples_of(), np.random.default_rng(16)
    start = embedded(numbers, NETS, examples.tau, random.normal(size=(40, 3)))
    noise = random.normal(size=(50, 2))
    moves = Moves(steps=40, joint_epochs=10, joint_rate=1e-2)
    for form, free in ((styles_alone, []), (styles_and_head, ["head"]), (joint, list(NETS.units))):
        moved = form(start, examples, context_of(drawn_records(64), moves))
        bounds = [risk(e.numbers, NETS, examples, e.styles, noise, start.concepts).bound for e in (start, moved)]
        assert bounds[1] < bounds[0] + 1e-3 * (not free)  # styles alone hardly matter to nets that learned nothing
        changed = [net for net, at in NETS.places.items() if (moved.numbers[at] != numbers[at]).any()]
        assert changed == free


def test_the_critic_as_a_rival_is_stable_and_as_printed_falls_without_bound() -> None:
    random = np.random.default_rng(17)
    experts = np.eye(4)[random.integers(4, size=(2, 60))]
    pool = 0.2 * random.random((60, 6)) + 0.6 * experts[0] @ random.random((4, 6))
    records = records_of(pool, experts, np.eye(4)[:2])
    entropy = -np.log(records.eta.mean(axis=0)) @ records.eta.mean(axis=0)
    last = {}
    for critic in ("rival", "printed"):
        training = Training(epochs=60, rate=1e-2, batch=32, critic=critic)  # type: ignore[arg-type]
        _, history = trained(numbers_of(), NETS, records, training, np.random.default_rng(18))
        last[critic] = history[-1].critic
    assert -1.25 * entropy <= last["rival"] <= 0.0
    assert last["printed"] < -100.0 * entropy


def test_the_certificate_holds_as_often_as_it_says() -> None:
    random, count, delta, trials = np.random.default_rng(19), 10, 0.05, 2000
    true = random.random(20)  # losses of a finite class, uniform prior
    losses = (random.random((trials, count, 20)) < true).mean(axis=1)  # [trials, hypotheses]
    posterior = softmax(-4.0 * losses, axis=1)
    apart = (posterior * np.log(posterior * 20)).sum(axis=1)
    bounds = (posterior * losses).sum(axis=1) + np.array([width(each, count, delta) for each in apart])
    violated = (posterior @ true > bounds).mean()
    assert violated <= delta + 3 * np.sqrt(delta * (1 - delta) / trials)


SMALL: dict[str, Any] = {"hidden": 60, "epochs": 30, "concepts": 300, "concepts_adapting": 100, "joint_epochs": 4}


def test_known_digits_are_told_apart_and_the_bound_is_certified() -> None:
    case = Case(21, seen=True)
    shots = case.shots(1)
    fusion = TaskAgnosticFusion("embedding", seed=3, **SMALL).fit(case.experts, IMAGES[case.pool][:300])
    task = fusion.adapt(IMAGES[shots], LABELS[shots])
    assert task.report.certified
    assert task.report.details["form"] == "lambda"
    assert task.report.bound is not None
    assert task.report.bound > 1.0  # two examples certify nothing
    assert "which says nothing" in str(task.report)
    places = np.searchsorted(task.classes_, LABELS[shots])
    loss = 1.0 - task.predict_proba(IMAGES[shots])[np.arange(len(shots)), places].mean()
    divergence = task.report.details["divergence from the prior, nats"]
    for delta in (0.05, 0.3):
        np.testing.assert_allclose(task.bound(delta), loss + width(divergence, len(shots), delta))
    np.testing.assert_allclose(task.bound(0.05), task.report.bound)
    near = TaskAgnosticFusion("embedding", seed=3, proposals=20, **SMALL).fit(case.experts, IMAGES[case.pool][:300])
    found = near.adapt(IMAGES[shots], LABELS[shots]).predict(IMAGES[case.test])
    assert (found == task.predict(IMAGES[case.test])).mean() > 0.8  # two estimates of the same prototypes
    assert (task.predict(IMAGES[case.test]) == LABELS[case.test]).mean() >= 0.7


def test_the_order_of_experts_changes_no_bit_and_neither_does_a_second_run() -> None:
    case = Case(21, seen=True)
    shots, x, answers = case.shots(1), IMAGES[case.test], []
    experts = [expert_of(expert, f"expert {at}") for at, expert in enumerate(case.experts)]
    for handed in (experts, experts[::-1], experts):
        fusion = TaskAgnosticFusion("embedding", hidden=8, epochs=2).fit(handed, IMAGES[case.pool][:50])
        answers.append(fusion.adapt(IMAGES[shots], LABELS[shots]).predict_proba(x))
    np.testing.assert_array_equal(answers[0], answers[1])
    np.testing.assert_array_equal(answers[0], answers[2])


def test_new_digits_move_all_nets_and_nothing_is_certified() -> None:
    case = Case(22)
    shots, x = case.shots(5), IMAGES[case.test]
    task = TaskAgnosticFusion("embedding", **SMALL).fit(case.experts, IMAGES[case.pool][:300])
    found = task.adapt(IMAGES[shots], LABELS[shots])
    assert found.report.certified is False
    assert "without certificate" in str(found.report)
    with pytest.raises(ValueError, match="needs method 'embedding' with form 'lambda'"):
        found.bound()
    assert (found.predict(x) == LABELS[case.test]).mean() >= 0.8


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"form": "half"}, "form auto"),
        ({"read_out": "loud"}, "read_out soft"),
        ({"delta": 1.5}, "delta above 0 and below 1"),
        ({"proposals": -1}, "proposals that is a whole number of at least 0"),
    ],
)
def test_settings_of_the_embedding_are_checked(settings: dict[str, Any], message: str) -> None:
    case = Case(5)
    with pytest.raises(ValueError, match=message):
        TaskAgnosticFusion("embedding", **settings).fit(case.experts, IMAGES)


def test_inputs_beyond_grey_levels_and_missing_descriptors_are_refused() -> None:
    case = Case(5)
    with pytest.raises(ValueError, match="within 0 and 1"):
        TaskAgnosticFusion("embedding").fit(case.experts, 16 * IMAGES)
    given = TaskAgnosticFusion("embedding", epochs=1, hidden=4).fit(case.experts, IMAGES[:50], [[0.0], [1.0]])
    with pytest.raises(ValueError, match="a descriptor of 1 numbers"):
        given.adapt(IMAGES[:2], LABELS[:2])
