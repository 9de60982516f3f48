"""Models in files, as black boxes: the experts of a run's agents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from coolgp.agents.experts.adapters import expert_of
from coolgp.agents.experts.expert import Classifier, Expert, Regressor
from coolgp.agents.experts.network import Network
from coolgp.agents.experts.queries.black_box import BlackBox
from coolgp.agents.experts.queries.failure import ExpertFailed
from coolgp.agents.experts.task import Task, answers
from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.records.models import model_in, with_classes

__all__ = ["experts_of_files"]


def experts_of_files(
    files: Sequence[str], dataset: Dataset, task: Task, boxed: Callable[[Expert], BlackBox], *, failing: bool
) -> tuple[BlackBox, ...]:
    """The models in files or run folders, one for each agent, in their order, each asked about one test row.

    boxed: makes an expert one that is only asked. failing: take models, too, that fail when they are asked. Raises
    ConfigError, saying all that is wrong at once, for files that cannot be read and models that do not fit.
    """
    if files and len(files) != len(dataset.agents):
        raise ConfigError(
            f"experts.files: needed one for each of the {len(dataset.agents)} agents that data.agent names; "
            f"got {len(files)}"
        )
    boxes: list[BlackBox] = []
    problems: list[str] = []
    for path in files:
        try:
            boxes.append(_checked(boxed(_expert(path, task)), dataset, task, failing=failing))
        except ValueError as problem:
            words = str(problem)
            problems.append(words if words.startswith(path) else f"{path}: {words}")
    if problems:
        raise ConfigError(*(f"experts.files: {problem}" for problem in problems))
    return tuple(boxes)


def _expert(path: str, task: Task) -> Expert:
    name = Path(path).name
    model = model_in(path)
    if isinstance(model, Network) and model.classes is None and task.labels:
        model = with_classes(model, task.labels)
    return replace(expert_of(model, name), name=name)


def _checked(box: BlackBox, dataset: Dataset, task: Task, *, failing: bool) -> BlackBox:
    """The expert, if it answers a query as the task needs it. What is elsewhere is not asked before the run."""
    width, expert = len(dataset.features), box.expert
    if expert.inputs not in (None, width):
        raise ValueError(f"takes {expert.inputs} inputs; the data have {width}")
    if expert.limit is None:
        try:
            answers(expert, dataset.x_test[:1], task)
        except ExpertFailed:
            if not failing:
                raise
    assert isinstance(expert, Classifier if task.labels else Regressor)
    return box
