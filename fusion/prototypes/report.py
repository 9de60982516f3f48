"""What was used for a task and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coolgp.fusion.prototypes.certificate import Certificate

__all__ = ["TaskReport"]


@dataclass(frozen=True)
class TaskReport:
    """How a classifier of a new task came about; printed, a line for each thing.

    experts: that answered, by name; left_out: that failed, with the reason; queries: rows that all were asked for so
    far. pool_rows, inputs: of the rows without labels. examples: of each class. details: of the method. certificate:
    of the expected loss, None where the method has none. notes: what a user should know.
    """

    method: str
    experts: tuple[str, ...]
    left_out: Mapping[str, str]
    queries: int
    pool_rows: int
    inputs: int
    examples: Mapping[str, int]
    details: Mapping[str, Any]
    certificate: Certificate | None
    notes: tuple[str, ...]

    @property
    def bound(self) -> float | None:
        """Of the expected loss ``1 - p(right class)`` of a drawn prototype; None where the method has none."""
        return None if self.certificate is None else self.certificate.bound()

    @property
    def certified(self) -> bool | None:
        """Whether the bound holds with the probability that was asked for; None where there is none."""
        return None if self.certificate is None else self.certificate.certified

    def __str__(self) -> str:
        examples = ", ".join(f"{count} of class {name}" for name, count in self.examples.items())
        lines = {
            "method": self.method,
            "examples": examples,
            "experts": f"{len(self.experts)}, {self.queries:,} queries on {self.pool_rows:,} rows without labels",
            **{f"left out: {name}": reason for name, reason in self.left_out.items()},
            **{name: _words(value) for name, value in self.details.items()},
            "bound of the expected loss": str(self.certificate or "none; the embedding has one"),
        }
        return "\n".join([*(f"{name}: {value}" for name, value in lines.items()), *self.notes])


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_words(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
