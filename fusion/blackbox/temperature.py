"""One temperature that makes a group's uncertainty fit a few rows with targets, agreed on by a sum.

The owner of the rows says sums over them, no row; everybody else adds zeros. Axes: ``n`` rows, ``K`` classes, ``T``
temperatures. Source, for classes: Guo, Pleiss, Sun & Weinberger, "On Calibration of Modern Neural Networks", ICML 2017.
"""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax, softmax

from coolgp.agents.base.arrays import Array, Indices
from coolgp.agents.experts.queries.density import floored_log

__all__ = ["TEMPERATURES", "class_temperature", "class_terms", "number_terms", "std_factor", "tempered"]

TEMPERATURES = np.geomspace(0.02, 500.0, 241)
"""Of classes, among which the likelihood decides."""


def number_terms(y: Array, mean: Array, std: Array) -> Array:
    """Sum of squares of standardised residuals, and rows ``[2]``."""
    return np.array([np.square((y - mean) / std).sum(), float(len(y))])


def std_factor(sums: Array) -> float:
    """What standard deviations are multiplied by, so that the rows are as likely as they can be, by `number_terms`."""
    return float(np.sqrt(sums[0] / sums[1]))


def class_terms(places: Indices, probabilities: Array) -> Array:
    """Log loss at each temperature ``[T]``; places ``[n]``: of the true classes; probabilities ``[n, K]``."""
    logarithms = floored_log(probabilities)
    rows = np.arange(len(places))
    losses = [-log_softmax(logarithms / each, axis=1)[rows, places].sum() for each in TEMPERATURES]
    return np.array(losses)


def class_temperature(sums: Array) -> float:
    """The temperature at which rows are most likely, by `class_terms`."""
    return float(TEMPERATURES[np.argmin(sums)])


def tempered(probabilities: Array, temperature: float) -> Array:
    """Probabilities ``[n, K]`` to the power of one over the temperature; above 1 they are less sure."""
    shares: Array = softmax(floored_log(probabilities) / temperature, axis=1)
    return shares
