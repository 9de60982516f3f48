"""Fitting scikit-learn's models."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sklearn.exceptions import ConvergenceWarning

__all__ = ["fitted", "unconverged_allowed"]


def fitted(model: Any, x: Any, y: Any) -> Any:
    """The model, fitted; that it was stopped before it converged is a matter of its settings."""
    with unconverged_allowed():
        return model.fit(x, y)


@contextmanager
def unconverged_allowed() -> Iterator[None]:
    """Nothing is said of models that did not converge.

    Filters of warnings are common to all threads: who fits in several of them goes in here before they start.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
