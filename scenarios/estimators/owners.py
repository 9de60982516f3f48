"""The owners' models behind an estimator: trained here, each on the rows of its group, or handed over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import NotFittedError

from coolgp.agents.experts.expert import Classifier, Expert
from coolgp.agents.experts.models.base import LocalRows, TrainedModel, kind_of, labelled
from coolgp.agents.experts.models.fitting import constant_for_one_class
from coolgp.agents.experts.models.residuals import residual_std, with_constant_std
from coolgp.agents.experts.network import Network
from coolgp.agents.experts.task import Task
from coolgp.scenarios.config.sections.experts import AskingSettings
from coolgp.scenarios.experiments.apart.training import seeds_of
from coolgp.scenarios.experiments.handed.models import alike, check_alike
from coolgp.scenarios.records.asked import named_expert
from coolgp.scenarios.records.models import model_in

__all__ = ["Cloned", "HandedOver", "OwnersModels", "Trained", "cloned", "handed_over", "train"]


class OwnersModels(Protocol):
    """What owners have, in their order; kept without experts, which hold functions and cannot be copied."""

    @property
    def names(self) -> tuple[str, ...]:
        """The owners."""
        ...

    @property
    def models(self) -> tuple[Any, ...]:
        """As `expert_of` takes them."""
        ...

    def experts(self) -> list[Expert]:
        """The models as experts, named by their owners."""
        ...


@dataclass(frozen=True)
class Trained:
    """Models that were trained here; classes are numbers from 0. stds: of models that have one by cross-validation."""

    names: tuple[str, ...]
    models: tuple[Any, ...]
    stds: tuple[float | None, ...]
    task: Task

    def experts(self) -> list[Expert]:
        """See `OwnersModels`."""
        each = zip(self.names, self.models, self.stds, strict=True)
        experts = [with_constant_std(labelled(model, name, self.task), std) for name, model, std in each]
        return [_with_labels(expert) for expert in experts]


@dataclass(frozen=True)
class HandedOver:
    """Models that were fitted before; asking: what those have to keep to that answer elsewhere."""

    names: tuple[str, ...]
    models: tuple[Any, ...]
    asking: AskingSettings

    def experts(self) -> list[Expert]:
        """See `OwnersModels`. Raises ValueError, owner first, for what is no fitted model, and models of two kinds."""
        experts = [self._expert(name, model) for name, model in zip(self.names, self.models, strict=True)]
        experts = alike(self.models, experts, self.asking)
        check_alike(experts)
        return experts

    def _expert(self, name: str, model: Any) -> Expert:
        try:
            return named_expert(model, name, self.asking)
        except NotFittedError as problem:
            raise ValueError(
                f"prefit: the model of {name} is not fitted. Searches copy an estimator with its parameters, and the "
                "copy of a model is not fitted: wrap each model in sklearn.frozen.FrozenEstimator"
            ) from problem
        except ValueError as problem:
            raise ValueError(f"prefit: the model of {name}: {problem}") from problem


@dataclass(frozen=True)
class Cloned:
    """A scikit-learn estimator as a kind of model: every owner fits a copy of it."""

    tasks: ClassVar[tuple[str, ...]] = ("regression", "classification")
    ending: ClassVar[str] = ""

    estimator: Any

    def trained(self, rows: LocalRows, task: Task, seeds: Any) -> Any:
        """See `TrainedModel`; who has one class alone predicts it always. Seeds that are None are the owner's own."""
        model = clone(self.estimator)
        unset = [name for name, value in model.get_params().items() if _is_seed(name) and value is None]
        model.set_params(**dict.fromkeys(unset, seeds.own))
        if not task.labels:
            return model.fit(rows.x, rows.y)
        classes = rows.y.astype(np.intp)
        return constant_for_one_class(model, classes).fit(rows.x, classes)


def cloned(estimator: Any, task: Task) -> Cloned:
    """An estimator as a kind of model. Raises ValueError for what does not learn the task."""
    what, learns = ("classifier", is_classifier) if task.labels else ("regressor", is_regressor)
    if isinstance(estimator, type) or not hasattr(estimator, "fit") or not learns(estimator):
        raise ValueError(f'estimator needs a {what} of scikit-learn, or a name such as "mlp"; got {estimator!r}')
    return Cloned(estimator)


def train(kind: TrainedModel, rows: Mapping[str, LocalRows], task: Task, seed: int) -> Trained:
    """A model of each owner's rows. Raises ValueError, owner first, where one cannot be trained."""
    models, stds = [], []
    for place, (name, own) in enumerate(rows.items()):
        each, seeds = kind_of(kind, place), seeds_of(seed, place)
        try:
            models.append(each.trained(own, task, seeds))
            stds.append(residual_std(each, own, task, seeds))
        except ValueError as problem:
            raise ValueError(f"the model of {name}, on {len(own.y)} rows: {problem}") from problem
    return Trained(tuple(rows), tuple(models), tuple(stds), task)


def handed_over(prefit: Mapping[Any, Any] | Sequence[Any], asking: AskingSettings) -> HandedOver:
    """Fitted models by their owners' names, or in an order in which they are numbered; texts are paths of model files.

    Raises ValueError for fewer than two, and files that cannot be read.
    """
    given = prefit if isinstance(prefit, Mapping) else dict(enumerate(prefit))
    if len(given) < 2:
        raise ValueError(f"prefit needs at least two fitted models; got {len(given)}")
    models = [model_in(model) if isinstance(model, str | Path) else _thawed(model) for model in given.values()]
    return HandedOver(tuple(map(str, given)), tuple(models), asking)


def _with_labels(expert: Expert) -> Expert:
    """The expert with the labels of its classes in its network too, for rules that fuse weights."""
    if not isinstance(expert, Classifier) or not isinstance(expert.parameters, Network):
        return expert
    return replace(expert, parameters=replace(expert.parameters, classes=expert.classes))


def _thawed(model: Any) -> Any:
    """The model in a frozen estimator, whose parameters can be fused; any other as it is."""
    return model.estimator if type(model).__name__ == "FrozenEstimator" else model


def _is_seed(name: str) -> bool:
    return name == "random_state" or name.endswith("__random_state")
