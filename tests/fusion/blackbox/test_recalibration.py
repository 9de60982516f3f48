"""Laws of one temperature that all agents agree on, by rows that the first of them has."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from coolgp.agents.experts.expert import Classifier, Regressor
from coolgp.agents.experts.models.base import LocalRows
from coolgp.agents.experts.task import Task
from coolgp.fusion.apart.members import Fused, Members, asked
from coolgp.fusion.apart.queried.cigar import ClimbedProduct
from coolgp.network.graphs.generate import generate
from coolgp.network.links.faults import PERFECT
from coolgp.network.serial import SerialTransport

QUERIES = np.array([[0.0], [1.0], [2.0]])
RNG = np.random.default_rng(0)
INPUTS = RNG.normal(size=(50, 1))
NUMBERS = LocalRows(INPUTS, INPUTS[:, 0] + 5.0 * RNG.normal(size=50))
CLASSES = LocalRows(INPUTS, (RNG.random(50) < 0.6).astype(float))
ROWS = (LocalRows(INPUTS[:1], np.zeros(1)),) * 4


def numbers() -> Members:
    experts = tuple(
        Regressor(f"expert {i}", lambda x, i=i: (x[:, 0] + 0.1 * i, np.ones(len(x))))  # type: ignore[misc]
        for i in range(4)
    )
    return _answered(Members(Task(), experts, ROWS, QUERIES, QUERIES, labelled=NUMBERS))


def classes() -> Members:
    names = ("no", "yes")
    experts = tuple(
        Classifier(f"expert {i}", lambda x: np.full((len(x), 2), [0.01, 0.99]), np.array(names)) for i in range(4)
    )
    return _answered(Members(Task(names), experts, ROWS, QUERIES, QUERIES, labelled=CLASSES))


def _answered(members: Members) -> Members:
    return replace(members, answers=asked(members.experts, members))


def fused(members: Members, rounds: int = 0, **settings: Any) -> Fused:
    topology = generate("ring", 4, 0)
    rule = ClimbedProduct(**settings).fit(topology, PERFECT)
    transport = SerialTransport(rule.links(topology))
    state = rule.init(members, transport)
    state = rule.exchange(state, members, transport, rounds) if rounds else rule.converge(state, members, transport)
    return rule.fused(state, members, transport)


@pytest.mark.parametrize("uncertainty", ["gpoe", "product"])
def test_numbers_get_the_standard_deviation_of_the_residuals(uncertainty: str) -> None:
    answers = fused(numbers(), recalibrate=True, uncertainty=uncertainty).answers
    plain = fused(numbers(), uncertainty=uncertainty).answers
    assert answers.shape == (4, 3, 2)
    np.testing.assert_allclose(answers[:, :, 0], plain[:, :, 0], atol=1e-12)
    np.testing.assert_allclose(answers[:, :, 1], np.mean((NUMBERS.y - INPUTS[:, 0] - 0.15) ** 2), rtol=1e-9)


@pytest.mark.parametrize("uncertainty", ["gpoe", "product", "mixture"])
def test_classes_become_as_sure_as_they_are_right(uncertainty: str) -> None:
    answers = fused(classes(), recalibrate=True, uncertainty=uncertainty).answers
    np.testing.assert_allclose(answers[:, :, 1], CLASSES.y.mean(), atol=0.03)


@pytest.mark.parametrize("members", [numbers(), classes()], ids=["numbers", "classes"])
def test_rounds_that_are_spoken_one_by_one_lead_to_the_same_temperature(members: Members) -> None:
    settled = fused(members, recalibrate=True)
    sums = 1 if members.task.labels else 3
    wide = 3  # a ring of four without one link
    before, after = (fused(members, recalibrate=True, rounds=wide * (sums + more)) for more in (0, 1))
    np.testing.assert_allclose(after.answers, settled.answers, rtol=1e-9)
    assert (np.abs(before.answers - settled.answers) > 1e-3).any()


def test_without_rows_set_aside_it_is_refused() -> None:
    with pytest.raises(ValueError, match=r"data\.labelled_count"):
        fused(replace(numbers(), labelled=None), recalibrate=True)
