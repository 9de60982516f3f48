"""What the columns of a run are in words, and which are summed; also of columns that nobody described."""

from __future__ import annotations

from coolgp.scenarios.metrics.column import TARGET, Column
from coolgp.scenarios.metrics.columns import COLUMNS

__all__ = ["described", "is_summed", "metric_words"]


def described(name: str) -> Column | None:
    """The entry for a name in a header; None where there is none, as for a column of another version."""
    return next((column for column in COLUMNS.values() if column.words_of(name)), None)


def is_summed(name: str) -> bool:
    """Whether a run's value of a column is the sum over its rows; else it is the last one."""
    column = described(name)
    return name.startswith("seconds") if column is None else column.summed


def metric_words(name: str, target_unit: str = "") -> str:
    """What a column is, for the axis of a figure, with its unit; target_unit: that of what is predicted, if known.

    >>> metric_words("rmse_post", "km/h"), metric_words("coverage95_post")
    ('RMSE after fusion (km/h)', 'coverage of the central 95 % interval after fusion')
    >>> metric_words("of_another_version")
    'of another version'
    """
    column = described(name)
    if column is None:
        return name.replace("_", " ")
    unit = target_unit if column.unit == TARGET else column.unit
    return f"{column.words_of(name)} ({unit})" if unit else f"{column.words_of(name)}"
