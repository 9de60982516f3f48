"""What a study of sets of vectors finds out: the scores of every method on one draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from coolgp.agents.base.arrays import Array, Indices
from coolgp.fusion.matching.sets.spahm import SPAHM

__all__ = ["COPY", "Outcome", "SetsStudy", "StudyDraw"]


COPY = "standard deviation of a copy"
"""The noise of studies whose groups have copies of atoms."""


@dataclass(frozen=True)
class Outcome:
    """One method on one draw. measures: its scores by name; seconds: of the method alone."""

    measures: Mapping[str, float]
    seconds: float


@dataclass(frozen=True)
class StudyDraw:
    """All methods on one draw.

    used: true atoms that a group has. outcomes: by method. facts: further numbers of the draw, by column. matched:
    arrays of what SPAHM matched, by name.
    """

    used: int
    outcomes: Mapping[str, Outcome]
    facts: Mapping[str, float]
    matched: Mapping[str, Array | Indices]


class SetsStudy(Protocol):
    """A study of sets of vectors: its fields are its settings."""

    measures: ClassVar[tuple[str, ...]]
    facts: ClassVar[tuple[str, ...]]
    extra: ClassVar[tuple[str, ...]]
    """Packages that it needs and the package comes without, by the name of the extra that brings them."""
    level: ClassVar[str]
    """What the noise is that its draws differ in, in words."""
    truth: ClassVar[str]
    """What there are so many of as `StudyDraw.used` says, in words."""
    remarks: ClassVar[tuple[str, ...]]
    """What has to be said of its methods, in sentences."""

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that are compared."""

    def drawn(self, noise: float, seed: int, settings: SPAHM) -> StudyDraw:
        """Draw groups whose copies of an atom have this standard deviation, and score all methods."""
