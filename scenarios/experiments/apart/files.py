"""Models in files, as black boxes: the experts of a run's agents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from coolgp.agents.experts.expert import Classifier, Expert, Regressor
from coolgp.agents.experts.network import Network
from coolgp.agents.experts.queries.black_box import BlackBox
from coolgp.agents.experts.queries.failure import ExpertFailed
from coolgp.agents.experts.queries.server import is_address
from coolgp.agents.experts.task import Task, answers
from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.config.sections.experts import ExpertsSettings
from coolgp.scenarios.data.dataset import Dataset
from coolgp.scenarios.records.asked import named_expert, shown_path
from coolgp.scenarios.records.models import model_in, with_classes

__all__ = ["experts_of_files"]


def experts_of_files(
    settings: ExpertsSettings, dataset: Dataset, task: Task, boxed: Callable[[Expert], BlackBox], *, failing: bool
) -> tuple[BlackBox, ...]:
    """The models in files or run folders, one for each agent, in their order, each asked about one test row.

    boxed: makes an expert one that is only asked. failing: take models, too, that fail when they are asked. Raises
    ConfigError, saying all that is wrong at once, for files that cannot be read and models that do not fit.
    """
    files = settings.files or ()
    if files and len(files) != len(dataset.agents):
        raise ConfigError(
            f"experts.files: needed one for each of the {len(dataset.agents)} agents that data.agent names; "
            f"got {len(files)}"
        )
    boxes: list[BlackBox] = []
    problems: list[str] = []
    for path, name in zip(files, _names(files), strict=True):
        try:
            boxes.append(_checked(boxed(_expert(path, name, settings, task)), dataset, task, failing=failing))
        except ValueError as problem:
            words = str(problem)
            problems.append(words if words.startswith(path) else f"{path}: {words}")
    if problems:
        raise ConfigError(*(f"experts.files: {problem}" for problem in problems))
    return tuple(boxes)


def _names(files: Sequence[str]) -> list[str]:
    """What messages call the models: files by name, by folder and name where these are alike, addresses whole."""
    names = [shown_path(path) if is_address(path) else Path(path).name for path in files]
    return [
        f"{Path(path).parent.name}/{name}" if names.count(name) > 1 and not is_address(path) else name
        for path, name in zip(files, names, strict=True)
    ]


def _expert(path: str, name: str, settings: ExpertsSettings, task: Task) -> Expert:
    model = model_in(path)
    if isinstance(model, Network) and model.classes is None and task.labels:
        model = with_classes(model, task.labels)
    return named_expert(model, name, settings, task.labels)


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
