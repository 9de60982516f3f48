"""`TaskAgnosticFusion`: a classifier for a task that nobody has seen, by experts that only answer queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.special import entr

from coolgp.agents.base.arrays import Array
from coolgp.agents.experts.adapters import expert_of
from coolgp.agents.experts.expert import Classifier
from coolgp.agents.experts.queries.black_box import QUERIES, BlackBox
from coolgp.fusion.matching.core.over_graph import summed
from coolgp.fusion.prototypes.checks import require_range, rows_of
from coolgp.fusion.prototypes.consulted import Total
from coolgp.fusion.prototypes.method import Adapted, NewTask, Owners, method_named
from coolgp.fusion.prototypes.report import TaskReport
from coolgp.network.graphs.given import Graph, checked_graph

__all__ = ["TaskAgnosticFusion", "TaskClassifier"]


@dataclass(frozen=True)
class TaskClassifier:
    """A classifier of one task: predicts, and says how it came about.

    ``classes_ [C]``: of the task, sorted. report: what was used, and the bound where there is one.
    """

    classes_: npt.NDArray[Any]
    report: TaskReport
    adapted: Adapted

    def predict_proba(self, X: npt.ArrayLike) -> Array:
        """Probabilities ``[Q, C]`` of `classes_` at X ``[Q, D]``."""
        return self.adapted.model.predict_proba(rows_of(X, "X", self.report.inputs))

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[Any]:
        """The most likely classes ``[Q]`` at X ``[Q, D]``."""
        classes: npt.NDArray[Any] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return classes

    def uncertainty(self, X: npt.ArrayLike) -> Array:
        """Entropy of the prediction ``[Q]`` at X ``[Q, D]``, nats: 0 is certain, log C is as good as no answer."""
        return np.asarray(entr(self.predict_proba(X)).sum(axis=1))

    def bound(self, delta: float = 0.05) -> float:
        """With probability ``1 - delta`` over independent examples, the expected loss of a drawn prototype is below.

        The loss is ``1 - p(right class)``. Raises ValueError where nothing is certified.
        """
        certificate = self.report.certificate
        if certificate is None or not certificate.certified:
            came = self.report.method if certificate is None else f"form {self.report.details['form']!r}"
            needed = "method 'embedding' with form 'lambda', whose nets do not depend on the examples"
            raise ValueError(f"a certified bound needs {needed}; got {came}")
        require_range("bound", "delta", delta, 0.0, 1.0)
        return certificate.bound(delta)


class TaskAgnosticFusion:
    """Classifiers for new tasks from a few examples each, rows without labels, and experts for other tasks.

    Experts are asked by queries alone: nothing but `predict_proba` is used. No example leaves the newcomer.

    method: "background", prototypes of the new classes by EM on rows without labels, with the experts' classes as the
    background (the recommended default); or "embedding", the published method: nets that explain inputs and answers by
    a concept and a style, and PAC-Bayes over styles. graph: of the experts' owners, from networkx or a topology; sums
    travel along a spanning tree of it; None sums in one place. queries, time_limit: of each expert, as
    :class:`coolgp.BlackBoxFusion` takes them. seed: of all draws. settings: of the method (``confidence=0.8``).

    After :meth:`fit`: `left_out_`, experts that failed, by name, with the reason. Source of the embedding: Hoang, Lam,
    Low & Jaillet, "Learning Task-Agnostic Embedding of Multiple Black-Box Experts for Multi-Task Model Fusion", ICML
    2020; on digits the background is better (docs/prototypes.md).

    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> x, y = load_iris(return_X_y=True)
    >>> expert = LogisticRegression(max_iter=1000).fit(x[y < 2], y[y < 2])
    >>> task = TaskAgnosticFusion().fit([expert], x).adapt(x[[60, 110]], y[[60, 110]])
    >>> task.predict(x[[80, 120]])
    array([1, 2])
    """

    def __init__(
        self,
        method: str = "background",
        *,
        graph: Graph | None = None,
        queries: int | None = QUERIES,
        time_limit: float | None = None,
        seed: int = 0,
        **settings: Any,
    ) -> None:
        self.method, self.graph, self.seed, self.settings = method, graph, seed, settings
        self.queries, self.time_limit = queries, time_limit
        self.left_out_: dict[str, str] = {}

    def fit(self, experts: Sequence[Any], U: npt.ArrayLike, descriptors: npt.ArrayLike | None = None) -> Self:
        """Ask the experts about rows without labels.

        experts: N fitted classifiers of any library, or :class:`coolgp.agents.BlackBox`. U ``[rows, D]``: known to all
        owners; it should hold the classes of later tasks too. descriptors ``[N, T]``: numbers that describe the
        experts' tasks, for the embedding; by default which classes they have. Raises ValueError for what does not fit.
        """
        method = method_named(self.method, self.settings)
        boxes, pool = tuple(self._box(model, number) for number, model in enumerate(experts)), rows_of(U, "U")
        if not boxes or not len(pool):
            raise ValueError(f"TaskAgnosticFusion needs experts and rows U; got {len(boxes)} and {len(pool)}")
        classes = np.unique(np.concatenate([_classes(box) for box in boxes]))
        tau = None if descriptors is None else rows_of(descriptors, "descriptors")
        if tau is not None and len(tau) != len(boxes):
            raise ValueError(f"TaskAgnosticFusion needs a descriptor for each of {len(boxes)} experts; got {len(tau)}")
        self.owners_ = Owners(boxes, classes, pool, self._total(len(boxes)), tau, self.seed)
        self.learner_ = method.learner(self.owners_)
        self._look_for_failures()
        return self

    def adapt(self, X: npt.ArrayLike, y: npt.ArrayLike, descriptor: npt.ArrayLike | None = None) -> TaskClassifier:
        """A classifier of the classes in y ``[M]``, by examples X ``[M, D]``, a few or one of each.

        descriptor ``[T]``: of the task, where the experts' were given. Raises ValueError for what does not fit.
        """
        if not hasattr(self, "learner_"):
            raise ValueError("TaskAgnosticFusion is not fitted: call fit first")
        x, labels = rows_of(X, "X", self.owners_.pool.shape[1]), _labels(y)
        if labels.shape != (len(x),) or not len(x):
            raise ValueError(f"TaskAgnosticFusion needs examples X [M, D] and y [M]; got {x.shape} and {labels.shape}")
        classes, places = np.unique(labels, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(f"TaskAgnosticFusion needs examples of two classes or more; got {classes.tolist()}")
        tau = None if descriptor is None else np.asarray(descriptor, dtype=float)
        adapted = self.learner_.adapt(NewTask(x, places, classes, tau))
        return TaskClassifier(classes, self._report(classes, places, adapted), adapted)

    def _report(self, classes: npt.NDArray[Any], places: npt.NDArray[np.intp], adapted: Adapted) -> TaskReport:
        boxes = self.owners_.boxes
        return TaskReport(
            method=self.method,
            experts=tuple(box.name for box in boxes if box.failure is None),
            left_out={box.name: box.failure for box in boxes if box.failure is not None},
            queries=sum(box.used for box in boxes),
            pool_rows=len(self.owners_.pool),
            inputs=self.owners_.pool.shape[1],
            examples=dict(zip(map(str, classes.tolist()), np.bincount(places).tolist(), strict=True)),
            details=adapted.details,
            certificate=adapted.certificate,
            notes=adapted.notes,
        )

    def _box(self, model: Any, number: int) -> BlackBox:
        if isinstance(model, BlackBox):
            return model
        return BlackBox(expert_of(model, f"expert {number}"), queries=self.queries, time_limit=self.time_limit)

    def _total(self, owners: int) -> Total:
        if self.graph is None:
            return partial(np.sum, axis=0)  # as the other, it can be copied and stored
        return partial(summed, topology=checked_graph(self.graph, owners))

    def _look_for_failures(self) -> None:
        """Remember experts that failed. Raises ValueError where none is left."""
        out = {box.name: box.failure for box in self.owners_.boxes if box.failure is not None}
        named = "\n".join(f"{name}: {reason}" for name, reason in out.items())
        if len(out) == len(self.owners_.boxes):
            raise ValueError(f"{named}\nTaskAgnosticFusion needs an expert that answers; none is left")
        self.left_out_ = out


def _classes(box: BlackBox) -> npt.NDArray[Any]:
    if not isinstance(box.model, Classifier):
        raise ValueError(f"{box.name}: is a regressor; needed a classifier with probabilities")
    return np.asarray(box.model.classes)


def _labels(y: npt.ArrayLike) -> npt.NDArray[Any]:
    """Labels as they came; whole numbers that are stored as floats are the numbers that experts name."""
    labels = np.asarray(y)
    return labels.astype(int) if labels.dtype.kind == "f" and (labels == np.rint(labels)).all() else labels
