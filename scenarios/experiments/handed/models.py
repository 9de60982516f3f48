"""Reading the models that are to be fused, and checking that they speak of the same inputs and outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from coolgp.agents.experts.adapters import expert_of
from coolgp.agents.experts.expert import Classifier, Expert
from coolgp.agents.experts.network import Network, NotFinite
from coolgp.agents.experts.queries.remote import RemoteModel
from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.config.sections.experts import AskingSettings
from coolgp.scenarios.records.asked import named_expert, shown_path
from coolgp.scenarios.records.models import model_in, with_classes

__all__ = [
    "alike",
    "are_classifiers",
    "check_alike",
    "check_tasks",
    "labelled",
    "outputs_without_labels",
    "read_experts",
    "read_models",
]


def read_experts(paths: Sequence[str], settings: AskingSettings | None = None) -> list[Expert]:
    """The models in files and run folders, and at addresses, named by these.

    Networks whose outputs have no labels get those of the others, as do programs and servers. Raises ConfigError, a
    line for each file that cannot be read, and for models of different inputs or tasks.
    """
    experts, broken = read_models(paths, settings)
    if broken:
        raise ConfigError(*(f"{path}: {reason}" for path, reason in broken.items()))
    check_alike(experts)
    return experts


def read_models(paths: Sequence[str], settings: AskingSettings | None = None) -> tuple[list[Expert], dict[str, str]]:
    """As `read_experts`, of models that are not compared; and those that hold numbers that are not finite.

    The latter by path, with the reason.
    """
    settings = settings or AskingSettings()
    models: list[Any] = []
    experts: list[Expert] = []
    problems: list[str] = []
    broken: dict[str, str] = {}
    for path in paths:
        try:
            model = model_in(path)
            experts.append(named_expert(model, shown_path(path), settings))
            models.append(model)
        except ValueError as problem:
            words = str(problem)
            if isinstance(problem, NotFinite) or isinstance(problem.__cause__, NotFinite):
                broken[path] = words.removeprefix(f"{path}: ")
            else:
                problems.append(words if words.startswith(path) else f"{path}: {words}")
    if len(paths) < 2:
        problems.append(f"fusing needs at least two models; got {len(paths)}")
    if problems:
        raise ConfigError(*problems)
    return alike(models, experts, settings), broken


def are_classifiers(experts: Sequence[Expert]) -> bool:
    """Whether the models predict classes: with labels, or networks of several outputs without."""
    first = experts[0]
    return isinstance(first, Classifier) or outputs_without_labels(first) > 1


def outputs_without_labels(expert: Expert) -> int:
    """Outputs of a network whose file has no labels of classes; 0 of any other model."""
    network = expert.parameters
    return len(network.biases[-1]) if isinstance(network, Network) and network.classes is None else 0


def labelled(expert: Expert, labels: Sequence[object]) -> Expert:
    """A network without labels of its several outputs as a classifier with these; any other model as it is.

    Raises ConfigError unless there is a label for each output.
    """
    outputs = outputs_without_labels(expert)
    if outputs < 2:
        return expert
    if outputs != len(labels):
        named = ", ".join(map(str, labels))
        raise ConfigError(f"{expert.name}: has {outputs} outputs without labels; other models have the classes {named}")
    return replace(expert_of(with_classes(expert.parameters, labels), expert.name), name=expert.name)


def alike(models: Sequence[Any], experts: list[Expert], settings: AskingSettings) -> list[Expert]:
    """Networks, programs and servers without labels as classifiers, with those of the first model that has some."""
    labels = next((expert.classes.tolist() for expert in experts if isinstance(expert, Classifier)), None)
    if labels is None:
        return experts
    return [
        named_expert(model, expert.name, settings, labels)
        if isinstance(model, RemoteModel)
        else labelled(expert, labels)
        for model, expert in zip(models, experts, strict=True)
    ]


def check_tasks(experts: Sequence[Expert]) -> None:
    """Raise ConfigError where some models predict classes and others a number."""
    for expert in experts[1:]:
        _check_task(expert, experts[0])


def check_alike(experts: Sequence[Expert]) -> None:
    """Raise ConfigError where models take different numbers of inputs, or some predict classes and others a number."""
    first = experts[0]
    for expert in experts[1:]:
        if None not in (expert.inputs, first.inputs) and expert.inputs != first.inputs:
            raise ConfigError(
                f"{expert.name}: takes {expert.inputs} inputs and {first.name} {first.inputs}: models that are fused "
                "need the same"
            )
        _check_task(expert, first)


def _check_task(expert: Expert, first: Expert) -> None:
    if are_classifiers([expert]) != are_classifiers([first]):
        kinds = ["a classifier" if are_classifiers([each]) else "a regressor" for each in (expert, first)]
        raise ConfigError(
            f"{expert.name}: is {kinds[0]} and {first.name} {kinds[1]}: models that are fused predict the same"
        )
