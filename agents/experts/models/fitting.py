"""Fitting scikit-learn's models."""

from __future__ import annotations

import warnings
from typing import Any

from sklearn.exceptions import ConvergenceWarning

__all__ = ["fitted"]


def fitted(model: Any, x: Any, y: Any) -> Any:
    """The model, fitted; that it was stopped before it converged is a matter of its settings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(x, y)
