"""The one table of columns."""

from __future__ import annotations

from collections import Counter

from coolgp.scenarios.metrics.columns import ALL_COLUMNS


def test_no_two_columns_share_a_name() -> None:
    names = Counter(column.name for column in ALL_COLUMNS)
    assert [name for name, times in names.items() if times > 1] == []
