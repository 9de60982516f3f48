"""Scaling of inputs and target by a pilot sample, within what the precision of a run can hold."""

from __future__ import annotations

import numpy as np

from coolgp.agents.base.arrays import Array
from coolgp.scenarios.data.scaler import Scaler

FAR_ROWS = 1e4
"""So many times its interquartile range a column's standard deviation is where a few rows lie far from all others."""

__all__ = ["deviations", "middle_and_scale", "scaled_within_range", "scaler_of"]


def scaler_of(x: Array, y: Array, standardize: bool) -> Scaler:
    """What takes rows x ``[n, D]`` and targets ``[n]`` to zero mean and unit variance; nothing where not wanted."""
    if not standardize:
        return Scaler(np.zeros(x.shape[1]), np.ones(x.shape[1]), 0.0, 1.0)
    return Scaler(*middle_and_scale(x), float(y.mean()), float(deviations(y)))


def middle_and_scale(x: Array) -> tuple[Array, Array]:
    """Mean and standard deviation by column, or median and interquartile range where few rows make up the deviation.

    >>> middle_and_scale(np.array([[0.0], [1.0], [2.0], [1e9]]))[0].tolist()
    [1.5]
    """
    mean, deviation = x.mean(axis=0), deviations(x)
    low, high = np.percentile(x, (25, 75), axis=0, method="lower")
    far = (high > low) & (deviation > FAR_ROWS * (high - low))  # or all other rows would fall on one place
    return np.where(far, np.median(x, axis=0), mean), np.where(far, high - low, deviation)


def scaled_within_range(scaler: Scaler, x: Array, y: Array, precision: str) -> tuple[Array, Array]:
    """Rows x ``[n, D]`` and targets ``[n]``, scaled. Raises ValueError where sums of their squares leave the precision.

    >>> nothing = Scaler(np.zeros(1), np.ones(1), 0.0, 1.0)
    >>> scaled_within_range(nothing, np.ones((2, 1)), np.ones(2), "float32")[1].tolist()
    [1.0, 1.0]
    """
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        scaled = scaler.inputs(x), scaler.target(y)
    limits = np.finfo(np.dtype(precision))
    most, least = np.sqrt(float(limits.max) / max(1e6, len(y))), np.sqrt(float(limits.tiny))
    for name, values in zip(("input", "target"), scaled, strict=True):
        size = np.abs(values).max(initial=0.0)
        if not np.isfinite(values).all() or size > most:
            raise ValueError(
                f"data: needed values whose squares can be summed in {precision}, below {most:.2g} after scaling; got "
                f"{np.max(np.abs(x if name == 'input' else y)):.3g} as {name}: correct or remove such a value, or "
                "give the column in another unit"
            )
        if 0.0 < size < least:
            raise ValueError(
                f"data: needed values whose squares can be told from 0 in {precision}, above {least:.2g} after "
                f"scaling; got at most {size:.3g} as {name}: give the column in another unit, set data.standardize = "
                'true where it is false, or take run.precision = "float64"'
            )
    return scaled


def deviations(values: Array) -> Array:
    """Standard deviation by column; one where a column is constant but for rounding."""
    deviation = values.std(axis=0)
    return np.where(deviation > 1e-10 * np.abs(values).max(axis=0), deviation, 1.0)
