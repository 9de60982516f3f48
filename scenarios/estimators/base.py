"""What estimators of models trained apart have in common: parameters, whose row is whose, models, and the rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import networkx as nx
import numpy as np
from sklearn.base import BaseEstimator, is_classifier
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.expert import Expert
from coolgp.agents.experts.models.base import LocalRows
from coolgp.agents.experts.task import Task
from coolgp.network.base.randomness import generator
from coolgp.network.graphs.given import checked_graph
from coolgp.network.graphs.interchange import from_networkx
from coolgp.network.graphs.topology import Topology
from coolgp.scenarios.base.arrays import Floats, Ints
from coolgp.scenarios.config.loading import resolve_sections
from coolgp.scenarios.config.section import Settings
from coolgp.scenarios.config.sections.experts import AskingSettings, ExpertsSettings
from coolgp.scenarios.estimators.group import FusedGroup, in_python
from coolgp.scenarios.estimators.groups import at_least_one, dealt, in_turn, names_of, places_of
from coolgp.scenarios.estimators.owners import OwnersModels, cloned, handed_over, train
from coolgp.scenarios.estimators.sections import with_settings
from coolgp.scenarios.experiments.apart.prepared import kind_for
from coolgp.scenarios.experiments.handed.classes import labels_of
from coolgp.scenarios.experiments.handed.rule import Rows, plain_label
from coolgp.scenarios.experiments.handed.settings import SECTIONS, FuseSettings, fuse_settings

__all__ = ["Fitted", "FusedExperts", "inputs_like", "moments_of", "with_classes", "with_numbers"]


class FusedExperts(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Models of owners, trained apart or handed over, and a rule that fuses them. See the estimators for parameters."""

    usual: ClassVar[str]
    """The kind of model that is trained where none is named."""

    def __init__(
        self,
        estimator: Any = None,
        rule: str = "ensemble",
        n_owners: int = 5,
        graph: str | nx.Graph[Any] | None = None,
        prefit: Mapping[Any, Any] | Sequence[Any] | None = None,
        settings: Mapping[str, Any] | None = None,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.rule = rule
        self.n_owners = n_owners
        self.graph = graph
        self.prefit = prefit
        self.settings = settings
        self.random_state = random_state

    def _fit(self, X: Floats, target: Array, labels: tuple[str, ...], groups: Any, unlabelled: Any) -> Fitted:
        """Train models, or take those that are handed over, and fuse them.

        target ``[n]``: numbers, or places among the labels of classes, of which there are none for numbers.
        """
        seed = int(check_random_state(self.random_state).randint(2**31))
        sections, given = self._sections(), names_of(groups, X)
        settings = fuse_settings(sections)
        if self.prefit is None:
            owners, task, rows = self._trained(X, target, labels, given, sections["experts"], seed)
        else:
            owners, task, rows = self._handed_over(self.prefit, X, target, given, settings)
        shards = [Rows(own.x, np.array(labels)[own.y.astype(np.intp)] if labels else own.y) for own in rows.values()]
        group = FusedGroup(owners, shards, self._graph(settings, owners.names, seed), settings, seed, task)
        pool = _pool(X, group.most_rows, seed) if unlabelled is None else inputs_like(X, unlabelled)
        self._group, outcome = group.fused(pool)
        self.owners_, self.estimators_ = owners.names, list(owners.models)
        self.fused_, self.remarks_ = self._group.model, tuple(map(in_python, outcome.remarks))
        return Fitted(group, pool)

    def _trained(
        self,
        X: Floats,
        target: Array,
        labels: tuple[str, ...],
        given: tuple[str, ...] | None,
        experts: Settings,
        seed: int,
    ) -> tuple[OwnersModels, Task, dict[str, LocalRows]]:
        """Models of rows that are named, or dealt: everyone then has some of each class."""
        task, count = Task(labels), min(at_least_one("n_owners", self.n_owners), len(X))
        strata = target.astype(np.int64) if labels else np.zeros(len(X), np.int64)
        names, owner = dealt(given, self.graph, count, "owners", partial(in_turn, strata, seed=seed))
        rows = _rows_by(owner, X, target, names)
        return train(self._kind(experts, task), rows, task, seed), task, rows

    def _handed_over(
        self,
        prefit: Mapping[Any, Any] | Sequence[Any],
        X: Floats,
        target: Array,
        given: tuple[str, ...] | None,
        settings: FuseSettings,
    ) -> tuple[OwnersModels, Task, dict[str, LocalRows]]:
        """Models that are fitted already, and their owners' rows where these are named."""
        owners = handed_over(prefit, settings.asking)
        task = self._task_of(owners.experts(), X.shape[1])
        if given is None:
            return owners, task, {}
        return owners, task, _rows_by(places_of(given, owners.names, "models"), X, target, owners.names)

    def _answers(self, X: Any, owner: str | None) -> Array:
        """Of the fused model, or of one owner alone."""
        check_is_fitted(self)
        x = validate_data(self, X, dtype=np.float64, reset=False)
        return self._group.answers(x) if owner is None else self._group.own_answers(str(owner), x)

    def _sections(self) -> dict[str, Settings]:
        """All settings. Raises ConfigError with every problem."""
        kind = self.usual if self.estimator is None else self.estimator
        named = isinstance(kind, str) and self.prefit is None
        given = {
            "fusion": {"rule": self.rule},
            "experts": {"model": kind} if named else {},
            "network": {"topology": self.graph} if isinstance(self.graph, str) else {},
        }
        records: dict[str, type[Settings]] = {**SECTIONS, "experts": ExpertsSettings if named else AskingSettings}
        return resolve_sections(records, (), type(self).__name__, with_settings(given, self.settings))

    def _kind(self, experts: Settings, task: Task) -> Any:
        if not isinstance(experts, ExpertsSettings):
            return cloned(self.estimator, task)
        for key in experts.model_fields_set & {"count", "files"}:
            raise ValueError(f"experts.{key}: owners are those of groups, n_owners or prefit: leave it out")
        return kind_for(experts, task)

    def _graph(self, settings: FuseSettings, names: Sequence[str], seed: int) -> Topology | None:
        """The graph of the owners, in their order; None where all are fused at once."""
        if isinstance(self.graph, nx.Graph):
            return checked_graph(from_networkx(self.graph).arranged(tuple(names)), len(names))
        return settings.graph(len(names), seed) if len(names) > 1 else None

    def _task_of(self, experts: Sequence[Expert], inputs: int) -> Task:
        """What models that were handed over predict. Raises ValueError where they do not fit the rows or the task."""
        named = getattr(self, "feature_names_in_", None)
        for expert in experts:
            if expert.inputs not in (None, inputs):
                raise ValueError(f"prefit: {expert.name} takes {expert.inputs} inputs; X has {inputs}")
            if expert.features and named is not None and tuple(named) != expert.features:
                raise ValueError(
                    f"prefit: {expert.name} takes {', '.join(expert.features)}; X has the columns {', '.join(named)}"
                )
        known = labels_of(experts)
        if bool(known) != is_classifier(self):
            raise ValueError(f"prefit: {type(self).__name__} fuses {'regressors' if known else 'classifiers'} alone")
        if not known:
            return Task()
        self.classes_ = np.unique(list(known.values()))
        return Task(tuple(map(str, self.classes_.tolist())))


@dataclass(frozen=True)
class Fitted:
    """The group before it was fused, with the owners' rows, and inputs ``[U, D]`` at which models may be asked."""

    group: FusedGroup
    pool: Floats


def inputs_like(X: Floats, unlabelled: Any) -> Floats:
    """Inputs without targets ``[U, D]``, checked. Raises ValueError for others than X ``[n, D]`` has."""
    rows: Floats = check_array(unlabelled, dtype=np.float64, input_name="unlabelled")
    if rows.shape[1] != X.shape[1]:
        raise ValueError(f"unlabelled rows have {rows.shape[1]} inputs; X has {X.shape[1]}")
    return rows


def _pool(X: Floats, most: int, seed: int) -> Floats:
    """Inputs ``[U, D]`` at which models are asked that only answer: all of X, or so many of them at random."""
    return X if len(X) <= most else X[generator(seed, "pool").permutation(len(X))[:most]]


def _rows_by(owner: Ints, X: Floats, target: Array, names: Sequence[str]) -> dict[str, LocalRows]:
    """The rows of each owner. Raises ValueError for an owner without any."""
    rows = {name: LocalRows(X[owner == place], target[owner == place]) for place, name in enumerate(names)}
    idle = [name for name, own in rows.items() if not len(own.y)]
    if idle:
        raise ValueError(f"each owner needs rows of its own; {idle[0]} has none")
    return rows


def with_numbers(estimator: Any, X: Any, y: Any) -> tuple[Floats, Array, tuple[str, ...]]:
    """Rows of numbers, checked: inputs ``[n, D]``, targets ``[n]``, no labels."""
    x, target = validate_data(estimator, X, y, y_numeric=True, dtype=np.float64)
    return x, np.asarray(target, dtype=np.float64), ()


def with_classes(estimator: Any, X: Any, y: Any) -> tuple[Floats, Array, tuple[str, ...]]:
    """Rows of classes, checked: inputs ``[n, D]``, places ``[n]`` among the labels, the labels; sets `classes_`."""
    x, target = validate_data(estimator, X, y, dtype=np.float64)
    check_classification_targets(target)
    estimator.classes_, places = np.unique(target, return_inverse=True)
    return x, places.astype(float), tuple(map(plain_label, estimator.classes_.tolist()))


def moments_of(answers: Array) -> tuple[Array, Array]:
    """Mean and standard deviation of answers ``[Q, 2]``. Raises ValueError where models state none."""
    if np.isnan(answers[:, 1]).any():
        raise ValueError("return_std needs models that state a standard deviation, and not all of these do")
    return answers[:, 0], np.sqrt(answers[:, 1])
