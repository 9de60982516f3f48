"""A model for every owner, from rows of its own and what others learned from theirs, as scikit-learn estimators."""

from __future__ import annotations

from typing import Any, Literal, Self, overload

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin, RegressorMixin, is_classifier
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from coolgp.agents.base.arrays import Array
from coolgp.scenarios.base.arrays import Floats
from coolgp.scenarios.estimators.base import FusedExperts, inputs_like, moments_of, with_classes, with_numbers
from coolgp.scenarios.estimators.groups import names_of, places_of
from coolgp.scenarios.estimators.newcomers import Personal, answers_of, model_among, models_of_owners, with_labels
from coolgp.scenarios.experiments.handed.rule import plain_label

__all__ = ["PersonalisedClassifier", "PersonalisedRegressor"]


class _Personalised(FusedExperts):
    """What both have in common."""

    personal_: dict[str, Personal]

    def newcomer(self, X: Any, y: Any, unlabelled: Any = None) -> Personal:
        """The model of one who is no owner yet, from few rows X ``[n, D]``, y ``[n]`` and the models of all owners.

        unlabelled ``[U, D]``: inputs at which models are asked that only answer. What comes is what
        :func:`coolgp.personalise` returns; raises ValueError as it does.
        """
        check_is_fitted(self)
        x = validate_data(self, X, dtype=np.float64, reset=False)
        target = column_or_1d(y)
        pool = None if unlabelled is None else inputs_like(x, unlabelled)
        if not is_classifier(self):
            return model_among(self._group, x, target.astype(float), pool)
        labels = np.array([plain_label(label) for label in target.tolist()])
        return with_labels(model_among(self._group, x, labels, pool), (*target.tolist(), *self.classes_.tolist()))

    def _fit_each(self, X: Floats, target: Array, labels: tuple[str, ...], groups: Any, unlabelled: Any) -> None:
        fitted = self._fit(X, target, labels, groups, unlabelled)
        models = {} if groups is None else models_of_owners(fitted.group, fitted.pool)
        known = self.classes_.tolist() if is_classifier(self) else ()
        self.personal_ = {name: with_labels(model, known) for name, model in models.items()}

    def _answers_by(self, X: Any, groups: Any) -> Array:
        """By the model of each row's owner, or by the fused model without owners."""
        if groups is None:
            return self._answers(X, None)
        check_is_fitted(self)
        x = validate_data(self, X, dtype=np.float64, reset=False)
        owners = names_of(groups, x) or ()
        if not self.personal_:
            raise ValueError("groups needs owners, and fit had none: give it the groups of its rows too")
        try:
            places_of(owners, self.owners_, "owners")
        except ValueError as problem:
            raise ValueError(f"{problem}; newcomer(X, y) makes a model of rows of another") from None
        return answers_of(self.personal_, x, owners, self._group.task)


class PersonalisedRegressor(RegressorMixin, _Personalised):  # type: ignore[misc]  # scikit-learn has no types
    """Every owner gets a regressor of its own, from its rows and what the others learned from theirs.

    Owners train models apart, as under :class:`FusedRegressor`. Each is then the newcomer of :func:`coolgp.personalise`
    among the others: sparse GPs become priors, weighed by the owner's rows; networks are fused, with an output layer
    for its rows; other models are imitated. For rows that are nobody's the models are fused by the rule, and
    ``newcomer(X, y)`` makes the model of one who is no owner yet: it is :func:`coolgp.personalise`.

    Parameters
    ----------
    estimator, rule, n_owners, graph, prefit, settings, random_state
        As of :class:`FusedRegressor`.

    Attributes
    ----------
    personal_ : dict
        The model of each owner, by name, with a `report` of what was chosen and why; empty without `groups`.
    owners_, estimators_, fused_, remarks_, n_features_in_
        As of :class:`FusedRegressor`.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> owner = np.repeat(np.arange(8), 10)
    >>> x = rng.uniform(-2, 2, size=(80, 1))
    >>> y = np.sin(2 * x[:, 0]) + 0.5 * owner + 0.1 * rng.normal(size=80)
    >>> model = PersonalisedRegressor(settings={"experts.inducing": 8}, random_state=0).fit(x, y, groups=owner)
    >>> bool(np.abs(model.predict([[0.5], [0.5]], groups=[0, 6]) - np.sin(1.0) - [0.0, 3.0]).max() < 0.3)
    True
    """

    usual = "sparse-gp"

    def fit(self, X: Any, y: Any, groups: Any = None, unlabelled: Any = None) -> Self:
        """Train a model for each owner, fuse them, and make each a model of its own; groups ``[n]``: who has which row.

        Without groups rows are dealt at random, and nobody's are its own. unlabelled ``[U, D]``: inputs at which models
        are asked that only answer; rows of X where none are given. Raises ValueError as :meth:`FusedRegressor.fit`, and
        where models of the others are of no use to an owner, with the reasons.
        """
        self._fit_each(*with_numbers(self, X, y), groups, unlabelled)
        return self

    @overload
    def predict(self, X: Any, return_std: Literal[False] = False, groups: Any = None) -> Array: ...
    @overload
    def predict(self, X: Any, return_std: Literal[True], groups: Any = None) -> tuple[Array, Array]: ...
    def predict(self, X: Any, return_std: bool = False, groups: Any = None) -> Array | tuple[Array, Array]:
        """Mean ``[Q]`` at X ``[Q, D]``; with return_std also the standard deviation ``[Q]`` of an observation there.

        groups ``[Q]``: the owner whose model predicts each row; without, the fused model predicts all. Raises
        ValueError for owners that `fit` had no rows of.
        """
        answers = self._answers_by(X, groups)
        return moments_of(answers) if return_std else answers[:, 0]

    def score(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> float:
        """R² of `predict`; in searches `groups` come by ``set_score_request(groups=True)``."""
        return float(r2_score(y, self.predict(X, groups=groups), sample_weight=sample_weight))


class PersonalisedClassifier(ClassifierMixin, _Personalised):  # type: ignore[misc]  # scikit-learn has no types
    """Every owner gets a classifier of its own, from its rows and what the others learned from theirs.

    As :class:`PersonalisedRegressor`: networks ("mlp") are fused, with an output layer for the owner's rows; of other
    classifiers prototypes of the owner's classes are made, from their answers at rows without labels. An owner of one
    class alone predicts it always.

    Parameters
    ----------
    estimator, rule, n_owners, graph, prefit, settings, random_state
        As of :class:`FusedClassifier`.

    Attributes
    ----------
    classes_ : array [K]
        Of all owners.
    personal_, owners_, estimators_, fused_, remarks_, n_features_in_
        As of :class:`PersonalisedRegressor`.
    """

    usual = "mlp"

    def fit(self, X: Any, y: Any, groups: Any = None, unlabelled: Any = None) -> Self:
        """Train a classifier for each owner, fuse them, and make each its own, as :meth:`PersonalisedRegressor.fit`."""
        self._fit_each(*with_classes(self, X, y), groups, unlabelled)
        return self

    def predict_proba(self, X: Any, groups: Any = None) -> Array:
        """Probabilities ``[Q, K]`` of `classes_` at X ``[Q, D]``; groups: as of :meth:`PersonalisedRegressor.predict`.

        An owner's own model knows the owner's classes alone: others have probability 0.
        """
        return self._answers_by(X, groups)

    def predict(self, X: Any, groups: Any = None) -> npt.NDArray[Any]:
        """The most likely classes ``[Q]`` at X ``[Q, D]``; groups: as of `predict_proba`."""
        places = self.predict_proba(X, groups).argmax(axis=1)
        classes: npt.NDArray[Any] = self.classes_[places]
        return classes

    def score(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> float:
        """Share of rows that `predict` gets right; in searches `groups` come by ``set_score_request(groups=True)``."""
        return float(accuracy_score(y, self.predict(X, groups=groups), sample_weight=sample_weight))
