"""What the columns of a run are in words, and which are summed; also of columns that nobody described."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from coolgp.scenarios.metrics.column import SUBSET, TARGET, Column
from coolgp.scenarios.metrics.columns import COLUMNS

__all__ = ["alike", "described", "is_summed", "metric_words"]

Values = TypeVar("Values")


def alike(columns: Mapping[str, Values], name: str) -> Values:
    """A column as a curve: a score on the test rows that are asked in every round, where the columns have that.

    >>> alike({"rmse_post": 2.0, "rmse_post_subset": 1.9}, "rmse_post"), alike({"nlpd_post": 3.0}, "nlpd_post")
    (1.9, 3.0)
    """
    stem, end = (name.removesuffix("_std"), "_std") if name.endswith("_std") else (name, "")
    subset = f"{stem}{SUBSET}{end}"
    return columns[subset if subset in columns else name]


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
