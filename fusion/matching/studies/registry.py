"""The studies of sets of vectors, by the name that a scenario gives them; a new one is a line below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coolgp.network.base.lazy_table import LazyTable

if TYPE_CHECKING:
    from coolgp.fusion.matching.studies.outcome import SetsStudy

__all__ = ["SETS_STUDIES"]

SETS_STUDIES: LazyTable[type[SetsStudy]] = LazyTable(
    {
        "copies": "coolgp.fusion.matching.studies.copies:CopiesStudy",
        "hidden-states": "coolgp.fusion.matching.studies.hidden:StatesStudy",
        "topics": "coolgp.fusion.matching.studies.topics:TopicsStudy",
        "orders": "coolgp.fusion.matching.studies.orders:OrdersStudy",
    }
)
