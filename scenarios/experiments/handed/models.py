"""Reading the models that are to be fused, and checking that they speak of the same inputs and outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from coolgp.agents.experts.adapters import expert_of
from coolgp.agents.experts.expert import Classifier, Expert
from coolgp.agents.experts.network import Network
from coolgp.agents.experts.queries.remote import RemoteModel
from coolgp.scenarios.base.errors import ConfigError
from coolgp.scenarios.config.experts import AskingSettings
from coolgp.scenarios.records.asked import named_expert, shown_path
from coolgp.scenarios.records.models import model_in, with_classes

__all__ = ["are_classifiers", "labelled", "outputs_without_labels", "read_experts"]


def read_experts(paths: Sequence[str], settings: AskingSettings | None = None) -> list[Expert]:
    """The models in files and run folders, and at addresses, named by these.

    Networks whose outputs have no labels get those of the others, as do programs and servers. Raises ConfigError, a
    line for each file that cannot be read, and for models of different inputs or tasks.
    """
    if len(paths) < 2:
        raise ConfigError(f"fusing needs at least two models; got {len(paths)}")
    settings = settings or AskingSettings()
    models: list[Any] = []
    experts: list[Expert] = []
    problems: list[str] = []
    for path in paths:
        try:
            models.append(model_in(path))
            experts.append(named_expert(models[-1], shown_path(path), settings))
        except ValueError as problem:
            words = str(problem)
            problems.append(words if words.startswith(path) else f"{path}: {words}")
    if problems:
        raise ConfigError(*problems)
    experts = _labelled(models, experts, settings)
    _check_alike(experts)
    return experts


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


def _labelled(models: Sequence[Any], experts: list[Expert], settings: AskingSettings) -> list[Expert]:
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


def _check_alike(experts: Sequence[Expert]) -> None:
    first = experts[0]
    for expert in experts[1:]:
        if None not in (expert.inputs, first.inputs) and expert.inputs != first.inputs:
            raise ConfigError(
                f"{expert.name}: takes {expert.inputs} inputs and {first.name} {first.inputs}: models that are fused "
                "need the same"
            )
        if are_classifiers([expert]) != are_classifiers([first]):
            kinds = ["a classifier" if are_classifiers([each]) else "a regressor" for each in (expert, first)]
            raise ConfigError(
                f"{expert.name}: is {kinds[0]} and {first.name} {kinds[1]}: models that are fused predict the same"
            )
