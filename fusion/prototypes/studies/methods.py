"""What a newcomer can do, by name: ours, the published method, and baselines, all on the same drawn task."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.linear_model import LogisticRegression

from coolgp.agents.base.arrays import Array, Indices
from coolgp.fusion.prototypes.fusion import TaskAgnosticFusion
from coolgp.fusion.prototypes.spreading import spread
from coolgp.fusion.prototypes.studies.maml import Maml
from coolgp.fusion.prototypes.studies.tasks import DrawnTask
from coolgp.network.base.randomness import generator

__all__ = ["FEW_SHOT_METHODS", "FewShotMethod"]

FewShotMethod = Callable[[DrawnTask], Indices]
"""From a task to the labels ``[Q]`` that it predicts for the test rows."""
SHARPNESS = 40.0
"""Of label spreading alone, over the variance of all inputs together; from 10 to 80 it is as good on digits."""


def background(task: DrawnTask) -> Indices:
    """`TaskAgnosticFusion` as it is by default."""
    fusion = TaskAgnosticFusion(seed=task.seed).fit(task.experts, task.pool)
    return np.asarray(fusion.adapt(task.x, task.y).predict(task.test_x))


def embedding(task: DrawnTask) -> Indices:
    """The published method: its styles alone where experts know the classes, and else all nets."""
    fusion = TaskAgnosticFusion("embedding", seed=task.seed).fit(task.experts, task.pool)
    return np.asarray(fusion.adapt(task.x, task.y).predict(task.test_x))


def few_shot(task: DrawnTask) -> Indices:
    """Logistic regression on the examples alone."""
    return np.asarray(LogisticRegression(max_iter=1000).fit(task.x, task.y).predict(task.test_x))


def spreading(task: DrawnTask) -> Indices:
    """Labels of the examples, spread over the pool; experts are not asked."""
    places = np.searchsorted(task.classes, task.y)
    sharpness = SHARPNESS / task.pool.var(axis=0).sum()
    model = spread(task.x, places, task.pool, len(task.classes), sharpness)
    return np.asarray(task.classes[model.predict_proba(task.test_x).argmax(axis=1)])


def summed(task: DrawnTask) -> Indices:
    """The class with the largest sum of the experts' probabilities (B+); ties at random."""
    return _best(_expert_scores(task).sum(axis=0), task)


def largest(task: DrawnTask) -> Indices:
    """The class with the largest probability of any expert (Bmax); ties at random."""
    return _best(_expert_scores(task).max(axis=0), task)


def maml(task: DrawnTask) -> Indices:
    """First-order MAML on the experts' own rows, which nobody else here sees."""
    method = Maml(ways=len(task.classes))
    start = method.start(task.own, generator(task.seed, "maml"))
    places = np.searchsorted(task.classes, task.y)
    return task.classes[method.predict(start, task.x, places, task.test_x)]


def _expert_scores(task: DrawnTask) -> Array:
    """Probabilities ``[N, Q, C]`` of the task's classes, 0 where an expert has none."""
    scores = np.zeros((len(task.experts), len(task.test_x), len(task.classes)))
    for own, expert in zip(scores, task.experts, strict=True):
        answers = expert.predict_proba(task.test_x)
        for place, name in enumerate(task.classes.tolist()):
            own[:, place] = answers[:, expert.classes_ == name].sum(axis=1)
    return scores


def _best(scores: Array, task: DrawnTask) -> Indices:
    ties = generator(task.seed, "ties").random(scores.shape)
    return task.classes[np.lexsort((ties, scores), axis=1)[:, -1]]


FEW_SHOT_METHODS: dict[str, FewShotMethod] = {
    "background": background,
    "embedding": embedding,
    "few_shot": few_shot,
    "spreading": spreading,
    "experts_sum": summed,
    "experts_max": largest,
    "maml": maml,
}
"""All methods by name, the first our own."""
