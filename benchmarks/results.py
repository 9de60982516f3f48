"""What a benchmark measured, as records and as JSON: the report is written from these files alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from benchmarks.machine import commit, machine, versions
from benchmarks.timing import Timing

__all__ = ["Measurement", "Result", "Row", "Value", "conclude", "rate", "read", "seconds", "single", "write"]

SCHEMA = 1
STORED_AS = {"measurement": "found"}
"""Keys of the JSON files that are not the names of the fields."""
Value = str | int | float


@dataclass(frozen=True)
class Row:
    """One figure: who, on what case, with the median and the spread over runs.

    what: what was counted; unit: of value, least, most and limit. Rates end in ``/s``, and more is better; of all else
    less is better. limit: what the machine's measured limits allow at best, None where that is not said.
    """

    case: Mapping[str, Value]
    who: str
    what: str
    unit: str
    value: float
    least: float
    most: float
    runs: int
    limit: float | None = None

    @property
    def of_limit(self) -> float | None:
        """The part of the limit that is reached."""
        if self.limit is None:
            return None
        return self.value / self.limit if self.unit.endswith("/s") else self.limit / self.value


@dataclass(frozen=True)
class Measurement:
    """What one benchmark measured. limits: the machine's; skipped: who was left out, why; notes: what the work is."""

    rows: tuple[Row, ...]
    limits: Mapping[str, float]
    notes: tuple[str, ...] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """A JSON file: what was measured, where, when and by which command."""

    benchmark: str
    command: str
    quick: bool
    date: str
    commit: str
    machine: Mapping[str, object]
    versions: Mapping[str, str]
    measurement: Measurement
    schema: int = SCHEMA

    def pick(self, who: str = "coolgp", what: str = "", **case: Value) -> Row | None:
        """The first row of someone whose case has these values, and of that kind where one is named."""
        wanted = case.items()
        fits = (row for row in self.measurement.rows if row.who == who and (not what or row.what == what))
        return next((row for row in fits if wanted <= row.case.items()), None)


def rate(
    case: Mapping[str, Value], who: str, what: str, timing: Timing, amount: float, limit: float | None = None
) -> Row:
    """So much done in each call, as a rate."""
    fastest, slowest = timing.spread
    value = amount / timing.median
    return Row(case, who, what, f"{what}/s", value, amount / slowest, amount / fastest, len(timing.seconds), limit)


def seconds(case: Mapping[str, Value], who: str, what: str, timing: Timing, limit: float | None = None) -> Row:
    """A time."""
    return Row(case, who, what, "s", timing.median, *timing.spread, len(timing.seconds), limit)


def single(case: Mapping[str, Value], who: str, what: str, unit: str, value: float) -> Row:
    """A figure seen once, or that does not vary."""
    return Row(case, who, what, unit, value, value, value, 1)


def conclude(benchmark: str, command: str, quick: bool, measurement: Measurement) -> Result:
    """A measurement, with date, machine and versions."""
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    return Result(benchmark, command, quick, now, commit(), machine(), versions(), measurement)


def write(result: Result, path: Path) -> None:
    """Write JSON, folders included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    contents = {STORED_AS.get(name, name): value for name, value in asdict(result).items()}
    path.write_text(json.dumps(contents, indent=1) + "\n", encoding="utf-8")


def read(path: Path) -> Result:
    """Read what :func:`write` wrote; raises ValueError for a file of another schema."""
    contents = json.loads(path.read_text(encoding="utf-8"))
    if contents.get("schema") != SCHEMA:
        raise ValueError(f"{path} needs schema {SCHEMA}; got {contents.get('schema')!r}: run its benchmark again")
    stored = contents.pop(STORED_AS["measurement"])
    rows = tuple(Row(**row) for row in stored["rows"])
    measurement = Measurement(rows, stored["limits"], tuple(stored["notes"]), stored["skipped"])
    return Result(**contents, measurement=measurement)
