"""Laws of drawn tasks, and of what is compared on them."""

from typing import Any

import numpy as np
import pytest

from coolgp.fusion.prototypes.studies.maml import Maml
from coolgp.fusion.prototypes.studies.methods import FEW_SHOT_METHODS
from coolgp.fusion.prototypes.studies.tasks import SITUATIONS, DrawnTask, Sizes, drawn_task

from tests.fusion.prototypes.digits import IMAGES, LABELS


def task_of(situation: str, shots: int = 2, draw: int = 0, **sizes: Any) -> DrawnTask:
    return drawn_task(IMAGES, LABELS, situation, shots, Sizes(**sizes), 4, draw)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_situation_is_what_it_says(situation: str) -> None:
    task = task_of(situation)
    known = np.concatenate([expert.classes_ for expert in task.experts])
    assert len(known) == len(set(known.tolist()))
    assert np.isin(task.classes, known).all() == (situation == "seen")
    assert (task.pool_share == 0.0) == (situation == "poor pool")
    assert np.bincount(task.y)[task.classes].tolist() == [2, 2]
    np.testing.assert_array_equal(np.unique(task.test_y), task.classes)
    rows = [{row.tobytes() for row in part} for part in (task.x, task.test_x, task.pool, *(x for x, _ in task.own))]
    assert sum(len(part) for part in rows) == len(set().union(*rows))


def test_a_draw_has_the_same_task_in_each_situation_and_another_draw_has_another() -> None:
    tasks = [task_of(situation) for situation in SITUATIONS]
    for other in tasks[1:]:
        np.testing.assert_array_equal(tasks[0].x, other.x)
        np.testing.assert_array_equal(tasks[0].test_x, other.test_x)
    assert not np.array_equal(tasks[0].x, task_of("unseen", draw=1).x)


@pytest.mark.parametrize("method", [name for name in FEW_SHOT_METHODS if name != "embedding"])
def test_each_method_names_classes_of_the_task_for_every_row_twice_alike(method: str) -> None:
    task = task_of("seen")
    labels = FEW_SHOT_METHODS[method](task)
    assert labels.shape == task.test_y.shape
    assert np.isin(labels, task.classes).all()
    np.testing.assert_array_equal(labels, FEW_SHOT_METHODS[method](task))
    assert (labels == task.test_y).mean() > 0.6


def test_sum_and_largest_of_experts_with_no_class_in_common_are_one_and_guess_what_nobody_knows() -> None:
    seen, unseen = task_of("seen"), task_of("unseen")
    np.testing.assert_array_equal(*(FEW_SHOT_METHODS[name](seen) for name in ("experts_sum", "experts_max")))
    assert abs((FEW_SHOT_METHODS["experts_sum"](unseen) == unseen.test_y).mean() - 0.5) < 0.15


def test_a_start_of_maml_fits_tasks_like_those_that_it_was_learned_from() -> None:
    random = np.random.default_rng(0)
    centres = 3.0 * random.normal(size=(6, 4))
    labels = np.arange(240) % 6
    x = centres[labels] + random.normal(size=(240, 4))
    own = [(x[labels < 3], labels[labels < 3]), (x[labels >= 3], labels[labels >= 3])]
    method = Maml(shots=3, hidden=20, tasks=300, adapt_steps=5)
    start = method.start(own, np.random.default_rng(1))
    right = []
    for pair in ([0, 4], [1, 5], [2, 3]):
        rows = np.flatnonzero(np.isin(labels, pair))
        places = np.searchsorted(pair, labels[rows])
        found = method.predict(start, x[rows[:6]], places[:6], x[rows[6:]])
        right.append((found == places[6:]).mean())
    assert np.mean(right) > 0.8


def test_too_few_classes_or_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="two classes for each of 5 experts"):
        task_of("unseen", experts=5)
    with pytest.raises(ValueError, match="rows of each class"):
        task_of("unseen", shots=2, pool=1000, private=790)
