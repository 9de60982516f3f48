"""Digits of inputs that a precision leaves, where they lie far from the origin."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coolgp.scenarios.base.arrays import Floats

__all__ = ["LEAST_DIGITS", "input_notes"]

LEAST_DIGITS = 2.0
"""Digits below which it is said."""


def input_notes(places: Floats, features: Sequence[str], precision: str) -> tuple[str, ...]:
    """What to say of inputs ``[n, D]``, in lengthscales, whose differences the precision does not hold.

    Looked at is the median place of a column: a row far away has few digits itself, and leaves those of others alone.

    >>> input_notes(np.full((3, 1), 1e8), ["east"], "float64")
    ()
    >>> input_notes(np.full((3, 1), 1e8), ["east"], "float32")[0].split(":")[0]
    'float32 leaves 0.0 digits of a difference of one lengthscale in "east", which is 1e+08 lengthscales from 0'
    """
    away = np.median(np.abs(places), axis=0)
    with np.errstate(divide="ignore"):
        digits = np.maximum(-np.log10(np.finfo(np.dtype(precision)).eps * away), 0.0)
    better = (
        'data.standardize = true, run.precision = "float64"' if precision != "float64" else "data.standardize = true"
    )
    return tuple(
        f'{precision} leaves {left:.1f} digits of a difference of one lengthscale in "{name}", which is {far:.3g} '
        f"lengthscales from 0: take {better}, or count the column from a place in the middle of the data"
        for name, left, far in zip(features, digits.tolist(), away.tolist(), strict=True)
        if left < LEAST_DIGITS
    )
