"""Models of owners, trained apart and fused by a rule, as scikit-learn estimators."""

from __future__ import annotations

from typing import Any, Literal, Self, overload

import numpy.typing as npt
from sklearn.base import ClassifierMixin, RegressorMixin

from coolgp.agents.base.arrays import Array
from coolgp.scenarios.estimators.base import FusedExperts, moments_of, with_classes, with_numbers

__all__ = ["FusedClassifier", "FusedRegressor"]


class FusedRegressor(RegressorMixin, FusedExperts):  # type: ignore[misc]  # scikit-learn has no types
    """Owners train a regressor each on rows of their own; a rule of ``coolgp fuse`` makes one of them.

    Parameters
    ----------
    estimator : estimator, str or None
        What every owner trains: a regressor of scikit-learn, or a name of ``[experts] model`` ("sparse-gp", "mlp",
        "gp", "forest", ...); "sparse-gp" by default. A `random_state` of None is set to a seed of the owner's own.
    rule : str
        A rule of ``coolgp fuse``: "ensemble" takes any models, "cigar" those with a standard deviation; "spahm" fuses
        sparse GPs, "pfnm" networks, "colbi" what imitates models by their answers.
    n_owners : int
        Owners to whom rows are dealt at random, where neither `groups`, `prefit` nor a graph of networkx says who
        there is.
    graph : str, networkx.Graph or None
        A kind of graph ("ring", "star", ...), or a graph whose nodes are the owners, over which they fuse.
    prefit : mapping, sequence or None
        Models that are fitted already, by owner: of scikit-learn, networks, functions, paths of model files. `fit` then
        trains nothing. Searches copy models without what they learned: wrap each in ``sklearn.frozen.FrozenEstimator``.
    settings : mapping or None
        Any other key of ``coolgp fuse --set``, as ``{"fusion.std": 0.1, "experts.at_least": 3}``, and settings of a
        model that is named, as ``{"experts.inducing": 30}``.
    random_state : int, RandomState or None
        Everything random follows from it.

    Attributes
    ----------
    owners_ : tuple of str
        Their names.
    estimators_ : list
        Their models, in this order.
    fused_ : object
        What the rule left: a sparse GP, a network, surrogates; None where it asks the owners' models when it predicts.
    remarks_ : tuple of str
        What the rule has to say.
    n_features_in_ : int

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = rng.uniform(-3, 3, size=(300, 1))
    >>> y = np.sin(x[:, 0]) + 0.1 * rng.normal(size=300)
    >>> model = FusedRegressor(rule="spahm", settings={"experts.inducing": 10}, random_state=0).fit(x, y, x[:, 0] > 0)
    >>> mean, std = model.predict(np.array([[-1.0], [1.0]]), return_std=True)
    >>> bool(np.abs(mean - np.sin([-1.0, 1.0])).max() < 0.1), model.owners_
    (True, ('False', 'True'))
    """

    usual = "sparse-gp"

    def fit(self, X: Any, y: Any, groups: Any = None, unlabelled: Any = None) -> Self:
        """Train a model for each owner and fuse them. X ``[n, D]``, y ``[n]``, groups ``[n]``: the owner of each row.

        unlabelled ``[U, D]``: inputs at which rules ask models that only answer; rows of X where none are given. With
        `prefit` models, X and y are used by rules that need rows, if `groups` names their owners. Raises ValueError for
        settings, groups and models that do not fit together.
        """
        self._fit(*with_numbers(self, X, y), groups, unlabelled)
        return self

    @overload
    def predict(self, X: Any, return_std: Literal[False] = False, owner: str | None = None) -> Array: ...
    @overload
    def predict(self, X: Any, return_std: Literal[True], owner: str | None = None) -> tuple[Array, Array]: ...
    def predict(self, X: Any, return_std: bool = False, owner: str | None = None) -> Array | tuple[Array, Array]:
        """Mean ``[Q]`` at X ``[Q, D]``; with return_std also the standard deviation ``[Q]`` of an observation there.

        owner: who predicts alone, by name; all together by default. Raises ValueError for another name, and where
        models state no standard deviation.
        """
        answers = self._answers(X, owner)
        return moments_of(answers) if return_std else answers[:, 0]


class FusedClassifier(ClassifierMixin, FusedExperts):  # type: ignore[misc]  # scikit-learn has no types
    """Owners train a classifier each on rows of their own; a rule of ``coolgp fuse`` makes one of them.

    Parameters
    ----------
    estimator : estimator, str or None
        What every owner trains: a classifier of scikit-learn with `predict_proba`, or a name of ``[experts] model``
        ("logistic", "mlp", "forest", "nearest"); "logistic" by default. Who has one class alone predicts it always.
        Rules that fuse weights take "mlp", whose networks have an output for each class that any owner has.
    rule : str
        A rule of ``coolgp fuse``: "ensemble" and "cigar" take any models, "pfnm", "average", "re-basin" and "k-means"
        networks, "colbi" what imitates models by their answers.
    n_owners, graph, prefit, settings, random_state
        As of :class:`FusedRegressor`; without names, rows of each class are dealt evenly.

    Attributes
    ----------
    classes_ : array [K]
        Of all owners. Classes of models that were trained here are numbers, the places in it.
    owners_, estimators_, fused_, remarks_, n_features_in_
        As of :class:`FusedRegressor`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> x, y = load_iris(return_X_y=True)
    >>> model = FusedClassifier(n_owners=3, random_state=0).fit(x, y)
    >>> bool(model.score(x, y) > 0.9), model.predict_proba(x[:2]).shape
    (True, (2, 3))
    """

    usual = "logistic"

    def fit(self, X: Any, y: Any, groups: Any = None, unlabelled: Any = None) -> Self:
        """Train a classifier for each owner and fuse them, as :meth:`FusedRegressor.fit`."""
        self._fit(*with_classes(self, X, y), groups, unlabelled)
        return self

    def predict_proba(self, X: Any, owner: str | None = None) -> Array:
        """Probabilities ``[Q, K]`` of `classes_` at X ``[Q, D]``; owner: who predicts alone, all by default."""
        return self._answers(X, owner)

    def predict(self, X: Any, owner: str | None = None) -> npt.NDArray[Any]:
        """The most likely classes ``[Q]`` at X ``[Q, D]``; owner: as of `predict_proba`."""
        places = self.predict_proba(X, owner).argmax(axis=1)
        classes: npt.NDArray[Any] = self.classes_[places]
        return classes
