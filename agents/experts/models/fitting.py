"""Fitting scikit-learn's models."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import ConvergenceWarning

from coolgp.agents.base.arrays import Indices

__all__ = ["constant_for_one_class", "fitted", "unconverged_allowed"]


def fitted(model: Any, x: Any, y: Any) -> Any:
    """The model, fitted; that it was stopped before it converged is a matter of its settings."""
    with unconverged_allowed():
        return model.fit(x, y)


def constant_for_one_class(model: Any, classes: Indices) -> Any:
    """The model to fit to rows of these classes ``[n]``: who has one class alone predicts it always."""
    return DummyClassifier() if len(np.unique(classes)) == 1 else model


@contextmanager
def unconverged_allowed() -> Iterator[None]:
    """Nothing is said of models that did not converge.

    Filters of warnings are common to all threads: who fits in several of them goes in here before they start.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
