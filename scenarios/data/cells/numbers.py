"""What cells of text mean as numbers: a column's cells are read alike, by the one convention that most of them follow.

Numbers are as CSV has them, not as Python does: ``2024_01`` is a text. A comma is a decimal one, or parts thousands,
where the column leaves no doubt; where it does, nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from coolgp.scenarios.base.arrays import Floats

__all__ = [
    "BOOLEANS",
    "COMMAS",
    "MOMENTS",
    "PLAIN",
    "THOUSANDS",
    "Reading",
    "is_ambiguous",
    "is_number",
    "moment",
    "reading",
]

_PLAIN = re.compile(r"\s*[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|inf(inity)?|nan)\s*", re.ASCII | re.IGNORECASE)
_BY_POINTS = re.compile(r"\s*[+-]?\d{1,3}(,\d{3})+(\.\d*)?\s*", re.ASCII)
_BY_COMMAS = re.compile(r"\s*[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+([eE][+-]?\d+)?)?\s*", re.ASCII)
_FOUR_DIGITS = re.compile(r"\s*[+-]?\d{1,3}([.,])\d{3}\s*", re.ASCII)
_TRUTH = {"true": 1.0, "false": 0.0}


@dataclass(frozen=True)
class Reading:
    """A convention. words: what is said of a column that is read so; nothing where there is nothing to say."""

    words: str
    fits: Callable[[str], bool]
    number: Callable[[str], float]

    def numbers(self, cells: Sequence[str]) -> Floats:
        """The cells as numbers ``[n]``, NaN for what is none."""
        return np.array([self.number(cell) if self.fits(cell) else np.nan for cell in cells])


def is_number(cell: str) -> bool:
    """Whether a cell reads as a plain number, infinite and NaN among them.

    >>> [is_number(cell) for cell in ("1e3", " .5", "nan", "2024_01", "0x10", "1,5")]
    [True, True, True, False, False, False]
    """
    return bool(_PLAIN.fullmatch(cell))


def is_ambiguous(cell: str) -> bool:
    """Whether a cell such as ``1,234`` or ``1.234`` may be a thousand or one and a fraction."""
    return bool(_FOUR_DIGITS.fullmatch(cell))


PLAIN = Reading("", is_number, float)
THOUSANDS = Reading(
    "commas between thousands were left out",
    lambda cell: bool(_BY_POINTS.fullmatch(cell)) or is_number(cell),
    lambda cell: float(cell.replace(",", "")),
)
COMMAS = Reading(
    "commas were read as decimal points",
    lambda cell: bool(_BY_COMMAS.fullmatch(cell)),
    lambda cell: float(cell.replace(".", "").replace(",", ".")),
)
BOOLEANS = Reading(
    "true was read as 1, false as 0",
    lambda cell: cell.strip().lower() in _TRUTH,
    lambda cell: _TRUTH[cell.strip().lower()],
)


def reading(cells: Sequence[str]) -> Reading | None:
    """The convention that most of the filled cells follow without doubt; None where they follow none.

    >>> reading(["1,5", "2,25", "3"]) is COMMAS, reading(["1,234.5", "20"]) is THOUSANDS, reading(["1,234", "2,345"])
    (True, True, None)
    """
    filled = [cell for cell in cells if cell.strip()]
    for convention, doubtless in ((PLAIN, _sure), (BOOLEANS, _sure), (COMMAS, _decimal), (THOUSANDS, _grouped)):
        fitting = [cell for cell in filled if convention.fits(cell)]
        if 2 * len(fitting) > len(filled) and doubtless(fitting):
            return convention
    return None


def _sure(cells: Sequence[str]) -> bool:
    return True


def _decimal(cells: Sequence[str]) -> bool:
    """Whether some comma cannot part thousands."""
    return any("," in cell and ("." in cell or not _BY_POINTS.fullmatch(cell)) for cell in cells)


def _grouped(cells: Sequence[str]) -> bool:
    """Whether some comma cannot be a decimal one: it comes twice, or there is a decimal point as well."""
    return any(cell.count(",") > 1 or "." in cell for cell in cells)


def _seconds(when: datetime) -> float:
    return when.timestamp()


def _hour(when: datetime) -> float:
    return when.hour + when.minute / 60 + when.second / 3600


def _weekday(when: datetime) -> float:
    return float(when.weekday())


def _yearday(when: datetime) -> float:
    return when.timetuple().tm_yday - 1 + _hour(when) / 24


MOMENTS: dict[str, Callable[[datetime], float]] = {
    "seconds": _seconds,
    "hour": _hour,
    "weekday": _weekday,
    "yearday": _yearday,
}
"""What a time stamp is as a number: seconds since 1970 (UTC where it names no zone), hours, days from Monday, days from
1 January with their fraction.
"""


def moment(cell: str) -> datetime | None:
    """The time that a cell names as ISO 8601 does; None where it does not.

    >>> MOMENTS["hour"](moment("2024-02-29 06:30"))
    6.5
    """
    text = cell.strip()
    if not re.match(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        return None
    try:
        when = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
