"""The studies of sets of vectors, by the name that a scenario gives them; a new one is a line below."""

from __future__ import annotations

from coolgp.fusion.matching.studies.copies import CopiesStudy
from coolgp.fusion.matching.studies.hidden import StatesStudy
from coolgp.fusion.matching.studies.outcome import SetsStudy

__all__ = ["SETS_STUDIES"]

SETS_STUDIES: dict[str, type[SetsStudy]] = {"copies": CopiesStudy, "hidden-states": StatesStudy}
