"""Laws of experts that fail and are left out of fusion."""

from dataclasses import replace

import numpy as np
import pytest

from coolgp.agents.experts.expert import Classifier, Expert, Regressor
from coolgp.agents.experts.models.base import LocalRows
from coolgp.agents.experts.queries.black_box import BlackBox
from coolgp.agents.experts.task import Task
from coolgp.fusion.apart.left_out import TooFewExperts, asked_each, left_out
from coolgp.fusion.apart.members import Fused, Members, asked
from coolgp.fusion.apart.registry import APART_RULES, apart_rule_named
from coolgp.network.graphs.generate import generate
from coolgp.network.links.faults import PERFECT
from coolgp.network.serial import SerialTransport

X = np.random.default_rng(0).normal(size=(12, 2))
NUMBER, CLASSES = Task(), Task(("no", "yes"))
LEAVING = [name for name, rule in APART_RULES.items() if getattr(rule, "leaves_out", False)]
GRAPH = generate("ring", 5, seed=0)


def moments(scale: float):
    def answer(x):
        if scale == 3.0:
            raise OSError("wire cut")
        return scale * x[:, 0], np.full(len(x), scale)

    return answer


def probability(scale: float):
    def answer(x):
        mean, _ = moments(scale)(x)
        shares = np.stack([1.0 + np.exp(-mean), 1.0 + np.exp(mean)], axis=1)
        return shares / shares.sum(axis=1, keepdims=True)

    return answer


def expert_of(scale: float, task: Task) -> Expert:
    name = f"model {scale:g}"
    return (
        Classifier(name, probability(scale), np.array(task.labels)) if task.labels else Regressor(name, moments(scale))
    )


def members_of(scales: list[float], transport: SerialTransport, at_least: int | None, task: Task = NUMBER) -> Members:
    boxes = tuple(BlackBox(expert_of(scales[place], task)) for place in transport.shard.agents.tolist())
    rows = (LocalRows(X[:6], X[:6, 0] > 0 if task.labels else X[:6, 0]),) * len(boxes)
    experts = tuple(box.expert for box in boxes)
    members = Members(task, experts, rows, X, np.empty(0), boxes=boxes, at_least=at_least)
    unlabelled = np.random.default_rng(1).normal(size=(60, 2))
    pooled = expert_of(1.0, task)
    return replace(members, answers=asked(experts, members), unlabelled=unlabelled, pooled=lambda: pooled)


def fused(name: str, scales: list[float], task: Task) -> tuple[np.ndarray, Fused]:
    """What all agents of a ring have in the end, and what this rank says of it."""
    graph = generate("ring", len(scales), seed=0)
    rule = apart_rule_named(name).fit(graph, PERFECT)
    transport = SerialTransport(rule.links(graph))
    members = members_of(scales, transport, 1, task)
    state = rule.converge(rule.init(members, transport), members, transport)
    out = rule.fused(state, members, transport)
    answers = transport.gather(out.answers)
    assert answers is not None
    return answers, out


def fits(name: str, task: Task) -> bool:
    try:
        apart_rule_named(name).check(task)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    ("name", "task"),
    [(name, task) for name in LEAVING for task in (NUMBER, CLASSES) if fits(name, task)],
    ids=lambda value: value.name if isinstance(value, Task) else value,
)
def test_an_expert_that_fails_changes_nothing_for_the_others(name: str, task: Task) -> None:
    four = [1.0, 2.0, 4.0, 5.0]
    (answers, with_it), (others, without) = (fused(name, scales, task) for scales in ([*four, 3.0], four))
    assert np.isfinite(others).all()
    assert answers[:4] == pytest.approx(others, abs=1e-9)
    if not np.allclose(others[0], others[1]):  # everybody by itself
        assert np.isnan(answers[4]).all()
    else:
        assert answers[4] == pytest.approx(others[0], abs=1e-9)
    assert with_it.queries <= without.queries + 2 * len(X)
    assert with_it.density_queries <= without.density_queries * 5 / 4  # who has no expert may ask the others


def test_who_is_out_has_a_name_and_a_reason_and_is_asked_no_more() -> None:
    transport = SerialTransport(GRAPH)
    members = members_of([1.0, 2.0, 3.0, 4.0, 5.0], transport, at_least=4)
    (out,) = left_out(members, transport)
    assert (out.name, out.reason) == ("model 3", "raised OSError (wire cut)")
    assert out.agent == 2
    assert [answer is None for answer in asked_each(members, lambda box: box.predict(X)[0])] == [
        box.name == "model 3" for box in members.boxes
    ]
    assert members.asked == 5 * len(X)


@pytest.mark.parametrize(
    ("at_least", "words"), [(None, "left; needed 5, or experts.at_least = 4"), (5, "left; needed 5")]
)
def test_too_few_left_are_an_error_that_names_who_failed(at_least: int | None, words: str) -> None:
    transport = SerialTransport(GRAPH)
    members = members_of([1.0, 2.0, 3.0, 4.0, 5.0], transport, at_least)
    with pytest.raises(TooFewExperts, match=r"^model 3: raised OSError \(wire cut\)\n4 of 5 experts are " + words):
        left_out(members, transport)
