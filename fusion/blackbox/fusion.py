"""`BlackBoxFusion`: fitted models of any library, or what answers for them, fused by queries alone."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.adapters import expert_of
from coolgp.agents.experts.expert import Classifier
from coolgp.agents.experts.queries.black_box import QUERIES, BlackBox, DensityExpert
from coolgp.agents.experts.task import Task
from coolgp.fusion.blackbox.group import METHODS, Group, GroupAnswer, GroupPredictor
from coolgp.fusion.blackbox.temperature import class_temperature, class_terms, number_terms, std_factor, tempered
from coolgp.fusion.blackbox.uncertainty import Uncertainty
from coolgp.network.graphs.generate import generate
from coolgp.network.graphs.given import Graph, checked_graph

__all__ = ["BlackBoxFusion"]


class BlackBoxFusion:
    """Experts that only answer queries, fused over a graph of their owners.

    experts: N fitted scikit-learn models, functions, networks, surrogates, :class:`BlackBox` or
    :class:`DensityExpert`, regressors or classifiers. graph: of their owners, from networkx or a topology; None links
    all to all. method: "cigar": experts are asked when the group is; "colbi": when it is fitted to inputs, and never
    again. uncertainty: of the group: "gpoe", the generalised product, whose powers sum to one; "product", which takes
    experts for independent and is far too sure where they are not; or "mixture". queries: rows that an expert is asked
    for at most, never exceeded. time_limit: seconds for each call of an expert. std: of an observation, for experts
    that state none. at_least: experts that must be left where some fail; default all. seed: of all draws. settings: of
    the method, as in a scenario (``step="published"``).

    After :meth:`fit`: `classes_`, of classifiers. After a prediction: `consensus_ [Q]`, whether owners agree;
    `answers_ [N, Q]`, what each predicts; `trace_`, of each sum what it took so far and how far owners were apart;
    `left_out_`, experts that failed, by name, with the reason. Source: Hoang, Hoang, Low & Kingsford, "Collective Model
    Fusion for Multiple Black-Box Experts", ICML 2019.

    >>> experts = [lambda x: (x[:, 0], np.ones(len(x))), lambda x: (x[:, 0] + 3.0, np.full(len(x), 2.0))]
    >>> BlackBoxFusion(experts).fit().predict([[1.0]], return_std=True)  # (1 + 4 / 4) / (1 + 1 / 4)
    (array([1.6]), array([1.26491106]))
    """

    def __init__(
        self,
        experts: Sequence[Any],
        graph: Graph | None = None,
        *,
        method: str = "cigar",
        uncertainty: Uncertainty = "gpoe",
        queries: int | None = QUERIES,
        time_limit: float | None = None,
        std: float | None = None,
        at_least: int | None = None,
        seed: int = 0,
        **settings: Any,
    ) -> None:
        self.experts, self.graph, self.method, self.uncertainty = experts, graph, method, uncertainty
        self.queries, self.time_limit, self.std, self.at_least = queries, time_limit, std, at_least
        self.seed, self.settings = seed, settings
        self.temperature_ = 1.0
        self.left_out_: dict[str, str] = {}

    def fit(self, X: npt.ArrayLike | None = None) -> Self:
        """Put the group together.

        X ``[U, D]``: inputs without targets, for methods that learn from answers to them. Raises ValueError for
        experts, a graph or settings that do not fit.
        """
        boxes = tuple(self._box(model, number) for number, model in enumerate(self.experts))
        if self.method not in METHODS:
            raise ValueError(f"BlackBoxFusion needs method {' | '.join(METHODS)}; got {self.method!r}")
        if not boxes:
            raise ValueError("BlackBoxFusion needs at least one expert; got none")
        needed = len(boxes) if self.at_least is None else self.at_least
        if not 1 <= needed <= len(boxes):
            raise ValueError(f"BlackBoxFusion needs at_least from 1 to {len(boxes)}; got {needed}")
        topology = generate("complete", len(boxes), 0) if self.graph is None else checked_graph(self.graph, len(boxes))
        self.classes_ = _classes(boxes)
        group = Group(boxes, topology, Task(tuple(map(str, self.classes_.tolist()))))
        settings = {"uncertainty": self.uncertainty, "seed": self.seed, **self.settings}
        self.group_, self.temperature_ = group, 1.0
        inputs = _rows(np.empty((0, 1)) if X is None else X)
        self.fused_: GroupPredictor = METHODS[self.method](group, inputs, settings)
        self._look_for_failures()
        return self

    def predict(self, X: npt.ArrayLike, return_std: bool = False) -> Any:
        """Predictions at X ``[Q, D]``: means ``[Q]``, with standard deviations of an observation; or classes ``[Q]``.

        Raises ValueError where fewer experts are left than `at_least`, by name and with the reason.
        """
        answer = self._answer(_rows(X))
        if len(self.classes_):
            if return_std:
                raise ValueError("BlackBoxFusion: classifiers have no standard deviation: take predict_proba")
            return self.classes_[answer.probabilities.argmax(axis=1)]
        return (answer.mean, self.temperature_ * answer.std) if return_std else answer.mean

    def predict_proba(self, X: npt.ArrayLike) -> Array:
        """Probabilities ``[Q, K]`` of `classes_`. Raises as :meth:`predict`, and for regressors."""
        self._check_fitted()
        if not len(self.classes_):
            raise ValueError("BlackBoxFusion: regressors have no probabilities: take predict(X, return_std=True)")
        probabilities = self._answer(_rows(X)).probabilities
        return probabilities if self.temperature_ == 1.0 else tempered(probabilities, self.temperature_)

    def recalibrate(self, X: npt.ArrayLike, y: npt.ArrayLike, owner: int = 0) -> Self:
        """Fit one temperature to a few rows of one owner, X ``[n, D]`` and y ``[n]``; all learn it by a sum.

        Standard deviations are multiplied by it; probabilities are raised to the power of one over it. Rows should be
        none that an expert was trained on. Raises ValueError for rows that do not fit.
        """
        x, targets = _rows(X), np.asarray(y)
        if len(x) != len(targets) or not len(x):
            raise ValueError(f"BlackBoxFusion needs rows X [n, D] and y [n]; got {x.shape} and {targets.shape}")
        self.temperature_ = 1.0
        answer = self._answer(x)
        if len(self.classes_):
            terms = class_terms(self._places(targets), answer.probabilities)
        else:
            terms = number_terms(targets.astype(float), answer.mean, answer.std)
        if not 0 <= owner < len(self.group_.boxes):
            raise ValueError(f"BlackBoxFusion needs owner from 0 to {len(self.group_.boxes) - 1}; got {owner}")
        rows = np.zeros((len(self.group_.boxes), len(terms)))
        rows[owner] = terms
        agreed = class_temperature if len(self.classes_) else std_factor
        self.temperature_ = agreed(self.fused_.summed(rows))
        return self

    def _box(self, model: Any, number: int) -> BlackBox:
        if isinstance(model, BlackBox):
            return model
        expert = model if isinstance(model, DensityExpert) else expert_of(model, f"expert {number}")
        return BlackBox(expert, queries=self.queries, time_limit=self.time_limit, std=self.std)

    def _answer(self, x: Array) -> GroupAnswer:
        self._check_fitted()
        answer = self.fused_.answer(x)
        self._look_for_failures()
        self.consensus_, self.answers_, self.trace_ = answer.consensus, answer.answers, answer.trace
        for words in answer.remarks:
            warnings.warn(words, stacklevel=3)
        return answer

    def _places(self, targets: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
        foreign = [label for label in np.unique(targets).tolist() if label not in self.classes_]
        if foreign:
            raise ValueError(f"BlackBoxFusion: y has a class {foreign[0]!r} that no expert has")
        return np.array([np.flatnonzero(self.classes_ == label)[0] for label in targets], dtype=np.intp)

    def _look_for_failures(self) -> None:
        """Warn of experts that failed since the last time. Raises ValueError where too few are left."""
        out = {box.name: box.failure for box in self.group_.boxes if box.failure is not None}
        count = len(self.group_.boxes)
        needed = count if self.at_least is None else self.at_least
        if count - len(out) < needed:
            named = "\n".join(f"{name}: {reason}" for name, reason in out.items())
            raise ValueError(f"{named}\n{count - len(out)} of {count} experts are left; needed {needed} (at_least)")
        for name in out.keys() - self.left_out_.keys():
            warnings.warn(f"left out: {name}: {out[name]}", stacklevel=4)
        self.left_out_ = out

    def _check_fitted(self) -> None:
        if not hasattr(self, "fused_"):
            raise ValueError("BlackBoxFusion is not fitted: call fit first")


def _classes(boxes: Sequence[BlackBox]) -> npt.NDArray[Any]:
    """All classes of classifiers, sorted; none of regressors. Raises ValueError where there are both."""
    kinds = [isinstance(box.model, Classifier) for box in boxes]
    if any(kinds) and not all(kinds):
        one, other = boxes[kinds.index(True)].name, boxes[kinds.index(False)].name
        raise ValueError(f"experts that are fused predict the same: {one} is a classifier and {other} a regressor")
    labels = [box.model.classes for box in boxes if isinstance(box.model, Classifier)]
    return np.unique(np.concatenate(labels)) if labels else np.empty(0)


def _rows(X: npt.ArrayLike) -> Array:
    x = np.asarray(X, dtype=float)
    if x.ndim != 2:
        raise ValueError(f"BlackBoxFusion needs rows [Q, D]; got shape {x.shape}")
    return x
